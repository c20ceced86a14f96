/* A flag's rules as a person would say them. */
import type { Json } from "~/api/records";
import { type Doc, type Members, isMembers, list, members, number, text } from "./document";

/** A sentence, and what it goes on about. */
export interface Told {
	readonly text: string;
	readonly parts?: readonly Told[];
}

export interface ToldRule {
	readonly name: string | undefined;
	readonly active: boolean;
	readonly sentence: string;
	/** What must hold of who is meant; empty: everybody is. */
	readonly who: readonly Told[];
	readonly notes: readonly Told[];
}

const units: Readonly<Record<string, string>> = { person: "people", organization: "organizations", visitor: "visitors" };

export function sayUnits(unit: string): string {
	return units[unit] ?? `units of “${unit}”`;
}

export function sayValue(value: Json): string {
	return typeof value === "string" ? `“${value}”` : JSON.stringify(value);
}

export function sayShare(part: number): string {
	return `${Number((part * 100).toFixed(2))} %`;
}

function sayValues(value: Json): string {
	return Array.isArray(value) ? (value as readonly Json[]).map(sayValue).join(", ") : sayValue(value);
}

export const operators: Readonly<Record<string, string>> = {
	$eq: "is",
	$ne: "is not",
	$in: "is one of",
	$nin: "is none of",
	$ini: "is, in upper or lower case, one of",
	$nini: "is, in upper or lower case, none of",
	$lt: "is below",
	$lte: "is at most",
	$gt: "is above",
	$gte: "is at least",
	$sw: "begins with",
	$swi: "begins, in upper or lower case, with",
	$ew: "ends with",
	$ewi: "ends, in upper or lower case, with",
	$co: "contains",
	$coi: "contains, in upper or lower case,",
	$all: "holds all of",
	$alli: "holds, in upper or lower case, all of",
	$inGroup: "is in the segment",
	$notInGroup: "is not in the segment",
	$regex: "fits the pattern",
	$regexi: "fits, in upper or lower case, the pattern",
	$notRegex: "does not fit the pattern",
	$notRegexi: "does not fit, in upper or lower case, the pattern",
	$type: "is of the type",
	$veq: "is version",
	$vne: "is not version",
	$vgt: "is a version after",
	$vgte: "is version or after",
	$vlt: "is a version before",
	$vlte: "is version or before",
	$semverEq: "is semantic version",
	$semverNe: "is not semantic version",
	$semverGt: "is a semantic version after",
	$semverGte: "is semantic version or after",
	$semverLt: "is a semantic version before",
	$semverLte: "is semantic version or before",
	$before: "is before",
	$after: "is after",
	$cidr: "is an address in",
};

function isPredicates(value: Json): value is Members {
	return isMembers(value) && Object.keys(value).length > 0 && Object.keys(value).every((k) => k.startsWith("$"));
}

function tellOperator(name: string, operator: string, operand: Json): Told {
	if (operator === "$exists")
		return { text: `${name} is ${operand === false ? "not known" : "known"}` };
	if (operator === "$not")
		return { text: `${name} does not fit this`, parts: tellPredicates(name, operand) };
	if (operator === "$elemMatch")
		return { text: `${name} has an element that fits this`, parts: isPredicates(operand) ? tellPredicates("it", operand) : [tellCondition(operand) ?? { text: "anything" }] };
	if (operator === "$size")
		return isPredicates(operand) ? { text: `the number of elements of ${name} fits this`, parts: tellPredicates("it", operand) } : { text: `${name} has ${sayValue(operand)} elements` };
	return { text: `${name} ${operators[operator] ?? operator} ${sayValues(operand)}` };
}

function tellPredicates(name: string, operand: Json): readonly Told[] {
	if (!isPredicates(operand))
		return [{ text: `${name} is ${sayValue(operand)}` }];
	return Object.entries(operand).map(([operator, value]) => tellOperator(name, operator, value));
}

function conditions(of: Json): readonly Told[] {
	return list(of).map((c) => tellCondition(c) ?? { text: "anybody" });
}

const ALL = "all of this holds";
const ANY = "any of this holds";
const NONE = "none of this holds";

/** null: everybody is meant. */
export function tellCondition(condition: Json | undefined): Told | null {
	const told = Object.entries(members(condition)).flatMap(([name, operand]): readonly Told[] => {
		if (name === "$and")
			return [{ text: ALL, parts: conditions(operand) }];
		if (name === "$or")
			return [{ text: ANY, parts: conditions(operand) }];
		if (name === "$nor")
			return [{ text: NONE, parts: conditions(operand) }];
		if (name === "$not")
			return [{ text: "this does not hold", parts: [tellCondition(operand) ?? { text: "anything" }] }];
		return tellPredicates(name, operand);
	});
	if (told.length === 0)
		return null;
	return told.length === 1 ? (told[0] ?? null) : { text: ALL, parts: told };
}

function variation(doc: Doc, key: string | undefined): string {
	const found = doc.variations.find((v) => v.key === key);
	if (found === undefined)
		return key ?? "nothing";
	return isMembers(found.value) || sayValue(found.value) === `“${found.key}”` ? found.key : `${found.key} (${sayValue(found.value)})`;
}

function sayRange(range: Json): string {
	const [from, to] = list(range);
	return `${sayShare(number(from) ?? 0)} to ${sayShare(number(to) ?? 0)}`;
}

function ranges(of: Json | undefined): string {
	return list(of).map(sayRange).join(", ");
}

function sayForce(doc: Doc, rule: Members, whom: string): string {
	const gets = variation(doc, text(rule.force));
	const coverage = number(rule.coverage);
	if (rule.range !== undefined)
		return `Of ${whom}, those between ${sayRange(rule.range)} get ${gets}`;
	return coverage === undefined ? `${whom[0]?.toUpperCase()}${whom.slice(1)} get ${gets}` : `${sayShare(coverage)} of ${whom} get ${gets}`;
}

function sayExperiment(doc: Doc, experiment: Members, whom: string): string {
	const keys = list(experiment.variations).map((k) => text(k));
	const weights = list(experiment.weights);
	const own = list(experiment.ranges);
	const share = (i: number) => (own[i] !== undefined ? sayRange(own[i]) : sayShare(number(weights[i]) ?? 1 / keys.length));
	const coverage = number(experiment.coverage) ?? 1;
	const who = coverage < 1 ? `${sayShare(coverage)} of ${whom}` : `${whom[0]?.toUpperCase()}${whom.slice(1)}`;
	const forced = number(experiment.force);
	const all = forced === undefined ? text(experiment.force) : keys[forced];
	if (all !== undefined)
		return `${who} get ${variation(doc, all)}: the experiment is decided`;
	return `${who} are divided: ${keys.map((k, i) => `${variation(doc, k)} ${share(i)}`).join(", ")}`;
}

function tellPrerequisite(of: Json): Told {
	const p = members(of);
	const condition = tellCondition(p.condition);
	const gate = p.gate === true ? "; where it does not, this flag gives no value at all" : "";
	return { text: `Only where the flag ${text(p.flag) ?? ""} fits this${gate}`, ...(condition === null ? {} : { parts: [condition] }) };
}

function tellFilter(of: Json): Told {
	const f = members(of);
	const by = text(f.attribute);
	return { text: `Only those who fall into ${ranges(f.ranges)} of “${text(f.seed) ?? ""}”${by === undefined ? "" : `, by ${by}`}` };
}

function notesOf(rule: Members): readonly Told[] {
	const how = isMembers(rule.experiment) ? rule.experiment : rule;
	const notes: Told[] = [...list(rule.prerequisites).map(tellPrerequisite), ...list(rule.filters).map(tellFilter)];
	const by = text(how.hashAttribute);
	const namespace = list(how.namespace);
	if (by !== undefined)
		notes.push({ text: `Divided by ${by}${text(how.fallbackAttribute) === undefined ? "" : `, or else by ${text(how.fallbackAttribute)}`}` });
	if (namespace.length === 3)
		notes.push({ text: `Shares “${text(namespace[0]) ?? ""}” with other experiments: it has ${sayRange(namespace.slice(1))} of it` });
	if (how.sticky !== undefined)
		notes.push({ text: "Who has a variation keeps it" });
	if (list(how.passthrough).length > 0)
		notes.push({ text: `Goes on to the next rule: ${list(how.passthrough).map((k) => text(k) ?? "").join(", ")}` });
	for (const context of list(how.contexts).map(members)) {
		const who = tellCondition(context.condition);
		notes.push({ text: `Weights ${list(context.weights).map((w) => sayShare(number(w) ?? 0)).join(", ")} where this holds`, ...(who === null ? {} : { parts: [who] }) });
	}
	return notes;
}

export function tellRule(doc: Doc, rule: Members): ToldRule {
	const who = tellCondition(rule.condition);
	const group = who !== null && [ALL, ANY, NONE].includes(who.text);
	const whom = who === null ? `all ${sayUnits(doc.unit)}` : `the ${sayUnits(doc.unit)} of whom ${group ? who.text : "this holds"}`;
	const sentence = isMembers(rule.experiment) ? sayExperiment(doc, rule.experiment, whom)
		: rule.force !== undefined ? sayForce(doc, rule, whom)
		: "Goes on only if another flag lets it";
	return { name: text(rule.id), active: rule.active !== false, sentence, who: who === null ? [] : group ? (who.parts ?? []) : [who], notes: notesOf(rule) };
}

function flat(told: Told): string {
	return told.parts === undefined ? told.text : `${told.text} (${told.parts.map(flat).join("; ")})`;
}

/** A rule in one line. */
export function sayRule(doc: Doc, rule: Members): string {
	const told = tellRule(doc, rule);
	const more = [...(told.who.length === 0 ? [] : [told.who.map(flat).join("; ")]), ...told.notes.map(flat)];
	return `${told.active ? "" : "(passed over) "}${told.sentence}${more.length === 0 ? "" : `: ${more.join(". ")}`}`;
}
