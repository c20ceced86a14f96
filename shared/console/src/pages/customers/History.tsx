/* Who changed what and when, the newest first; one edit can be taken back where no later one touched the same fields. */
import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PendingView } from "~/app/views";
import { core } from "~/api/core";
import { newKey } from "~/api/daemon";
import type { Resource } from "~/api/description";
import { labelOf } from "~/api/description";
import { asProblem } from "~/api/problem";
import { type HistoryEntry, type Row, historyQuery, recordUrl, refresh } from "~/api/records";
import { Panel } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Changes, opWords } from "./Changes";
import { Trouble } from "~/ui/Trouble";
import classes from "./customers.module.css";

interface InTheWay {
	readonly field: string;
	readonly versions: readonly number[];
}

function Refused({ problem: thrown, resource }: { problem: unknown; resource: Resource }) {
	const problem = asProblem(thrown);
	const conflicts = Array.isArray(problem.members.conflicts) ? (problem.members.conflicts as readonly InTheWay[]) : [];
	return (
		<div className={classes.pad}>
			<Trouble problem={problem} />
			{conflicts.length > 0 && (
				<ul className="small">
					{conflicts.map((c) => (
						<li key={c.field}>
							{resource.field(c.field)?.label ?? labelOf(c.field)} was changed again by version {c.versions.join(" and ")}
						</li>
					))}
				</ul>
			)}
		</div>
	);
}

export function useUndo(resource: string, id: string, etag: string) {
	const queries = useQueryClient();
	return useMutation({
		mutationFn: (version: number) => core.post<Row>(`${recordUrl(resource, id)}/undo`, { version }, { ifMatch: etag, idempotencyKey: newKey() }),
		onSettled: () => refresh(queries),
	});
}

/** The entries of a history, wherever they are shown. */
export function Entry({ resource, id, entry, children }: { resource: Resource; id: string; entry: HistoryEntry; children?: React.ReactNode }) {
	return (
		<li>
			<div className={classes.entryHead}>
				<span>
					<strong>{entry.actor.name ?? entry.actor.id}</strong> {opWords(entry.op)} <Time at={entry.at} />
					{entry.version !== null && <span className="dimmed small"> · version {entry.version}</span>}
				</span>
				<span className={classes.entryActs}>
					{!entry.erased && entry.op !== "delete" && entry.op !== "erase" && (
						<Link className="small" to="/customers/$resource/$id" params={{ resource: resource.name, id }} search={{ as_of: entry.at }} aria-label={`As it was then, version ${entry.version}`}>
							As it was then
						</Link>
					)}
					{children}
				</span>
			</div>
			<Changes resource={resource} entry={entry} />
		</li>
	);
}

export function History({ resource, id, etag, mayUndo }: { resource: Resource; id: string; etag: string; mayUndo: boolean }) {
	const history = useInfiniteQuery(historyQuery(resource.name, id));
	const undo = useUndo(resource.name, id, etag);
	if (history.isPending)
		return <PendingView />;
	if (history.isError)
		return <Trouble problem={history.error} again={() => void history.refetch()} />;
	const entries = history.data.pages.flatMap((p) => p.data);
	return (
		<Panel title="History" flush>
			{undo.error !== null && <Refused problem={undo.error} resource={resource} />}
			{undo.isSuccess && (
				<p className={classes.said} role="status">
					Version {undo.variables} was taken back.
				</p>
			)}
			<ol className={classes.entries}>
				{entries.map((e) => (
					<Entry key={`${e.version} ${e.op} ${e.at}`} resource={resource} id={id} entry={e}>
						{mayUndo && e.op === "update" && e.version !== null && !e.erased && (
							<Button
								size="compact-sm"
								variant="default"
								aria-label={`Undo version ${e.version}`}
								disabled={undo.isPending}
								loading={undo.isPending && undo.variables === e.version}
								onClick={() => e.version !== null && undo.mutate(e.version)}
							>
								Undo
							</Button>
						)}
					</Entry>
				))}
			</ol>
			{history.hasNextPage && (
				<p className={classes.foot}>
					<Button size="compact-sm" variant="default" loading={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
						Older changes
					</Button>
				</p>
			)}
		</Panel>
	);
}
