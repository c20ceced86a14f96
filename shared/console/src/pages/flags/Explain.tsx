/*
 * What somebody gets now, or got at a moment, and what decided it: the revision, the rule, its condition, the bucket. Who and when stand
 * in the address; asking is no exposure, and what an application would tell of him is kept nowhere.
 */
import { useState } from "react";
import { ActionIcon, Button, TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import type { Json } from "~/api/records";
import { fromLocal, toLocal } from "~/pages/customers/moment";
import { Picker } from "~/pages/customers/Picker";
import { Icon } from "~/ui/Icon";
import { Facts, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Asked, type Explanation, type Flag, explainQuery } from "./data";
import { readDoc } from "./document";
import { Tree } from "./parts";
import { sayValue, tellCondition } from "./words";
import { readValue } from "./values";
import classes from "./flags.module.css";

const route = getRouteApi("/shell/flags/$key");

const decisions: Readonly<Record<string, string>> = {
	switch: "The flag is off: the application’s own default holds.",
	default: "No rule takes him in: he gets what everybody else gets.",
	force: "This rule gives one variation.",
	experiment: "This rule divides, and he falls into this part.",
	prerequisite: "Another flag that this one waits for holds it back.",
	nothing: "Nothing decided.",
};

const passedBy: Readonly<Record<string, string>> = {
	inactive: "passed over",
	condition: "its condition does not hold",
	division: "he is not in its share",
	"gate open": "it lets on",
	"prerequisite or division": "another flag holds it back, or he is not in its share",
};

type Rule = NonNullable<Explanation["rule"]>;

function nameRule({ index, id }: { index: number; id: string | null }): string {
	return `Rule ${index + 1}${id === null ? "" : ` (${id})`}`;
}

function Decided({ rule }: { rule: Rule }) {
	const told = tellCondition(rule.condition as Json | undefined);
	return (
		<>
			{nameRule(rule)}
			{told !== null && <Tree all={[told]} />}
		</>
	);
}

/** What decided, in rows; also for the page of a customer. */
export function Given({ answer }: { answer: Explanation }) {
	const { rule } = answer;
	const bucket = rule?.bucket ?? null;
	const rows: (readonly [string, React.ReactNode])[] = [
		["Gets", answer.variation === null ? <span className="dimmed">no value</span> : <strong>{answer.variation}</strong>],
		["Value", answer.value === null || answer.value === undefined ? <span className="dimmed">none</span> : <code>{sayValue(answer.value as Json)}</code>],
		[
			"Because",
			<span key="because">
				{answer.outcome === "evaluated" ? (decisions[answer.decided_by] ?? answer.decided_by) : `It cannot be said: ${answer.outcome}.`} {answer.reason !== null && <State>{answer.reason}</State>}
			</span>,
		],
	];
	if (rule !== null)
		rows.push(["Rule", <Decided key="rule" rule={rule} />]);
	if (bucket !== null)
		rows.push(["Bucket", `${bucket.toFixed(4)} of 1, from ${rule?.attribute ?? "the key"}${rule?.kept === true ? "; an assignment that was kept decided" : ""}`]);
	if (rule?.experiment !== null && rule?.experiment !== undefined)
		rows.push(["Experiment", rule.experiment]);
	if (answer.passed.length > 0)
		rows.push([
			"Passed before",
			<ul key="passed" className={classes.plain}>
				{answer.passed.map((p) => (
					<li key={p.index}>
						{nameRule(p)}: {passedBy[p.because ?? ""] ?? p.because}
					</li>
				))}
			</ul>,
		]);
	const known = Object.entries(answer.record?.attributes ?? {});
	if (known.length > 0)
		rows.push(["From the record", known.map(([name, value]) => `${name} ${sayValue(value as Json)}`).join(", ")]);
	rows.push([
		"Revision",
		<span key="revision">
			{answer.revision}, since <Time at={answer.since} />
			{answer.archived && ", archived"}
		</span>,
	]);
	return <Facts rows={rows} />;
}

const resources: Readonly<Record<string, string>> = { person: "people", organization: "organizations" };

export function Explain({ flag }: { flag: Flag }) {
	const search = route.useSearch();
	const navigate = route.useNavigate();
	const may = useMay();
	const { unit } = readDoc(flag.document);
	const resource = resources[unit];
	const [who, setWho] = useState(search.who ?? "");
	const [at, setAt] = useState(search.at === undefined ? "" : toLocal(search.at));
	const [rows, setRows] = useState<readonly { readonly name: string; readonly value: string }[]>([]);
	const [asked, setAsked] = useState<Asked | null>(search.who === undefined ? null : { who: search.who, at: search.at, attributes: {} });
	const answer = useQuery({ ...explainQuery(flag.key, asked ?? { who: "", at: undefined, attributes: {} }), enabled: asked !== null, placeholderData: keepPreviousData });
	const change = (i: number, part: { name?: string; value?: string }) => setRows(rows.map((r, j) => (j === i ? { ...r, ...part } : r)));
	const ask = () => {
		const when = at === "" ? undefined : fromLocal(at);
		const key = who.trim();
		setAsked({ who: key, at: when, attributes: Object.fromEntries(rows.filter((r) => r.name !== "").map((r) => [r.name, readValue(r.value)])) });
		const { who: _, at: __, ...rest } = search;
		void navigate({ search: { ...rest, ...(key === "" ? {} : { who: key }), ...(when === undefined ? {} : { at: when }) }, replace: true, resetScroll: false });
	};
	return (
		<div className={classes.form}>
			<form
				className={classes.form}
				onSubmit={(e) => {
					e.preventDefault();
					ask();
				}}
			>
				{resource !== undefined && may(`${resource}.read`) && may("search.read") && <Picker label={unit === "person" ? "Find a person" : "Find an organization"} resource={resource} value="" onChange={setWho} />}
				<TextInput label="Targeting key" description={unit === "visitor" ? "What the application calls the visitor" : "An id, or a pseudonym"} autoComplete="off" maxLength={200} value={who} onChange={(e) => setWho(e.currentTarget.value)} />
				<TextInput label="As of" description="Empty: now. Your own time zone" type="datetime-local" step={1} value={at} onChange={(e) => setAt(e.currentTarget.value)} />
				{rows.map((r, i) => (
					<div key={i} className={classes.pair}>
						<TextInput label="Attribute" aria-label={`Attribute ${i + 1}`} placeholder="country" autoComplete="off" value={r.name} onChange={(e) => change(i, { name: e.currentTarget.value })} />
						<TextInput label="Value" aria-label={`Value ${i + 1}`} placeholder="AT" autoComplete="off" value={r.value} onChange={(e) => change(i, { value: e.currentTarget.value })} />
						<ActionIcon variant="default" size="lg" aria-label={`Take out attribute ${i + 1}`} onClick={() => setRows(rows.filter((_, j) => j !== i))}>
							<Icon name="close" size={14} />
						</ActionIcon>
					</div>
				))}
				<div className={classes.buttons}>
					<Button variant="subtle" color="gray" leftSection={<Icon name="plus" size={14} />} onClick={() => setRows([...rows, { name: "", value: "" }])}>
						What the application tells
					</Button>
					<Button type="submit" variant="default" loading={answer.isFetching}>
						Ask
					</Button>
				</div>
			</form>
			{answer.isError && <Trouble problem={answer.error} />}
			<div role="status">{!answer.isError && answer.data !== undefined && <Given answer={answer.data} />}</div>
		</div>
	);
}
