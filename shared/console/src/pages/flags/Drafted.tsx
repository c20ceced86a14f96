/* That a flag has a draft: whose, since when, and the ways on. */
import { useState } from "react";
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { Icon } from "~/ui/Icon";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type DraftSeen, type Flag, api, refresh } from "./data";
import { Who } from "./parts";
import classes from "./flags.module.css";

/** Throw the draft away: a question first, since nobody can bring it back. */
function Discard({ flag }: { flag: Flag }) {
	const router = useRouter();
	const queries = useQueryClient();
	const [asking, setAsking] = useState(false);
	const drop = useMutation({
		mutationFn: () => api.remove("/v1/flags/{key}/draft", { path: { key: flag.key } }),
		onSuccess: async () => {
			await router.navigate({ to: "/flags/$key", params: { key: flag.key }, search: {} });
			await refresh(queries);
			setAsking(false);
		},
	});
	const close = () => {
		setAsking(false);
		drop.reset();
	};
	return (
		<>
			<Button size="compact-sm" variant="default" onClick={() => setAsking(true)}>
				Discard the draft…
			</Button>
			<Modal opened={asking} onClose={close} title="Discard the draft?" closeButtonProps={{ "aria-label": "Close" }}>
				<div className={classes.form}>
					{drop.error !== null && <Trouble problem={drop.error} />}
					<p>It cannot be brought back. What is served now stays as it is.</p>
					<div className={classes.buttons}>
						<Button variant="default" data-autofocus onClick={close}>
							Keep it
						</Button>
						<Button color="red.9" loading={drop.isPending} onClick={() => drop.mutate()}>
							Discard
						</Button>
					</div>
				</div>
			</Modal>
		</>
	);
}

/** `here`: the page that needs no way to itself. */
export function Drafted({ flag, draft, here }: { flag: Flag; draft: DraftSeen; here?: "revise" | "review" }) {
	const mayWrite = useMay()("flag.write") && flag.archived_at === null;
	return (
		<div className={classes.drafted} role="note">
			<Icon name="change" />
			<p>
				<strong>A draft waits to be published.</strong> Saved by <Who id={draft.author} /> <Time at={draft.at} />, made from revision {draft.base}. It serves nobody yet.
			</p>
			<div className={classes.buttons}>
				{here !== "revise" && mayWrite && (
					<Link to="/flags/$key/revise" params={{ key: flag.key }}>
						Go on editing
					</Link>
				)}
				{here !== "review" && (
					<Link to="/flags/$key/review" params={{ key: flag.key }}>
						Review{mayWrite ? " and publish" : " it"}
					</Link>
				)}
				{mayWrite && <Discard flag={flag} />}
			</div>
		</div>
	);
}
