/* One change: what is wanted and why, who answers for it, what its rehearsal found, its plan in SQL, and the decision. */
import { useEffect } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { titlePage } from "~/app/pages";
import { PendingView } from "~/app/views";
import { NotYours, Who } from "~/pages/people/parts";
import { Facts, Page, Panel, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Change as Row, changeQuery } from "./data";
import { Decide, Orders } from "./Decide";
import { Standing } from "./parts";
import { Rehearsal } from "./Rehearsal";
import classes from "./changes.module.css";

const route = getRouteApi("/shell/changes/$id");

function About({ change: c }: { change: Row }) {
	const moment = (at: string | null) => (at === null ? <span className="dimmed">not yet</span> : <Time at={at} />);
	return (
		<Facts
			rows={[
				["Why", c.why],
				["Benefit", c.benefit || <span className="dimmed">nothing said</span>],
				["Risk", c.risk || <span className="dimmed">nothing said</span>],
				["Business owner", c.business_owner ?? <span className="dimmed">nobody</span>],
				["Technical owner", c.technical_owner ?? <span className="dimmed">nobody</span>],
				["Author", <Who key="author" id={c.author} />],
				...(c.filed_by !== null && c.filed_by !== c.author ? [["Filed by", <Who key="filed" id={c.filed_by} />] as const] : []),
				["Filed", <Time key="at" at={c.created_at} />],
				["Applied", moment(c.applied_at)],
				["Fingerprint", <code key="sha">{c.sha256.slice(0, 16)}…</code>],
			]}
		/>
	);
}

function Approvals({ change }: { change: Row }) {
	if (change.approvals.length === 0)
		return <p className="dimmed">Nobody has approved it yet.</p>;
	return (
		<ul className={classes.plain}>
			{change.approvals.map((a) => (
				<li key={`${a.principal} ${a.at}`}>
					<State tone="good">approved</State> by <Who id={a.principal} /> <Time at={a.at} />
					{a.note !== "" && `: ${a.note}`} {a.sha256 !== change.sha256 && <State tone="warn">of other bytes</State>}
				</li>
			))}
		</ul>
	);
}

function Plan({ change }: { change: Row }) {
	const parts = ([["Up", change.up], ["Down", change.down], ["Verify", change.verify]] as const).filter(([, sql]) => sql !== "");
	return (
		<Panel title={change.kind === "schema" ? "The plan in SQL" : "The plan in SQL, of the promotion"}>
			<div className={classes.form}>
				{parts.length === 0 && <p className="dimmed">It has no SQL of its own.</p>}
				{parts.map(([name, sql]) => (
					<section key={name} aria-label={name}>
						<h3>{name}</h3>
						<pre className={classes.sql} tabIndex={0}>
							{sql}
						</pre>
					</section>
				))}
			</div>
		</Panel>
	);
}

function Shown({ change }: { change: Row }) {
	useEffect(() => titlePage(change.title), [change.title]);
	const { intent } = change;
	return (
		<Page
			title={change.title}
			about={
				<>
					<Link to="/changes" search={{}}>
						Changes
					</Link>{" "}
					· {change.number} · {change.kind} <Standing state={change.state} />
				</>
			}
		>
			{change.error !== null && (
				<p className={classes.warned} role="alert">
					{change.error}
				</p>
			)}
			{intent !== null && (intent.state === "waiting" || intent.state === "running") && (
				<p className={classes.warned} role="status">
					Ordered by <Who id={intent.actor} /> <Time at={intent.at} />: {intent.kind}, {intent.state} ({intent.phase}).
				</p>
			)}
			<div className={classes.columns}>
				<Panel title="What is wanted">
					<About change={change} />
				</Panel>
				<div className={classes.stack}>
					<Panel title="Approvals">
						<Approvals change={change} />
					</Panel>
					<Decide change={change} />
					<Orders change={change} />
				</div>
			</div>
			<Plan change={change} />
			<Rehearsal change={change} />
		</Page>
	);
}

export function Change() {
	const { id } = route.useParams();
	const mayRead = useMay()("change.read");
	const change = useQuery({ ...changeQuery(id), enabled: mayRead });
	if (!mayRead)
		return <NotYours title="Change" what="see the changes" />;
	if (change.isPending)
		return <PendingView />;
	if (change.isError)
		return (
			<Page title="Change">
				<Trouble problem={change.error} again={() => void change.refetch()} />
			</Page>
		);
	return <Shown key={id} change={change.data} />;
}
