/* The rules of a flag as a draft, which serves nobody until it is reviewed and published. */
import { useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useActor, useMay } from "~/app/actor";
import { asProblem } from "~/api/problem";
import { PendingView } from "~/app/views";
import { Page } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Document, type Flag, type FlagDraft, api, draftQuery, flagQuery, refresh } from "./data";
import { differences } from "./differ";
import { Drafted } from "./Drafted";
import { Editor, begin, faultsOf, finish } from "./Editor";
import { Changed, NotYours } from "./parts";
import { Population } from "./Population";
import classes from "./flags.module.css";

const route = getRouteApi("/shell/flags/$key/revise");

/** `draft`: what was found when the form was opened; null: nobody had begun. */
function Form({ flag, draft }: { flag: Flag; draft: FlagDraft | null }) {
	const { me } = useActor();
	const router = useRouter();
	const queries = useQueryClient();
	/* As it was when the form was opened: what others do meanwhile is told, not mixed in. */
	const [from] = useState(flag);
	const [began] = useState(draft);
	const [edited, setEdited] = useState(() => begin(draft?.document ?? flag.document));
	const [comment, setComment] = useState(draft?.comment ?? "");
	const [tried, setTried] = useState(false);
	const made = finish(edited);
	const base = began?.base ?? from.revision;
	const others = flag.draft !== null && flag.draft.author !== me.principal ? (flag.draft.author_name ?? "somebody else") : null;
	/* Somebody has saved a draft since: that one was not looked at. */
	const raced = flag.draft !== null && flag.draft.at !== began?.at;
	/* What is written as JSON may be anything: core judges it. */
	const save = useMutation({
		mutationFn: async () =>
			(
				await api.put("/v1/flags/{key}/draft", {
					path: { key: flag.key },
					body: { document: made.document as unknown as Document, base, ...(comment === "" ? {} : { comment }), ...(others !== null ? { replace: true } : {}) },
				})
			).data,
		onSuccess: async () => {
			await refresh(queries);
			await router.navigate({ to: "/flags/$key/review", params: { key: flag.key } });
		},
		onError: () => refresh(queries),
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
					Revision {flag.revision} has come since you opened revision {from.revision}. Your draft is not lost: what it changes is told before it is published.
				</p>
			)}
			{raced && (
				<p className={classes.warned} role="alert">
					{flag.draft?.author_name ?? "Somebody"} has saved a draft since you opened this page. Saving puts yours in its place.
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
			<Population flag={flag} document={made.faults.length > 0 ? null : made.document} />
			<TextInput label="Why" description="Stands with the revision" autoComplete="off" maxLength={2000} value={comment} onChange={(e) => setComment(e.currentTarget.value)} />
			<div className={classes.buttons}>
				<Button variant="default" onClick={() => void router.navigate({ to: "/flags/$key", params: { key: flag.key }, search: {} })}>
					Cancel
				</Button>
				<Button type="submit" disabled={changed?.length === 0 && began === null} loading={save.isPending}>
					{others === null ? "Save the draft and review it" : `Save in place of ${others}’s draft`}
				</Button>
			</div>
		</form>
	);
}

function Begun({ flag }: { flag: Flag }) {
	/* Only what there was at first is loaded into the form. */
	const [at] = useState(flag.draft?.at);
	const draft = useQuery({ ...draftQuery(flag.key, at ?? ""), enabled: at !== undefined });
	if (at === undefined)
		return <Form flag={flag} draft={null} />;
	if (draft.isPending)
		return <PendingView />;
	if (draft.isError)
		return <Trouble problem={draft.error} again={() => void draft.refetch()} />;
	return (
		<>
			{flag.draft !== null && <Drafted flag={flag} draft={flag.draft} here="revise" />}
			<Form flag={flag} draft={draft.data} />
		</>
	);
}

export function Revise() {
	const { key } = route.useParams();
	const may = useMay();
	const mayWrite = may("flag.write");
	const flag = useQuery({ ...flagQuery(key), enabled: mayWrite });
	if (!mayWrite)
		return <NotYours title="Edit a flag" what="change flags" />;
	if (flag.isPending)
		return <PendingView />;
	if (flag.isError)
		return (
			<Page title="Edit a flag">
				<Trouble problem={flag.error} again={() => void flag.refetch()} />
			</Page>
		);
	return (
		<Page
			title={`Edit ${key}`}
			about={
				<>
					<Link to="/flags/$key" params={{ key }} search={{}}>
						{key}
					</Link>{" "}
					· revision {flag.data.revision}, {flag.data.enabled ? "on" : "off"}; what you save is a draft, and acts when it is published
				</>
			}
		>
			<Begun key={key} flag={flag.data} />
		</Page>
	);
}
