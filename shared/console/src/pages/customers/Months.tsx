/* The interactions of the last twelve months as bars; the same as a table, each month with the way to its interactions. */
import { useMemo, useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { LazyBars } from "~/ui/LazyBars";
import { Panel } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Month, monthsQuery } from "./months";
import classes from "./customers.module.css";

const short = new Intl.DateTimeFormat("en", { month: "short" });
const long = new Intl.DateTimeFormat("en", { month: "long", year: "numeric" });

function label({ from }: Month, i: number): string {
	return i === 0 || from.getMonth() === 0 ? `${short.format(from)}\n${from.getFullYear()}` : short.format(from);
}

function said({ count, more }: Month): string {
	return `${more ? "at least " : ""}${count.toLocaleString("en")} ${count === 1 ? "interaction" : "interactions"}`;
}

function total(months: readonly Month[]): Month {
	return { from: new Date(), to: new Date(), count: months.reduce((sum, m) => sum + m.count, 0), more: months.some((m) => m.more) };
}

function summary(months: readonly Month[]): string {
	const most = months.reduce((a, b) => (b.count > a.count ? b : a));
	return `Interactions by month: ${said(total(months))} in ${months.length} months, most of them in ${long.format(most.from)}, ${said(most)}. The figures are in the table below.`;
}

function Table({ months, reference, id }: { months: readonly Month[]; reference: string; id: string }) {
	return (
		<details className={classes.figures}>
			<summary>As a table</summary>
			<table className={classes.table}>
				<thead>
					<tr>
						<th scope="col">Month</th>
						<th scope="col" className={classes.number}>
							Interactions
						</th>
					</tr>
				</thead>
				<tbody>
					{months.toReversed().map((m) => (
						<tr key={m.from.getTime()}>
							<th scope="row">
								{m.count === 0 ? (
									long.format(m.from)
								) : (
									<Link
										to="/customers/$resource"
										params={{ resource: "interactions" }}
										search={{ [reference]: `eq.${id}`, at: [`gte.${m.from.toISOString()}`, `lt.${m.to.toISOString()}`], sort: "-at" }}
									>
										{long.format(m.from)}
									</Link>
								)}
							</th>
							<td className={classes.number}>
								{m.more && "at least "}
								{m.count.toLocaleString("en")}
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</details>
	);
}

export function Months({ reference, id }: { reference: string; id: string }) {
	const [now] = useState(() => new Date());
	const months = useQuery(monthsQuery(reference, id, now));
	const shown = months.data;
	const bars = useMemo(() => shown?.map((m, i) => ({ label: label(m, i), value: m.count, said: `${long.format(m.from)}: ${said(m)}` })), [shown]);
	if (months.isError)
		return <Trouble problem={months.error} again={() => void months.refetch()} />;
	/* What there is not is said by the timeline below. */
	if (shown === undefined || bars === undefined || total(shown).count === 0)
		return null;
	return (
		<Panel title="Interactions by month" aside={<span className="dimmed small">{said(total(shown))}</span>}>
			<LazyBars bars={bars} summary={summary(shown)} />
			<Table months={shown} reference={reference} id={id} />
		</Panel>
	);
}
