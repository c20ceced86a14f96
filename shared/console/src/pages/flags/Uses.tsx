/* Who asks for a flag and with which program, in the last days, and what else uses it. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Empty, Panel, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Flag, type Usage, usageQuery } from "./data";
import { Rows } from "./parts";
import classes from "./flags.module.css";

const count = new Intl.NumberFormat("en");

function AskedBy({ all }: { all: Usage["asked_by"] }) {
	if (all.length === 0)
		return <Empty title="Nobody has asked for it lately">An application that asks for it is named here, with its program.</Empty>;
	return (
		<Rows label="Asked by" columns={["Who", "Program", "Asks", "Times", "Last", "Told of changes"]}>
			{all.map((a) => (
				<tr key={`${a.principal} ${a.client} ${a.how} ${a.daemon}`}>
					<th scope="row">{a.name ?? <code>…{a.principal.slice(-8)}</code>}</th>
					<td>{a.client}</td>
					<td>
						{a.how === "one" ? "for this flag" : "for all at once"}, in {a.daemon}
					</td>
					<td>{count.format(a.count)}</td>
					<td>
						<Time at={a.last_at} />
					</td>
					<td>{a.streams > 0 ? <State tone="good">{a.streams === 1 ? "by a stream" : `by ${a.streams} streams`}</State> : <span className="dimmed">no stream</span>}</td>
				</tr>
			))}
		</Rows>
	);
}

export function Uses({ flag }: { flag: Flag }) {
	const usage = useQuery(usageQuery(flag.key));
	return (
		<Panel title="Asked by, used by" flush>
			{usage.isError ? (
				<Trouble problem={usage.error} again={() => void usage.refetch()} />
			) : usage.data === undefined ? null : (
				<>
					<AskedBy all={usage.data.asked_by} />
					{(usage.data.used_by.length > 0 || usage.data.needs.length > 0) && (
						<ul className={classes.uses} aria-label="Used by">
							{usage.data.used_by.map((u) => (
								<li key={`${u.kind} ${u.name} ${u.how}`}>
									Used by the {u.kind}{" "}
									{u.kind === "flag" && u.name !== null ? (
										<Link to="/flags/$key" params={{ key: u.name }} search={{}}>
											{u.name}
										</Link>
									) : (
										<strong>{u.name}</strong>
									)}
									<span className="dimmed">: {u.how}</span>
								</li>
							))}
							{usage.data.needs.map((n) => (
								<li key={`needs ${n}`}>
									Waits for the flag{" "}
									<Link to="/flags/$key" params={{ key: n }} search={{}}>
										{n}
									</Link>
								</li>
							))}
						</ul>
					)}
				</>
			)}
		</Panel>
	);
}
