/* What happened with a customer and to the record, in one order: interactions and changes, the newest first. */
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { type Resource, describeQuery } from "~/api/description";
import { type HistoryEntry, type Row, historyQuery, interactionsQuery } from "~/api/records";
import { Empty, Panel, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Entry } from "./History";
import { Months } from "./Months";
import { titleOf } from "./names";
import { Trouble } from "~/ui/Trouble";
import { Hidden, Value } from "./Value";
import classes from "./customers.module.css";

const references: Readonly<Record<string, string>> = { people: "person_id", organizations: "organization_id" };

/** The field by which interactions name a record of this resource; null: it has no timeline. */
export function timelineReference(resource: string): string | null {
	return references[resource] ?? null;
}

type Happened = { readonly at: number; readonly change: HistoryEntry } | { readonly at: number; readonly talk: Row };

/* Two lists, each with more behind its end: what is older than an end that goes on cannot be put in its place yet. */
function merge(changes: readonly HistoryEntry[], talks: readonly Row[], moreChanges: boolean, moreTalks: boolean) {
	const all: Happened[] = [
		...changes.map((change) => ({ at: Date.parse(change.at), change })),
		...talks.map((talk) => ({ at: Date.parse(String(talk.at)), talk })),
	];
	const ends = [moreChanges ? Date.parse(changes.at(-1)?.at ?? "") : -Infinity, moreTalks ? Date.parse(String(talks.at(-1)?.at)) : -Infinity];
	const horizon = Math.max(...ends);
	return { shown: all.filter((h) => h.at >= horizon).sort((a, b) => b.at - a.at), oldest: ends.indexOf(horizon) };
}

function Talk({ row, resource }: { row: Row; resource: Resource | undefined }) {
	const extra = ["direction", "channel", "amount"].flatMap((n) => (row[n] === null || row[n] === undefined ? [] : (resource?.field(n) ?? [])));
	return (
		<li>
			<div className={classes.entryHead}>
				<span>
					{resource !== undefined && (
						<Link to="/customers/$resource/$id" params={{ resource: "interactions", id: row.id }} search={{}}>
							{titleOf(resource, row).text}
						</Link>
					)}{" "}
					<Time at={String(row.at)} />
				</span>
				{typeof row.kind === "string" && <State>{row.kind}</State>}
			</div>
			<p className={`${classes.aside} dimmed small`}>
				{extra.map((f) => (
					<span key={f.name}>
						<Value field={f} value={row[f.name]} />
					</span>
				))}
			</p>
			{typeof row.body === "string" && row.body !== "" && <p className={classes.body}>{row.body}</p>}
		</li>
	);
}

export function Timeline({ resource, id }: { resource: Resource; id: string }) {
	const may = useMay();
	const all = useQuery(describeQuery);
	const history = useInfiniteQuery(historyQuery(resource.name, id));
	const reference = timelineReference(resource.name) ?? "person_id";
	const described = all.data?.get("interactions");
	/* Whose they are may be of a class that the reader does not see. */
	const mayTalk = may("interactions.read") && described?.field(reference)?.filterable === true;
	const talks = useInfiniteQuery({ ...interactionsQuery(resource.name, id, reference), enabled: mayTalk });
	if (history.isPending || all.isPending || (mayTalk && talks.isPending))
		return <PendingView />;
	const problem = history.error ?? all.error ?? talks.error;
	if (problem !== null)
		return <Trouble problem={problem} again={() => void Promise.all([history.refetch(), all.refetch(), talks.refetch()])} />;
	const { shown, oldest } = merge(
		history.data?.pages.flatMap((p) => p.data) ?? [],
		talks.data?.pages.flatMap((p) => p.data) ?? [],
		history.hasNextPage,
		mayTalk && talks.hasNextPage,
	);
	const more = history.hasNextPage || (mayTalk && talks.hasNextPage);
	return (
		<>
			{mayTalk && <Months reference={reference} id={id} />}
			<Panel title="Timeline" flush aside={!mayTalk && <Hidden what="interactions hidden" />}>
				{shown.length === 0 && <Empty title="Nothing has happened yet" />}
				<ol className={classes.entries}>
					{shown.map((h) =>
						"talk" in h ? <Talk key={h.talk.id} row={h.talk} resource={described} /> : <Entry key={`${h.change.at} ${h.change.version}`} resource={resource} id={id} entry={h.change} />,
					)}
				</ol>
				{more && (
					<p className={classes.foot}>
						<Button
							size="compact-sm"
							variant="default"
							loading={history.isFetchingNextPage || talks.isFetchingNextPage}
							onClick={() => void (oldest === 0 ? history.fetchNextPage() : talks.fetchNextPage())}
						>
							Older
						</Button>
					</p>
				)}
			</Panel>
		</>
	);
}
