/* A record that is not there: it never was, or it was deleted; then its history stays, and it can come back. */
import type { ReactNode } from "react";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { core } from "~/api/core";
import { newKey } from "~/api/daemon";
import { type Resource, labelOf } from "~/api/description";
import { asProblem } from "~/api/problem";
import { type Restored, historyQuery, recordUrl, refresh } from "~/api/records";
import { Empty, Page, Panel } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Changes, opWords } from "./Changes";
import { plural, singular } from "./names";
import { Past } from "./Past";
import { Trouble } from "~/ui/Trouble";
import classes from "./customers.module.css";

const whys: Readonly<Record<string, string>> = { taken: "another record has this value now", gone: "what it refers to is gone", "withdrawn since": "it was withdrawn since" };

function Refused({ problem: thrown }: { problem: unknown }) {
	const problem = asProblem(thrown);
	const conflicts = Array.isArray(problem.members.conflicts) ? (problem.members.conflicts as readonly { resource?: string; field: string; why: string }[]) : [];
	return (
		<div>
			<Trouble problem={problem} />
			{conflicts.length > 0 && (
				<ul className="small">
					{conflicts.map((c) => (
						<li key={`${c.resource} ${c.field}`}>
							{c.resource !== undefined && `${plural(c.resource)}: `}
							{labelOf(c.field)}: {whys[c.why] ?? c.why}
						</li>
					))}
				</ul>
			)}
		</div>
	);
}

export function Gone({ resource, id, asOf, moment }: { resource: Resource; id: string; asOf: string | undefined; moment: ReactNode }) {
	const queries = useQueryClient();
	const may = useMay();
	const history = useInfiniteQuery(historyQuery(resource.name, id));
	const restore = useMutation({
		mutationFn: () => core.call<Restored>("POST", `${recordUrl(resource.name, id)}/restore`, { idempotencyKey: newKey() }),
		onSuccess: () => refresh(queries),
	});
	const what = singular(resource.name);
	const title = what.charAt(0).toUpperCase() + what.slice(1);
	if (history.isPending)
		return <PendingView />;
	if (history.isError)
		return (
			<Page title={title}>
				{asProblem(history.error).status === 404 ? (
					<Empty title={`There is no such ${what}`} action={<Link to="/customers/$resource" params={{ resource: resource.name }} search={{}}>{`All ${plural(resource.name).toLowerCase()}`}</Link>}>
						It never was, or it is not among the records that you may see.
					</Empty>
				) : (
					<Trouble problem={history.error} again={() => void history.refetch()} />
				)}
			</Page>
		);
	const entries = history.data.pages.flatMap((p) => p.data);
	const erased = entries.some((e) => e.op === "erase" || e.erased);
	const last = entries.find((e) => e.op === "delete");
	return (
		<Page title={`This ${what} is deleted`} about={<Link to="/customers/$resource" params={{ resource: resource.name }} search={{}}>{plural(resource.name)}</Link>} actions={erased ? undefined : moment}>
			{asOf !== undefined && <Past resource={resource} row={null} id={id} asOf={asOf} />}
			<Panel>
				<div className={classes.gone}>
					<p>
						{last !== undefined && (
							<>
								<strong>{last.actor.name ?? last.actor.id}</strong> deleted it <Time at={last.at} />.{" "}
							</>
						)}
						{erased ? "What it held was erased and cannot come back." : "Its history stays, and it can come back with what went along."}
					</p>
					{restore.error !== null && <Refused problem={restore.error} />}
					{!erased && may(`${resource.name}.write`) && (
						<div>
							<Button loading={restore.isPending} onClick={() => restore.mutate()}>
								Restore it
							</Button>
						</div>
					)}
				</div>
			</Panel>
			<Panel title="History" flush>
				<ol className={classes.entries}>
					{entries.map((e) => (
						<li key={`${e.version} ${e.op} ${e.at}`}>
							<div className={classes.entryHead}>
								<span>
									<strong>{e.actor.name ?? e.actor.id}</strong> {opWords(e.op)} <Time at={e.at} />
								</span>
							</div>
							<Changes resource={resource} entry={e} />
						</li>
					))}
				</ol>
			</Panel>
		</Page>
	);
}
