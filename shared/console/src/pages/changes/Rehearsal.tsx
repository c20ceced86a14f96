/* What the rehearsal of a change found: what it changes in the schema, and each statement with its locks, scans and rewrites. */
import { Rows } from "~/pages/people/parts";
import { Empty, Facts, Panel, State, type Tone } from "~/ui/parts";
import type { Change, Report } from "./data";
import classes from "./changes.module.css";

type Statement = NonNullable<Report["statements"]>[number];

/* Locks that let nobody read meanwhile, and those that let nobody write. */
const heavy: Readonly<Record<string, Tone>> = { AccessExclusiveLock: "bad", ExclusiveLock: "warn", ShareRowExclusiveLock: "warn", ShareLock: "warn" };

function Locks({ locks }: { locks: Statement["locks"] }) {
	if (locks.length === 0)
		return <span className="dimmed">none</span>;
	return (
		<ul className={classes.plain}>
			{locks.map((l, i) => (
				<li key={i}>
					<State tone={heavy[l.mode] ?? "plain"}>{l.mode.replace(/Lock$/, "")}</State> {l.relation}
				</li>
			))}
		</ul>
	);
}

function Statements({ all }: { all: readonly Statement[] }) {
	return (
		<Rows label="The statements" columns={["Statement", "Took", "Locks", "Reads whole tables", "Rewrites"]}>
			{all.map((s) => (
				<tr key={`${s.part} ${s.n}`}>
					<th scope="row">
						{s.part} {s.n}
					</th>
					<td>{s.ms < 10 ? s.ms.toFixed(1) : Math.round(s.ms)} ms</td>
					<td>
						<Locks locks={s.locks} />
					</td>
					<td>{s.scans.length === 0 ? <span className="dimmed">none</span> : s.scans.map((x) => `${x.relation} (${x.rows} rows)`).join(", ")}</td>
					<td>{s.rewrites.length === 0 ? <span className="dimmed">none</span> : s.rewrites.join(", ")}</td>
				</tr>
			))}
		</Rows>
	);
}

const risks: Readonly<Record<string, Tone>> = { safe: "good", breaking: "bad", destructive: "bad" };

function Lines({ lines }: { lines: NonNullable<Report["lines"]> }) {
	return (
		<Rows label="What it changes in the schema" columns={["What", "Class", "Before", "After"]}>
			{lines.map((l) => (
				<tr key={l.id}>
					<th scope="row" className={classes.what}>
						{l.what} <code>{l.id}</code>
					</th>
					<td>
						<State tone={risks[l.class] ?? "warn"}>{l.class}</State>
					</td>
					<td className={classes.value}>{l.before === null ? <span className="dimmed">nothing</span> : <code>{l.before}</code>}</td>
					<td className={classes.value}>{l.after === null ? <span className="dimmed">nothing</span> : <code>{l.after}</code>}</td>
				</tr>
			))}
		</Rows>
	);
}

export function Rehearsal({ change }: { change: Change }) {
	const { report } = change;
	if (report === null)
		return (
			<Panel title="Rehearsal">
				<Empty title="It was not rehearsed yet">A rehearsal runs up and down on a copy of the schema, and tells what the change does.</Empty>
			</Panel>
		);
	const { lines, statements } = report;
	return (
		<>
			<Panel title="Rehearsal">
				<Facts
					rows={[
						["Result", <State key="passed" tone={report.passed === true ? "good" : "bad"}>{report.passed === true ? "passed" : "failed"}</State>],
						["Took", report.ms === undefined ? "" : `${report.ms} ms`],
						["The way back", report.reversible === true ? "leads to the schema there was" : report.reversible === false ? "does not lead to the schema there was" : "was not tried"],
						["Risk", Object.entries(report.risk ?? {}).map(([name, n]) => `${n} ${name}`).join(", ") || "none found"],
					]}
				/>
			</Panel>
			{lines !== null && lines !== undefined && lines.length > 0 && (
				<Panel title="What it changes in the schema" flush>
					<Lines lines={lines} />
				</Panel>
			)}
			{statements !== null && statements !== undefined && statements.length > 0 && (
				<Panel title="Statements and their locks" flush>
					<Statements all={statements} />
				</Panel>
			)}
		</>
	);
}
