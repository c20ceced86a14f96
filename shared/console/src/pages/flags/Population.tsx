/*
 * How many people or organizations of the real record an edit would move from one variation to another, before it is published. What was
 * not counted in the time is estimated, and how far off that may be is said.
 */
import { useState } from "react";
import { Button, Checkbox } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Panel, State } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Document, type Flag, type Preview, api } from "./data";
import type { Members } from "./document";
import { Rows } from "./parts";
import classes from "./flags.module.css";

const SECONDS = 10;

const count = new Intl.NumberFormat("en");
const one: Readonly<Record<Preview["unit"], readonly [singular: string, plural: string]>> = { person: ["person", "people"], organization: ["organization", "organizations"] };

function sayUnits(n: number, unit: Preview["unit"]): string {
	return `${count.format(n)} ${one[unit][n === 1 ? 0 : 1]}`;
}

function sayVariation(key: string | null): string {
	return key ?? "no value";
}

function sayMoved(p: Preview): string {
	if (p.complete)
		return p.moved === 0 ? `Nobody would move: ${sayUnits(p.of, p.unit)} counted.` : `${sayUnits(p.moved, p.unit)} of ${count.format(p.of)} would move.`;
	const { moved, within } = p.estimate;
	const bound = within === null ? "; how far off that is, is not known" : ` ± ${count.format(within)}, 19 times of 20`;
	return `About ${sayUnits(moved, p.unit)} of ${count.format(p.of)} would move${bound}: ${count.format(p.counted)} were counted in ${(p.ms / 1000).toFixed(1)} s.`;
}

interface Share {
	readonly variation: string | null;
	readonly now: number;
	readonly would: number;
}

function shares(p: Preview): readonly Share[] {
	const keys = [...new Set([...p.now, ...p.would].map((u) => u.variation))];
	const of = (all: Preview["now"], key: string | null) => all.find((u) => u.variation === key)?.units ?? 0;
	return keys.map((variation) => ({ variation, now: of(p.now, variation), would: of(p.would, variation) }));
}

function sayPart(n: number, of: number): string {
	return of === 0 ? "0 %" : `${((n / of) * 100).toFixed(1)} %`;
}

/* The figures stand beside it: who does not see it misses nothing. */
function Bar({ share, of }: { share: Share; of: number }) {
	const width = (n: number) => ({ width: `${of === 0 ? 0 : (n / of) * 100}%` });
	return (
		<span className={classes.bars} aria-hidden="true">
			<span className={classes.barNow} style={width(share.now)} />
			<span className={classes.barWould} style={width(share.would)} />
		</span>
	);
}

function Counted({ preview: p }: { preview: Preview }) {
	return (
		<div className={classes.form}>
			<p>
				<strong>{sayMoved(p)}</strong> {!p.complete && <State tone="warn">estimate</State>}
			</p>
			<Rows label="Variations now and then" columns={["Variation", "Now", "Would be", "Difference", "(Bar)"]}>
				{shares(p).map((s) => (
					<tr key={s.variation ?? ""}>
						<th scope="row">{sayVariation(s.variation)}</th>
						<td>
							{count.format(s.now)} <span className="dimmed small">{sayPart(s.now, p.counted)}</span>
						</td>
						<td>
							{count.format(s.would)} <span className="dimmed small">{sayPart(s.would, p.counted)}</span>
						</td>
						<td>{s.would === s.now ? <span className="dimmed">none</span> : `${s.would > s.now ? "+" : "−"}${count.format(Math.abs(s.would - s.now))}`}</td>
						<td className={classes.barCell}>
							<Bar share={s} of={p.counted} />
						</td>
					</tr>
				))}
			</Rows>
			{p.moves.length > 0 && (
				<ul className={classes.moves} aria-label="Who would move">
					{p.moves.map((m) => (
						<li key={`${m.from} ${m.to}`}>
							This edit moves <strong>{sayUnits(m.units, p.unit)}</strong> from {sayVariation(m.from)} to <strong>{sayVariation(m.to)}</strong>
							{p.complete ? "." : " of those counted."}
						</li>
					))}
				</ul>
			)}
			{p.not_in_record.length > 0 && (
				<p className="dimmed small">Only applications tell {p.not_in_record.map((n) => `“${n}”`).join(", ")}: in this count it is missing for everybody.</p>
			)}
		</div>
	);
}

/** `document` null: it is not right yet. */
export function Population({ flag, document }: { flag: Flag; document: Members | null }) {
	const [asOn, setAsOn] = useState(!flag.enabled);
	const ask = useMutation({
		mutationFn: async (asked: { readonly document: Members; readonly on: boolean }) =>
			(
				await api.post("/v1/flags/{key}/preview", {
					path: { key: flag.key },
					body: { document: asked.document as unknown as Document, seconds: SECONDS, ...(asked.on ? { enabled: true } : {}) },
				})
			).data,
	});
	const text = JSON.stringify(document);
	const old = ask.data !== undefined && (JSON.stringify(ask.variables.document) !== text || ask.variables.on !== asOn);
	if (document?.unit === "visitor")
		return null;
	return (
		<Panel
			title="Whom it would move"
			aside={
				<Button size="compact-sm" variant="default" disabled={document === null} loading={ask.isPending} onClick={() => document !== null && ask.mutate({ document, on: asOn })}>
					{ask.data === undefined ? "Count" : "Count again"}
				</Button>
			}
		>
			<div className={classes.form}>
				{!flag.enabled && <Checkbox label="As if it were on: it is off now, and gives nobody a value" checked={asOn} onChange={(e) => setAsOn(e.currentTarget.checked)} />}
				{ask.error !== null && <Trouble problem={ask.error} />}
				<div role="status">
					{ask.isPending ? (
						<p className="dimmed">Counting the record, for {SECONDS} seconds at most…</p>
					) : old ? (
						<p className="dimmed">You have changed it since it was counted.</p>
					) : ask.data === undefined ? (
						<p className="dimmed">Count on the real record who would get something else than now. Nothing is changed by it.</p>
					) : (
						<Counted preview={ask.data} />
					)}
				</div>
			</div>
		</Panel>
	);
}
