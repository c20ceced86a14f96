/*
 * A document while it is edited in fields, and back. A rule with something in it that has no field is kept as it is written, and edited
 * in the JSON view.
 */
import type { Json } from "~/api/records";
import { type Members, isMembers, list, members, number, readDoc, text } from "./document";
import { readValue, typeValue } from "./values";

export const kinds = ["boolean", "string", "number", "object"] as const;
export type Kind = (typeof kinds)[number];

export interface VariationDraft {
	readonly key: string;
	readonly typed: string;
}

export interface Row {
	readonly attribute: string;
	/** "" for a plain value. */
	readonly operator: string;
	readonly typed: string;
}

export interface FieldsDraft {
	readonly n: number;
	readonly who: "everybody" | "all" | "any";
	readonly rows: readonly Row[];
	readonly what: "one" | "split";
	/** Of "one". */
	readonly variation: string;
	/** Percent of those who are meant; "100" is everybody. */
	readonly share: string;
	/** Of "split": percent by variation. */
	readonly weights: Readonly<Record<string, string>>;
	/** Members without a field: of the rule, of its experiment. */
	readonly rest: Members;
	readonly restOfExperiment: Members;
}

export type RuleDraft = FieldsDraft | { readonly n: number; readonly written: Members };

export interface Draft {
	readonly unit: string;
	readonly kind: Kind;
	readonly variations: readonly VariationDraft[];
	readonly rules: readonly RuleDraft[];
	readonly fallback: string;
}

export interface Fault {
	readonly pointer: string;
	readonly detail: string;
}

/** What may stand between attribute and value. */
export const choices: readonly (readonly [operator: string, label: string])[] = [
	["", "is"],
	["$ne", "is not"],
	["$in", "is one of"],
	["$nin", "is none of"],
	["$gt", "is above"],
	["$gte", "is at least"],
	["$lt", "is below"],
	["$lte", "is at most"],
	["$sw", "begins with"],
	["$ew", "ends with"],
	["$co", "contains"],
	["$regex", "fits the pattern"],
	["$inGroup", "is in the segment"],
	["$notInGroup", "is not in the segment"],
	["$before", "is before"],
	["$after", "is after"],
	["$vgte", "is version or after"],
	["$vlt", "is a version before"],
	["$exists", "is known"],
];

const lists: ReadonlySet<string> = new Set(["$in", "$nin"]);
const texts: ReadonlySet<string> = new Set(["$sw", "$ew", "$co", "$regex", "$inGroup", "$notInGroup", "$before", "$after", "$vgte", "$vlt"]);

let numbered = 0;

function next(): number {
	return ++numbered;
}

/* ---- from a document ---- */

function rowOf(attribute: string, operand: Json): Row | null {
	if (attribute.startsWith("$"))
		return null;
	const only = isMembers(operand) ? Object.entries(operand) : [];
	const [operator, value] = isMembers(operand) ? (only[0] ?? ["", null]) : ["", operand];
	if (only.length > 1 || (isMembers(operand) && operator === "") || !choices.some(([o]) => o === operator))
		return null;
	if (lists.has(operator)) {
		const all = list(value).map(typeValue);
		return all.length === 0 || all.some((t) => t === null || t.includes(",")) ? null : { attribute, operator, typed: all.join(", ") };
	}
	if (operator === "$exists")
		return value === true ? { attribute, operator, typed: "" } : null;
	const typed = texts.has(operator) ? (text(value) ?? null) : typeValue(value);
	return typed === null ? null : { attribute, operator, typed };
}

function rowsOf(condition: Members): readonly Row[] | null {
	const rows = Object.entries(condition).map(([name, operand]) => rowOf(name, operand));
	return rows.some((r) => r === null) ? null : (rows as Row[]);
}

function whoOf(condition: Json | undefined): Pick<FieldsDraft, "who" | "rows"> | null {
	const names = Object.keys(members(condition));
	if (names.length === 0)
		return { who: "everybody", rows: [] };
	const [name] = names;
	if (names.length === 1 && (name === "$or" || name === "$and")) {
		const all = list(members(condition)[name]).map((c) => rowsOf(members(c)));
		return all.some((r) => r?.length !== 1) ? null : { who: name === "$or" ? "any" : "all", rows: all.flatMap((r) => r ?? []) };
	}
	const rows = rowsOf(members(condition));
	return rows === null ? null : { who: "all", rows };
}

function percent(part: number): string {
	return String(Number((part * 100).toFixed(6)));
}

function split(from: Members, ...known: readonly string[]): readonly [known: Members, rest: Members] {
	const pick = (is: boolean) => Object.fromEntries(Object.entries(from).filter(([name]) => known.includes(name) === is));
	return [pick(true), pick(false)];
}

const kept: ReadonlySet<string> = new Set(["id", "active", "seed", "key", "hashVersion"]);

function ruleOf(rule: Members): RuleDraft {
	const [own, rest] = split(rule, "condition", "force", "coverage", "experiment");
	const [experiment, restOfExperiment] = split(members(own.experiment), "variations", "weights", "coverage");
	const who = whoOf(own.condition);
	const what = own.experiment !== undefined ? "split" : "one";
	const keys = list(experiment.variations).map((k) => text(k) ?? "");
	const weights = list(experiment.weights);
	if (who === null || [...Object.keys(rest), ...Object.keys(restOfExperiment)].some((m) => !kept.has(m)) || (what === "one") === (own.force === undefined) || new Set(keys).size !== keys.length)
		return { n: next(), written: rule };
	return {
		n: next(),
		...who,
		what,
		variation: text(own.force) ?? "",
		share: percent(number(what === "one" ? own.coverage : experiment.coverage) ?? 1),
		weights: Object.fromEntries(keys.map((k, i) => [k, percent(number(weights[i]) ?? 1 / keys.length)])),
		rest,
		restOfExperiment,
	};
}

export function draftOf(document: unknown): Draft {
	const doc = readDoc(document);
	const first = doc.variations[0]?.value;
	const kind = isMembers(first) ? "object" : (kinds.find((k) => k === typeof first) ?? "boolean");
	return {
		unit: doc.unit,
		kind,
		variations: doc.variations.map((v) => ({ key: v.key, typed: typeof v.value === "string" ? v.value : JSON.stringify(v.value) })),
		rules: doc.rules.map(ruleOf),
		fallback: doc.fallback,
	};
}

export function newRule(draft: Draft): RuleDraft {
	const other = draft.variations.find((v) => v.key !== draft.fallback) ?? draft.variations[0];
	return { n: next(), who: "everybody", rows: [], what: "one", variation: other?.key ?? "", share: "100", weights: {}, rest: {}, restOfExperiment: {} };
}

/* ---- to a document ---- */

function valueOf(kind: Kind, typed: string, at: string, faults: Fault[]): Json {
	if (kind === "string")
		return typed;
	try {
		const value = JSON.parse(typed) as Json;
		if (kind === "object" ? isMembers(value) : typeof value === kind)
			return value;
	} catch {
		/* told below */
	}
	faults.push({ pointer: at, detail: kind === "object" ? "must be a JSON object, such as {\"limit\": 5}" : `must be a ${kind}` });
	return null;
}

function share(typed: string, at: string, faults: Fault[]): number {
	const n = Number(typed.trim().replace(",", ".").replace(/\s*%$/, ""));
	if (typed.trim() !== "" && n >= 0 && n <= 100)
		return Number((n / 100).toFixed(8));
	faults.push({ pointer: at, detail: "must be a number from 0 to 100" });
	return 0;
}

function operandOf(row: Row): Json {
	if (row.operator === "")
		return readValue(row.typed);
	if (row.operator === "$exists")
		return { $exists: true };
	if (lists.has(row.operator))
		return { [row.operator]: row.typed.split(",").map((t) => t.trim()).filter(Boolean).map(readValue) };
	return { [row.operator]: texts.has(row.operator) ? row.typed : readValue(row.typed) };
}

function conditionOf(rule: FieldsDraft, at: string, faults: Fault[]): Json | undefined {
	if (rule.who === "everybody")
		return undefined;
	const rows = rule.rows.map((r) => ({ name: r.attribute.trim(), operand: operandOf(r) }));
	if (rows.length === 0 || rows.some((r) => r.name === ""))
		faults.push({ pointer: `${at}/condition`, detail: "needs the name of an attribute" });
	const apart = rule.who === "any" || new Set(rows.map((r) => r.name)).size < rows.length;
	if (!apart)
		return Object.fromEntries(rows.map((r) => [r.name, r.operand]));
	return { [rule.who === "any" ? "$or" : "$and"]: rows.map((r) => ({ [r.name]: r.operand })) };
}

function writeRule(draft: Draft, rule: RuleDraft, at: string, faults: Fault[]): Members {
	if ("written" in rule)
		return rule.written;
	const condition = conditionOf(rule, at, faults);
	const who = condition === undefined ? {} : { condition };
	if (rule.what === "one") {
		const coverage = share(rule.share, `${at}/coverage`, faults);
		return { ...rule.rest, ...who, force: rule.variation, ...(coverage === 1 ? {} : { coverage }) };
	}
	const coverage = share(rule.share, `${at}/experiment/coverage`, faults);
	const parts = draft.variations.map((v, i) => ({ key: v.key, weight: share(rule.weights[v.key] ?? "0", `${at}/experiment/weights/${i}`, faults) })).filter((p) => p.weight > 0);
	return {
		...rule.rest,
		...who,
		experiment: { ...rule.restOfExperiment, variations: parts.map((p) => p.key), weights: parts.map((p) => p.weight), ...(coverage === 1 ? {} : { coverage }) },
	};
}

/** What is wrong is told at its place in the request; then it is not to be sent. */
export function documentOf(draft: Draft): { readonly document: Members; readonly faults: readonly Fault[] } {
	const faults: Fault[] = [];
	const document = {
		unit: draft.unit,
		variations: draft.variations.map((v, i) => ({ key: v.key, value: valueOf(draft.kind, v.typed, `/document/variations/${i}/value`, faults) })),
		rules: draft.rules.map((r, i) => writeRule(draft, r, `/document/rules/${i}`, faults)),
		default: draft.fallback,
	};
	return { document, faults };
}
