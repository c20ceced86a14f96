/*
 * What core says about its records: GET /v1/openapi.json is made for its reader, so a field that he may not see is not named in it. From
 * it come the columns, filters, sorts and forms of all resources; a field that a change adds is there without a new console.
 */
import { queryOptions } from "@tanstack/react-query";
import { core } from "./core";

export type Kind = "text" | "integer" | "decimal" | "boolean" | "date" | "timestamp" | "uuid" | "enum" | "json";

export interface Field {
	readonly name: string;
	/** As people say it: "Given name". */
	readonly label: string;
	readonly kind: Kind;
	/** open, internal, personal; null: made by core (id, version, times). */
	readonly class: string | null;
	readonly choices: readonly string[];
	readonly maxLength: number | null;
	/** The resource that a value of this field names a record of. */
	readonly reference: string | null;
	readonly filterable: boolean;
	readonly sortable: boolean;
	readonly writable: boolean;
	/** Cannot be empty. */
	readonly required: boolean;
}

export interface Resource {
	readonly name: string;
	readonly fields: readonly Field[];
	field(name: string): Field | undefined;
}

interface Schema {
	readonly type?: string | readonly string[];
	readonly format?: string;
	readonly enum?: readonly (string | null)[];
	readonly maxLength?: number;
	readonly required?: readonly string[];
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly items?: Schema;
	readonly "x-class"?: string;
	readonly "x-reference"?: string;
}

interface Document {
	readonly paths: Readonly<Record<string, { readonly get?: { readonly parameters?: readonly { readonly name?: string; readonly schema?: Schema }[] } }>>;
	readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

/* What a name does not say by itself. */
const labels: Readonly<Record<string, string>> = { lab_ok: "Open to analysis", external_id: "External id", id: "Id", at: "When" };

export function labelOf(name: string, reference: string | null = null): string {
	const words = labels[name] ?? (reference === null ? name : name.replace(/_id$/, "")).replaceAll("_", " ");
	return words.charAt(0).toUpperCase() + words.slice(1);
}

function kindOf(s: Schema): Kind {
	if (s.enum !== undefined)
		return "enum";
	const types = typeof s.type === "string" ? [s.type] : (s.type ?? []);
	if (types.includes("integer"))
		return "integer";
	if (types.includes("number"))
		return "decimal";
	if (types.includes("boolean"))
		return "boolean";
	if (!types.includes("string"))
		return "json";
	const formats: Readonly<Record<string, Kind>> = { date: "date", "date-time": "timestamp", uuid: "uuid" };
	return formats[s.format ?? ""] ?? "text";
}

function resourceOf(document: Document, name: string): Resource {
	const { schemas } = document.components;
	const record = schemas[`${name}.Record`]?.properties ?? {};
	const patch = schemas[`${name}.Patch`]?.properties ?? {};
	const create = schemas[`${name}.Create`];
	const asked = document.paths[`/v1/${name}`]?.get?.parameters ?? [];
	const sorts = asked.find((p) => p.name === "sort")?.schema?.items?.enum ?? [];
	const filters = new Set(asked.map((p) => p.name));
	const fields = Object.entries(record).map(([field, s]): Field => {
		const reference = s["x-reference"] ?? null;
		return {
			name: field,
			label: labelOf(field, reference),
			kind: kindOf(s),
			class: s["x-class"] ?? null,
			choices: (s.enum ?? []).filter((c): c is string => c !== null),
			maxLength: (patch[field] ?? s).maxLength ?? null,
			reference,
			filterable: filters.has(field),
			sortable: sorts.includes(field),
			writable: field in patch,
			required: create?.required?.includes(field) ?? false,
		};
	});
	const byName = new Map(fields.map((f) => [f.name, f]));
	return { name, fields, field: (wanted) => byName.get(wanted) };
}

/** The resources that the reader may read, by name. */
export const describeQuery = queryOptions({
	queryKey: ["description"],
	queryFn: async ({ signal }) => {
		const document = await core.get<Document>("/v1/openapi.json", { signal });
		const names = Object.keys(document.components.schemas).flatMap((s) => (s.endsWith(".Record") ? [s.slice(0, -".Record".length)] : []));
		const listed = names.filter((n) => document.paths[`/v1/${n}`]?.get !== undefined);
		return new Map(listed.map((n) => [n, resourceOf(document, n)]));
	},
	staleTime: 5 * 60_000,
});
