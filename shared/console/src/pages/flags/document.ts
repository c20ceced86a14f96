/* The rule document of a flag as JSON, read without trust: it may be of a later version than this console. */
import type { Json } from "~/api/records";

export type Members = { readonly [name: string]: Json };

export interface Variation {
	readonly key: string;
	readonly value: Json;
}

export interface Doc {
	readonly unit: string;
	readonly variations: readonly Variation[];
	readonly rules: readonly Members[];
	readonly fallback: string;
}

export function isMembers(value: Json | undefined): value is Members {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function members(value: Json | undefined): Members {
	return isMembers(value) ? value : {};
}

export function list(value: Json | undefined): readonly Json[] {
	return Array.isArray(value) ? (value as readonly Json[]) : [];
}

export function text(value: Json | undefined): string | undefined {
	return typeof value === "string" ? value : undefined;
}

export function number(value: Json | undefined): number | undefined {
	return typeof value === "number" ? value : undefined;
}

export function readDoc(raw: unknown): Doc {
	const doc = members(raw as Json);
	return {
		unit: text(doc.unit) ?? "person",
		variations: list(doc.variations).map((v) => ({ key: text(members(v).key) ?? "", value: members(v).value ?? null })),
		rules: list(doc.rules).map(members),
		fallback: text(doc.default) ?? "",
	};
}
