/* The first page: what waits for me, and both modes side by side. */
import { Page } from "~/ui/parts";
import { useActor } from "~/app/actor";
import { Core } from "./Core";
import { Sandbox } from "./Sandbox";
import { Waiting } from "./Waiting";
import classes from "./Home.module.css";

export function Home() {
	const { me } = useActor();
	return (
		<Page title={`Hello, ${me.display_name ?? me.name}`} about="What waits for you, and how both modes stand">
			<Waiting />
			<div className={classes.modes}>
				<Core />
				<Sandbox />
			</div>
		</Page>
	);
}
