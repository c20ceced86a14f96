/*
 * The draft of a flag beside what is served now, in words and as JSON; and its publication. What is published is held to the revision
 * that was looked at: what others do meanwhile is told, and core refuses what would pass over it.
 */
import { useState } from "react";
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import type { Json } from "~/api/records";
import { Empty, Page, Panel } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Diff, type DraftSeen, type Flag, type FlagDraft, api, diffQuery, draftQuery, flagQuery, isRequest, refresh } from "./data";
import { differences } from "./differ";
import type { Members } from "./document";
import { Drafted } from "./Drafted";
import { Changed, NotYours, Rows } from "./parts";
import { Population } from "./Population";
import { sayShare } from "./words";
import classes from "./flags.module.css";

const route = getRouteApi("/shell/flags/$key/review");

function Value({ value }: { value: Json | undefined }) {
	return value === undefined ? <span className="dimmed">nothing</span> : <code>{JSON.stringify(value)}</code>;
}

const ops: Readonly<Record<Diff["changes"][number]["op"], string>> = { add: "added", remove: "taken out", change: "changed" };

function AsJson({ diff }: { diff: Diff }) {
	if (diff.changes.length === 0)
		return <Empty title="The document is the same" />;
	return (
		<Rows label="The changes as JSON" columns={["Where", "What", "Before", "After"]}>
			{diff.changes.map((c) => (
				<tr key={c.pointer}>
					<th scope="row">
						<code>{c.pointer}</code>
					</th>
					<td>{ops[c.op]}</td>
					<td className={classes.value}>
						<Value value={c.before as Json | undefined} />
					</td>
					<td className={classes.value}>
						<Value value={c.after as Json | undefined} />
					</td>
				</tr>
			))}
		</Rows>
	);
}

/** Who has met a variation and would be given another one: it is said so before, or core refuses. */
function Rebuckets({ causes, agreed, agree }: { causes: Diff["rebuckets"]; agreed: boolean; agree: (yes: boolean) => void }) {
	if (causes.length === 0)
		return null;
	return (
		<div className={classes.warned} role="note">
			<p>
				<strong>This divides anew people who have been divided already:</strong>
			</p>
			<ul className={classes.plain}>
				{causes.map((c) => (
					<li key={`${c.pointer} ${c.change}`}>
						<code>{c.pointer}</code> {c.why} ({sayShare(c.share)} of all)
					</li>
				))}
			</ul>
			<Checkbox mt={8} label="They may be given another variation, or none" checked={agreed} onChange={(e) => agree(e.currentTarget.checked)} />
		</div>
	);
}

function Publish({ flag, revision, none, rebuckets, again }: { flag: Flag; revision: number; none: boolean; rebuckets: Diff["rebuckets"]; again: () => void }) {
	const [agreed, setAgreed] = useState(false);
	const router = useRouter();
	const queries = useQueryClient();
	const [comment, setComment] = useState("");
	const publish = useMutation({
		mutationFn: async () =>
			(await api.post("/v1/flags/{key}/publish", { path: { key: flag.key }, header: { "If-Match": `"v${revision}"` }, body: { ...(comment === "" ? {} : { comment }), ...(agreed ? { rebucket: true } : {}) } })).data,
		onSuccess: async (turned) => {
			/* First away from here: the draft that this page shows is gone. */
			await router.navigate({ to: "/flags/$key", params: { key: flag.key }, search: isRequest(turned) ? {} : { published: turned.revision } });
			await refresh(queries);
		},
		onError: () => refresh(queries),
	});
	const look = () => {
		publish.reset();
		again();
	};
	return (
		<form
			className={classes.form}
			onSubmit={(e) => {
				e.preventDefault();
				publish.mutate();
			}}
		>
			{publish.error !== null && <Trouble problem={publish.error} />}
			{flag.revision !== revision && (
				<div className={classes.warned} role="alert">
					<p>
						You look at what differs from revision {revision}; revision {flag.revision} has come since.
					</p>
					<Button size="compact-sm" variant="default" mt={6} onClick={look}>
						Look again
					</Button>
				</div>
			)}
			<Rebuckets causes={rebuckets} agreed={agreed} agree={setAgreed} />
			<TextInput label="Why" description="Stands with the revision; empty: what was said with the draft" autoComplete="off" maxLength={2000} value={comment} onChange={(e) => setComment(e.currentTarget.value)} />
			<div className={classes.buttons}>
				<Button variant="default" onClick={() => void router.navigate({ to: "/flags/$key/revise", params: { key: flag.key } })}>
					Go on editing
				</Button>
				<Button type="submit" disabled={none} loading={publish.isPending}>
					Publish
				</Button>
			</div>
		</form>
	);
}

function Differs({ flag, draft, seen, again }: { flag: Flag; draft: FlagDraft; seen: DraftSeen; again: () => void }) {
	const may = useMay();
	/* Looked at once; it stays what it is until somebody looks again. */
	const [now] = useState(flag);
	const diff = useQuery(diffQuery(flag.key, now.revision, seen.at));
	if (diff.isPending)
		return <PendingView />;
	if (diff.isError)
		return <Trouble problem={diff.error} again={() => void diff.refetch()} />;
	return (
		<>
			<Panel title="In words">
				<div className={classes.form}>
					<Changed all={differences(now, { enabled: now.enabled, document: draft.document })} />
					{draft.comment !== "" && (
						<p>
							<span className="dimmed">Said with it:</span> {draft.comment}
						</p>
					)}
				</div>
			</Panel>
			<Panel title="As JSON" flush>
				<AsJson diff={diff.data} />
			</Panel>
			<Population flag={flag} document={draft.document as unknown as Members} />
			{may("flag.write") && (
				<Panel title={flag.enabled ? "Publish: it acts at once" : "Publish: it acts when the flag is turned on"}>
					<Publish flag={flag} revision={diff.data.current} none={diff.data.changes.length === 0} rebuckets={diff.data.rebuckets} again={again} />
				</Panel>
			)}
		</>
	);
}

function Shown({ flag, seen }: { flag: Flag; seen: DraftSeen }) {
	const [looked, setLooked] = useState(0);
	const draft = useQuery(draftQuery(flag.key, seen.at));
	if (draft.isPending)
		return <PendingView />;
	if (draft.isError)
		return <Trouble problem={draft.error} again={() => void draft.refetch()} />;
	return (
		<>
			<Drafted flag={flag} draft={seen} here="review" />
			<Differs key={`${looked} ${seen.at}`} flag={flag} draft={draft.data} seen={seen} again={() => setLooked(looked + 1)} />
		</>
	);
}

export function Review() {
	const { key } = route.useParams();
	const mayRead = useMay()("flag.read");
	const flag = useQuery({ ...flagQuery(key), enabled: mayRead });
	if (!mayRead)
		return <NotYours title="Review a draft" what="see the flags" />;
	if (flag.isPending)
		return <PendingView />;
	if (flag.isError)
		return (
			<Page title="Review a draft">
				<Trouble problem={flag.error} again={() => void flag.refetch()} />
			</Page>
		);
	const { draft } = flag.data;
	return (
		<Page
			title={`Review ${key}`}
			about={
				<>
					<Link to="/flags/$key" params={{ key }} search={{}}>
						{key}
					</Link>{" "}
					· the draft beside revision {flag.data.revision}, {flag.data.enabled ? "on" : "off"}
				</>
			}
		>
			{draft === null ? (
				<Empty title="There is no draft" action={<Link to="/flags/$key" params={{ key }} search={{}}>See the flag</Link>}>
					It was published or discarded.
				</Empty>
			) : (
				<Shown flag={flag.data} seen={draft} />
			)}
		</Page>
	);
}
