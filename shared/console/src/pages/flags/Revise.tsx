/* The next revision of a flag's rules. */
import { useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { asProblem } from "~/api/problem";
import { PendingView } from "~/app/views";
import { Page } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Document, type Flag, api, flagQuery, refresh } from "./data";
import { differences } from "./differ";
import { Editor, begin, faultsOf, finish } from "./Editor";
import { Changed, NotYours } from "./parts";
import classes from "./flags.module.css";

const route = getRouteApi("/shell/flags/$key/revise");

function Form({ flag }: { flag: Flag }) {
	const router = useRouter();
	const queries = useQueryClient();
	/* As it was when the form was opened: what others do meanwhile is told, not mixed in. */
	const [from] = useState(flag);
	const [edited, setEdited] = useState(() => begin(from.document));
	const [comment, setComment] = useState("");
	const [tried, setTried] = useState(false);
	const open = () => router.navigate({ to: "/flags/$key", params: { key: flag.key }, search: {} });
	const made = finish(edited);
	/* What is written as JSON may be anything: core judges it. */
	const save = useMutation({
		mutationFn: () => api.post("/v1/flags/{key}/revisions", { path: { key: flag.key }, body: { document: made.document as unknown as Document, ...(comment === "" ? {} : { comment }) } }),
		onSuccess: async () => {
			await refresh(queries);
			await open();
		},
	});
	const problem = save.error === null ? null : asProblem(save.error);
	const changed = made.faults.length > 0 ? null : differences(from, { enabled: from.enabled, document: made.document });
	return (
		<form
			className={classes.form}
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				setTried(true);
				save.reset();
				if (made.faults.length === 0)
					save.mutate();
			}}
		>
			{flag.revision !== from.revision && (
				<p className={classes.warned} role="alert">
					Revision {flag.revision} has come since you opened revision {from.revision}. Saving puts yours in its place.
				</p>
			)}
			{problem !== null && <Trouble problem={problem} />}
			<Editor
				edited={edited}
				faults={[...(tried ? made.faults : []), ...faultsOf(problem)]}
				change={(next) => {
					save.reset();
					setEdited(next);
				}}
			/>
			{changed !== null && (
				<section aria-label="What would change">
					<h2>What would change</h2>
					<Changed all={changed} />
				</section>
			)}
			<TextInput label="Why" description="Stands with the revision" autoComplete="off" maxLength={2000} value={comment} onChange={(e) => setComment(e.currentTarget.value)} />
			<div className={classes.buttons}>
				<Button variant="default" onClick={() => void open()}>
					Cancel
				</Button>
				<Button type="submit" disabled={changed?.length === 0} loading={save.isPending}>
					Save as a new revision
				</Button>
			</div>
		</form>
	);
}

export function Revise() {
	const { key } = route.useParams();
	const may = useMay();
	const mayWrite = may("flag.write");
	const flag = useQuery({ ...flagQuery(key), enabled: mayWrite });
	if (!mayWrite)
		return <NotYours title="Revise a flag" what="change flags" />;
	if (flag.isPending)
		return <PendingView />;
	if (flag.isError)
		return (
			<Page title="Revise a flag">
				<Trouble problem={flag.error} again={() => void flag.refetch()} />
			</Page>
		);
	return (
		<Page
			title={`Revise ${key}`}
			about={
				<>
					<Link to="/flags/$key" params={{ key }} search={{}}>
						{key}
					</Link>{" "}
					· revision {flag.data.revision}, {flag.data.enabled ? "on: a new revision acts at once" : "off"}
				</>
			}
		>
			<Form key={key} flag={flag.data} />
		</Page>
	);
}
