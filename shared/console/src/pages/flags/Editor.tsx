/* A flag's document in fields, or as the JSON that is sent; what core refuses is told at its place in either. */
import { type ReactNode, useRef, useState } from "react";
import { ActionIcon, Button, NativeSelect, SegmentedControl, TextInput, Textarea } from "@mantine/core";
import type { Problem } from "~/api/problem";
import { Icon } from "~/ui/Icon";
import { Panel } from "~/ui/parts";
import { type Members, isMembers, readDoc } from "./document";
import { type Draft, type Fault, type Kind, documentOf, draftOf, kinds, newRule } from "./draft";
import { locate } from "./locate";
import { RuleFields } from "./RuleFields";
import { sayRule } from "./words";
import classes from "./flags.module.css";

const AT = "/document";
const units = [
	{ value: "person", label: "people" },
	{ value: "organization", label: "organizations" },
	{ value: "visitor", label: "visitors" },
];

export interface Edited {
	readonly mode: "fields" | "json";
	readonly draft: Draft;
	readonly json: string;
}

export function begin(document: unknown): Edited {
	return { mode: "fields", draft: draftOf(document), json: "" };
}

function parse(json: string): { readonly document: Members; readonly faults: readonly Fault[] } {
	try {
		const value = JSON.parse(json) as unknown;
		if (isMembers(value as never))
			return { document: value as Members, faults: [] };
		return { document: {}, faults: [{ pointer: AT, detail: "must be an object" }] };
	} catch (thrown) {
		return { document: {}, faults: [{ pointer: AT, detail: thrown instanceof Error ? thrown.message : "is not JSON" }] };
	}
}

/** What is to be sent, if there are no faults. */
export function finish(edited: Edited): { readonly document: Members; readonly faults: readonly Fault[] } {
	return edited.mode === "json" ? parse(edited.json) : documentOf(edited.draft);
}

/** Places of the document that core has refused. */
export function faultsOf(problem: Problem | null): readonly Fault[] {
	return (problem?.places ?? []).flatMap((p) => (p.pointer?.startsWith(AT) ? [{ pointer: p.pointer, detail: p.detail ?? problem?.detail ?? "" }] : []));
}

function Faults({ faults, show }: { faults: readonly Fault[]; show?: (pointer: string) => void }) {
	if (faults.length === 0)
		return null;
	return (
		<div role="alert">
			<ul className={classes.faults}>
				{faults.map((f, i) => (
					<li key={i}>
						<code>{f.pointer.slice(AT.length) || "/"}</code> {f.detail}{" "}
						{show !== undefined && (
							<Button size="compact-xs" variant="default" onClick={() => show(f.pointer.slice(AT.length))}>
								Show
							</Button>
						)}
					</li>
				))}
			</ul>
		</div>
	);
}

interface Part {
	readonly draft: Draft;
	readonly faults: readonly Fault[];
	readonly change: (part: Partial<Draft>) => void;
}

/** Those at this place or below it. */
function below(faults: readonly Fault[], pointer: string): readonly Fault[] {
	return faults.filter((f) => f.pointer === pointer || f.pointer.startsWith(`${pointer}/`));
}

function Value({ kind, label, typed, error, change }: { kind: Kind; label: string; typed: string; error: ReactNode; change: (typed: string) => void }) {
	if (kind === "boolean")
		return <NativeSelect aria-label={label} value={typed} error={error} data={["true", "false"]} onChange={(e) => change(e.currentTarget.value)} />;
	if (kind === "object")
		return <Textarea aria-label={label} value={typed} error={error} autosize={false} rows={3} classNames={{ input: classes.mono ?? "" }} onChange={(e) => change(e.currentTarget.value)} />;
	return <TextInput aria-label={label} value={typed} error={error} autoComplete="off" onChange={(e) => change(e.currentTarget.value)} />;
}

const empty: Readonly<Record<Kind, string>> = { boolean: "false", string: "", number: "0", object: "{}" };

function Variations({ draft, faults, change }: Part) {
	const set = (i: number, part: { key?: string; typed?: string }) => change({ variations: draft.variations.map((v, j) => (j === i ? { ...v, ...part } : v)) });
	/* Who is given a variation goes on being given it under its new name. */
	const rename = (i: number, key: string) => {
		const old = draft.variations[i]?.key ?? "";
		change({
			variations: draft.variations.map((v, j) => (j === i ? { ...v, key } : v)),
			fallback: draft.fallback === old ? key : draft.fallback,
			rules: draft.rules.map((r) => {
				if ("written" in r)
					return r;
				const weights = Object.fromEntries(Object.entries(r.weights).map(([k, w]) => [k === old ? key : k, w]));
				return { ...r, variation: r.variation === old ? key : r.variation, weights };
			}),
		});
	};
	return (
		<fieldset className={classes.set}>
			<legend>What it gives</legend>
			<NativeSelect
				label="Type of the values"
				value={draft.kind}
				data={[...kinds]}
				onChange={(e) => {
					const kind = e.currentTarget.value as Kind;
					change({ kind, variations: draft.variations.map((v, i) => ({ ...v, typed: kind === "boolean" ? String(i > 0) : empty[kind] })) });
				}}
			/>
			{draft.variations.map((v, i) => (
				<div key={i} className={classes.pair}>
					<TextInput aria-label={`Name of variation ${i + 1}`} autoComplete="off" value={v.key} error={below(faults, `${AT}/variations/${i}/key`)[0]?.detail} onChange={(e) => rename(i, e.currentTarget.value)} />
					<Value kind={draft.kind} label={`Value of variation ${i + 1}`} typed={v.typed} error={below(faults, `${AT}/variations/${i}/value`)[0]?.detail} change={(typed) => set(i, { typed })} />
					<ActionIcon variant="default" size="lg" aria-label={`Take out variation ${i + 1}`} disabled={draft.variations.length < 2} onClick={() => change({ variations: draft.variations.filter((_, j) => j !== i) })}>
						<Icon name="close" size={14} />
					</ActionIcon>
				</div>
			))}
			<div>
				<Button
					size="compact-sm"
					variant="default"
					leftSection={<Icon name="plus" size={14} />}
					onClick={() => change({ variations: [...draft.variations, { key: `variation-${draft.variations.length + 1}`, typed: empty[draft.kind] }] })}
				>
					One more variation
				</Button>
			</div>
		</fieldset>
	);
}

function Rules({ draft, faults, change }: Part) {
	const move = (i: number, by: number) => {
		const rules = [...draft.rules];
		const [rule] = rules.splice(i, 1);
		if (rule !== undefined)
			rules.splice(i + by, 0, rule);
		change({ rules });
	};
	const doc = readDoc(documentOf(draft).document);
	return (
		<fieldset className={classes.set}>
			<legend>Who gets what</legend>
			<p className="dimmed small">The first rule that takes somebody in decides.</p>
			{draft.rules.map((rule, i) => (
				<div key={rule.n} className={classes.rule} role="group" aria-label={`Rule ${i + 1}`}>
					<div className={classes.ruleHead}>
						<h3>Rule {i + 1}</h3>
						<ActionIcon variant="subtle" color="gray" aria-label={`Rule ${i + 1} before the one above`} disabled={i === 0} onClick={() => move(i, -1)}>
							<span aria-hidden="true">↑</span>
						</ActionIcon>
						<ActionIcon variant="subtle" color="gray" aria-label={`Rule ${i + 1} after the one below`} disabled={i === draft.rules.length - 1} onClick={() => move(i, 1)}>
							<span aria-hidden="true">↓</span>
						</ActionIcon>
						<ActionIcon variant="subtle" color="gray" aria-label={`Take out rule ${i + 1}`} onClick={() => change({ rules: draft.rules.filter((r) => r !== rule) })}>
							<Icon name="trash" size={16} />
						</ActionIcon>
					</div>
					{"written" in rule ? (
						<p>
							{sayRule(doc, rule.written)} <span className="dimmed">This rule has no fields: it is edited as JSON.</span>
						</p>
					) : (
						<RuleFields name={`rule ${i + 1}`} draft={draft} rule={rule} change={(part) => change({ rules: draft.rules.map((r) => (r === rule ? { ...rule, ...part } : r)) })} />
					)}
					<Faults faults={below(faults, `${AT}/rules/${i}`)} />
				</div>
			))}
			<div>
				<Button size="compact-sm" variant="default" leftSection={<Icon name="plus" size={14} />} onClick={() => change({ rules: [...draft.rules, newRule(draft)] })}>
					{draft.rules.length === 0 ? "Add a rule" : "One more rule"}
				</Button>
			</div>
			<NativeSelect
				label={draft.rules.length === 0 ? "Everybody gets" : "Everybody else gets"}
				value={draft.fallback}
				error={below(faults, `${AT}/default`)[0]?.detail}
				data={draft.variations.map((v) => v.key)}
				onChange={(e) => change({ fallback: e.currentTarget.value })}
			/>
		</fieldset>
	);
}

function Json({ json, faults, change }: { json: string; faults: readonly Fault[]; change: (json: string) => void }) {
	const field = useRef<HTMLTextAreaElement>(null);
	const show = (pointer: string) => {
		const [from, to] = locate(json, pointer) ?? [0, json.length];
		const area = field.current;
		if (area === null)
			return;
		area.focus();
		area.setSelectionRange(from, to);
		area.scrollTop = ((json.slice(0, from).split("\n").length - 3) * area.scrollHeight) / Math.max(1, json.split("\n").length);
	};
	return (
		<>
			<Textarea ref={field} label="Document" rows={20} spellCheck={false} classNames={{ input: classes.mono ?? "" }} value={json} onChange={(e) => change(e.currentTarget.value)} />
			<Faults faults={faults} show={show} />
		</>
	);
}

export function Editor({ edited, faults, change }: { edited: Edited; faults: readonly Fault[]; change: (edited: Edited) => void }) {
	const [broken, setBroken] = useState<readonly Fault[]>([]);
	const turn = (mode: string) => {
		setBroken([]);
		if (mode === "json") {
			change({ ...edited, mode: "json", json: JSON.stringify(documentOf(edited.draft).document, null, "  ") });
			return;
		}
		const read = parse(edited.json);
		if (read.faults.length > 0)
			setBroken(read.faults);
		else
			change({ ...edited, mode: "fields", draft: draftOf(read.document) });
	};
	const part = { draft: edited.draft, faults, change: (p: Partial<Draft>) => change({ ...edited, draft: { ...edited.draft, ...p } }) };
	const placed = ["/rules", "/variations", "/default"].flatMap((p) => below(faults, `${AT}${p}`));
	return (
		<Panel
			title="What it does"
			aside={
				<SegmentedControl
					size="xs"
					aria-label="How to edit it"
					value={edited.mode}
					data={[
						{ value: "fields", label: "Fields" },
						{ value: "json", label: "JSON" },
					]}
					onChange={turn}
				/>
			}
		>
			<div className={classes.form}>
				{edited.mode === "json" ? (
					<Json json={edited.json} faults={[...broken, ...faults]} change={(json) => change({ ...edited, json })} />
				) : (
					<>
						<NativeSelect
							label="Divides"
							description="What the share of a rule is counted in"
							value={edited.draft.unit}
							data={units}
							onChange={(e) => part.change({ unit: e.currentTarget.value })}
						/>
						<Variations {...part} />
						<Rules {...part} />
						<Faults faults={faults.filter((f) => !placed.includes(f))} />
					</>
				)}
			</div>
		</Panel>
	);
}
