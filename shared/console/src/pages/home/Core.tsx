/* Mode 1: does core stand, is the schema the approved one, which flags are on, which changes are under way. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { coreReadyQuery } from "~/app/modes";
import { core } from "~/api/core";
import type { ChangeRow, Drift, FlagRow, Page } from "~/api/types";
import { Light, Panel, ProblemNote, State, type Tone } from "~/ui/parts";
import { Time } from "~/ui/Time";
import classes from "./Home.module.css";

const SHOWN = 5;
const EVERY_MS = 15_000;
const PAGE_MAX = 200;
/* A change that is over, one way or another. */
const over: ReadonlySet<string> = new Set(["applied", "rejected", "rolled-back"]);

function changeTone(state: string): Tone {
	if (state.endsWith("failed"))
		return "bad";
	if (state === "applied")
		return "good";
	return state === "rehearsed" || state === "approved" ? "warn" : "plain";
}

function Changes({ rows }: { rows: readonly ChangeRow[] }) {
	const open = rows.filter((c) => !over.has(c.state));
	const shown = (open.length > 0 ? open : rows).slice(0, SHOWN);
	if (shown.length === 0)
		return null;
	return (
		<>
			<h3 className={classes.sub}>{open.length > 0 ? "Changes under way" : "Last changes"}</h3>
			<ul className={classes.rows}>
				{shown.map((c) => (
					<li key={c.id}>
						<span className={classes.name} title={c.title}>
							<Link to="/changes/$id" params={{ id: c.id }}>
								{c.number} · {c.title}
							</Link>
						</span>
						<State tone={changeTone(c.state)}>{c.state.replaceAll("-", " ")}</State>
						<span className={classes.aside}>
							<Time at={c.updated_at} />
						</span>
					</li>
				))}
			</ul>
		</>
	);
}

export function Core() {
	const may = useMay();
	const ready = useQuery(coreReadyQuery);
	const drift = useQuery({
		queryKey: ["drift"],
		queryFn: ({ signal }) => core.get<Drift>("/v1/drift", { signal }),
		enabled: may("drift.read"),
		refetchInterval: EVERY_MS,
	});
	const flags = useQuery({
		queryKey: ["flags", "all"],
		queryFn: ({ signal }) => core.get<Page<FlagRow>>("/v1/flags", { query: { limit: PAGE_MAX }, signal }),
		enabled: may("flag.read"),
		refetchInterval: EVERY_MS,
	});
	const changes = useQuery({
		queryKey: ["changes", "latest"],
		queryFn: ({ signal }) => core.get<Page<ChangeRow>>("/v1/changes", { query: { limit: 50 }, signal }),
		enabled: may("change.read"),
		refetchInterval: EVERY_MS,
	});
	const on = flags.data?.data.filter((f) => f.enabled && !f.expired).length;
	const problem = ready.error ?? drift.error ?? flags.error ?? changes.error;
	return (
		<div className={`${classes.mode} ${classes.one}`}>
			<Panel
				title="Mode 1 · core"
				aside={ready.data === undefined ? undefined : <Light tone={ready.data.status === "ready" ? "good" : "warn"}>{ready.data.status}</Light>}
				flush
			>
				{problem !== null && (
					<div className={classes.pad}>
						<ProblemNote problem={problem} />
					</div>
				)}
				<dl className={classes.figures}>
					<div className={classes.figure}>
						<dt>Instance</dt>
						<dd>{ready.data?.instance ?? "–"}</dd>
					</div>
					{may("drift.read") && (
						<div className={classes.figure}>
							<dt>Schema</dt>
							<dd>{drift.data === undefined ? "–" : drift.data.frozen ? "drifted" : "approved"}</dd>
						</div>
					)}
					{may("flag.read") && (
						<div className={classes.figure}>
							<dt>Flags on</dt>
							<dd>
								{on ?? "–"}
								{flags.data?.page.has_more === true && "+"}
							</dd>
						</div>
					)}
					{may("change.read") && (
						<div className={classes.figure}>
							<dt>To approve</dt>
							<dd>{changes.data?.data.filter((c) => c.state === "rehearsed").length ?? "–"}</dd>
						</div>
					)}
				</dl>
				{changes.data !== undefined && <Changes rows={changes.data.data} />}
			</Panel>
		</div>
	);
}
