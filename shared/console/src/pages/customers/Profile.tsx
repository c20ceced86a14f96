/* All values of a record by class, each with when and by whom it was set; classes that the reader may not see are named as hidden. */
import type { ReactNode } from "react";
import { useActor } from "~/app/actor";
import type { Field, Resource } from "~/api/description";
import type { Json, Row } from "~/api/records";
import { Panel } from "~/ui/parts";
import { byClass, className, classNames } from "./profile";
import { Hidden, Value } from "./Value";
import classes from "./customers.module.css";

/* A resource whose fields are all open has none hidden: only these hold what others may not see. */
const withPersons: ReadonlySet<string> = new Set(["people", "interactions", "cases"]);

function useHiddenClasses(resource: Resource): readonly string[] {
	const { me } = useActor();
	const read: readonly string[] = me.classes.read;
	const here = new Set(resource.fields.map((f) => f.class));
	return classNames.filter((c) => !read.includes(c) && !here.has(c) && (c !== "personal" || withPersons.has(resource.name)));
}

export function Profile({ resource, row, title = "Profile", beside }: { resource: Resource; row: Row; title?: string; beside?: (field: Field, value: Json | undefined) => ReactNode }) {
	const hidden = useHiddenClasses(resource);
	return (
		<Panel title={title}>
			{byClass(resource.fields).map(([name, fields]) => (
				<section key={name} className={classes.class}>
					<h3>{name}</h3>
					<dl className={classes.profile}>
						{fields.map((f) => (
							<div key={f.name}>
								<dt>{f.label}</dt>
								<dd>
									<span className={classes.value}>
										<Value field={f} value={row[f.name]} />
									</span>
									{beside?.(f, row[f.name])}
								</dd>
							</div>
						))}
					</dl>
				</section>
			))}
			{hidden.map((c) => (
				<section key={c} className={classes.class}>
					<h3>{className(c)}</h3>
					<p>
						<Hidden /> <span className="dimmed small">Values of class {c} are not shown to your roles; that does not mean that they are empty.</span>
					</p>
				</section>
			))}
		</Panel>
	);
}
