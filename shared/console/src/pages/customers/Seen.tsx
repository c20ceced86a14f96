/* "Why did this customer see this?": what the flags have given to a person, when first, and what decided then and decides now. */
import { useState } from "react";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PendingView } from "~/app/views";
import type { Json } from "~/api/records";
import { type Seen as Row, explainQuery, seenQuery } from "~/pages/flags/data";
import { Given } from "~/pages/flags/Explain";
import { sayValue } from "~/pages/flags/words";
import { Empty, Panel, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import classes from "./customers.module.css";

type When = "then" | "now";

function Why({ row, id, when }: { row: Row; id: string; when: When }) {
	const answer = useQuery(explainQuery(row.key, { who: id, at: when === "then" ? row.at : undefined, attributes: {} }));
	if (answer.isPending)
		return <PendingView />;
	if (answer.isError)
		return <Trouble problem={answer.error} again={() => void answer.refetch()} />;
	return (
		<div className={classes.why}>
			<h3>{when === "then" ? "What decided then" : "What decides now"}</h3>
			<Given answer={answer.data} />
		</div>
	);
}

function Line({ row, id }: { row: Row; id: string }) {
	const [open, setOpen] = useState(false);
	return (
		<li className={classes.seen}>
			<div className={classes.seenHead}>
				<span className={classes.lineText}>
					<span>
						<Link to="/flags/$key" params={{ key: row.key }} search={{ who: id }}>
							{row.key}
						</Link>{" "}
						gave <strong>{row.variation}</strong> {row.value !== null && row.value !== undefined && <code>{sayValue(row.value as Json)}</code>}
					</span>
					<span className={`${classes.aside} dimmed small`}>
						<span>
							first <Time at={row.at} />
						</span>
						<span>revision {row.revision}</span>
						<span>{row.purpose}</span>
					</span>
				</span>
				<State>{row.archived ? "archived" : row.kind}</State>
				<Button size="compact-sm" variant="default" aria-expanded={open} aria-label={`Why: ${row.key}`} onClick={() => setOpen(!open)}>
					Why?
				</Button>
			</div>
			{open && (
				<div className={classes.whys}>
					<Why row={row} id={id} when="then" />
					{!row.archived && <Why row={row} id={id} when="now" />}
				</div>
			)}
		</li>
	);
}

export function Seen({ id }: { id: string }) {
	const list = useInfiniteQuery(seenQuery(id));
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const rows = [...list.data.pages.flatMap((p) => p.data)].sort((a, b) => b.at.localeCompare(a.at));
	return (
		<Panel title="Why did this customer see this?" flush>
			{rows.length === 0 ? (
				<Empty title="No flag has divided this customer yet">What a flag gives everybody, or everybody a rule means, is not kept for each person: the flag’s own page tells who gets what.</Empty>
			) : (
				<ul className={classes.lines}>
					{rows.map((row) => (
						<Line key={row.key} row={row} id={id} />
					))}
				</ul>
			)}
			{list.hasNextPage && (
				<p className={classes.foot}>
					<Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
						Read more
					</Button>
				</p>
			)}
		</Panel>
	);
}
