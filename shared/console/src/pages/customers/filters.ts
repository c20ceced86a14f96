/*
 * Filters as the API writes them: "eq.AT", "in.(won,lost)", "is.null"; read from an address or a saved view and written again.
 */
import type { Query } from "~/api/daemon";
import { queryText } from "~/api/daemon";
import type { Field, Kind, Resource } from "~/api/description";
import type { ListSearch } from "./index";

export const ops = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "is.null", "is.not_null", "is.true", "is.false"] as const;
export type Op = (typeof ops)[number];

export interface Filter {
	readonly field: string;
	readonly op: Op;
	/** One, or for "in" any number; none for those that ask for no value. */
	readonly values: readonly string[];
}

const words: Readonly<Record<Op, string>> = {
	eq: "is",
	neq: "is not",
	gt: "is more than",
	gte: "is at least",
	lt: "is less than",
	lte: "is at most",
	in: "is one of",
	"is.null": "is empty",
	"is.not_null": "is not empty",
	"is.true": "is yes",
	"is.false": "is no",
};
const wordsOfTime: Partial<Record<Op, string>> = { gt: "is after", gte: "is from", lt: "is before", lte: "is until" };

export function opWords(op: Op, kind: Kind | undefined): string {
	return ((kind === "date" || kind === "timestamp") && wordsOfTime[op]) || words[op];
}

/** Which make sense for a field. */
export function opsOf(field: Field): readonly Op[] {
	const empty: readonly Op[] = field.required ? [] : ["is.null", "is.not_null"];
	switch (field.kind) {
		case "boolean":
			return ["is.true", "is.false", ...empty];
		case "integer":
		case "decimal":
		case "date":
		case "timestamp":
			return ["eq", "gte", "lte", "gt", "lt", "neq", ...empty];
		case "uuid":
			return ["eq", "neq", ...empty];
		default:
			return ["eq", "neq", "in", ...empty];
	}
}

export function needsValue(op: Op): boolean {
	return !op.startsWith("is.");
}

function readList(text: string): readonly string[] {
	const out: string[] = [];
	const item = /\s*(?:"((?:[^"\\]|\\.)*)"|([^,"]*))\s*(?:,|$)/gy;
	const inside = text.slice(1, -1);
	while (item.lastIndex < inside.length) {
		const found = item.exec(inside);
		if (found === null)
			return [inside];
		out.push(found[1] === undefined ? (found[2] ?? "") : found[1].replace(/\\(.)/gs, "$1"));
	}
	return out;
}

export function readFilter(field: string, text: string): Filter {
	if (text === "is.null" || text === "is.not_null" || text === "is.true" || text === "is.false")
		return { field, op: text, values: [] };
	const [, op, value] = /^(eq|neq|gt|gte|lt|lte|in)\.([^]*)$/.exec(text) ?? [];
	if (op === undefined || value === undefined)
		return { field, op: "eq", values: [text] };
	return { field, op: op as Op, values: op === "in" ? readList(value) : [value] };
}

function quoted(value: string): string {
	return /^[^,"()\\\s]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

export function writeFilter(f: Filter): string {
	if (!needsValue(f.op))
		return f.op;
	return f.op === "in" ? `in.(${f.values.map(quoted).join(",")})` : `${f.op}.${f.values[0] ?? ""}`;
}

/* Parameters of a list that are no filter. */
const others: ReadonlySet<string> = new Set(["view", "sort", "fields", "after", "limit"]);

/** What a list is asked for, in parts. */
export interface Asked {
	readonly filters: readonly Filter[];
	readonly sort: string | null;
	/** null: the usual columns. */
	readonly columns: readonly string[] | null;
}

function one(value: string | readonly string[] | undefined): string | null {
	const text = Array.isArray(value) ? (value as readonly string[])[0] : (value as string | undefined);
	return text === undefined || text === "" ? null : text;
}

export function readAsked(search: ListSearch): Asked {
	const filters = Object.entries(search).flatMap(([name, value]) =>
		others.has(name) || value === undefined ? [] : (typeof value === "string" ? [value] : value).map((v) => readFilter(name, v)),
	);
	return { filters, sort: one(search.sort), columns: one(search.fields)?.split(",") ?? null };
}

export function writeAsked(asked: Asked): Record<string, string | string[]> {
	const out: Record<string, string | string[]> = {};
	for (const f of asked.filters) {
		const before = out[f.field];
		const text = writeFilter(f);
		out[f.field] = before === undefined ? text : [...(Array.isArray(before) ? before : [before]), text];
	}
	if (asked.sort !== null)
		out.sort = asked.sort;
	if (asked.columns !== null)
		out.fields = asked.columns.join(",");
	return out;
}

/** The query string of a saved view. */
export function viewText(asked: Asked): string {
	return queryText(writeAsked(asked)).slice(1);
}

export function readView(query: string): Asked {
	const search: Record<string, string[]> = {};
	for (const [name, value] of new URLSearchParams(query))
		(search[name] ??= []).push(value);
	return readAsked(search);
}

export function sameAsked(a: Asked, b: Asked): boolean {
	return viewText(a) === viewText(b);
}

/** What is asked of the API: beside the columns the fields that make a record's name. */
export function askedQuery(asked: Asked, resource: Resource, columns: readonly string[], naming: readonly string[], after: string | null): Query {
	const fields = [...new Set([...naming, ...columns])].filter((f) => resource.field(f) !== undefined);
	return { ...writeAsked({ ...asked, columns: null }), fields: fields.length === 0 ? "id" : fields.join(","), after };
}
