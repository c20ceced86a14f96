/*
 * Records of any resource of core: lists, one record, what happened to it, the whole of a customer, saved views. Keys begin with
 * ["records", resource] for lists and ["record", resource, id] for everything about one record, so that a hint about it finds them all.
 */
import { type QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { CoreSchemas } from "./client";
import { core } from "./core";
import type { Query } from "./daemon";
import type { Page } from "./types";

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A record as the reader may see it: what is of a class that he may not see is not there. */
export interface Row {
	readonly id: string;
	readonly version?: number;
	readonly [field: string]: Json | undefined;
}

type Schemas = CoreSchemas["schemas"];

/** One write of a record, from its history. */
export type HistoryEntry = Readonly<Omit<Schemas["HistoryEntry"], "changes">> & {
	readonly changes: Readonly<Record<string, { readonly before: Json; readonly after: Json }>>;
};

export type SetBy = Readonly<Schemas["SetBy"]>;

/** When and by whom a value was written; from the log, or, where that does not know, from the record. */
export type ValueSource = Readonly<Schemas["ValueSource"]>;

/** GET /v1/people/…/360 and the same of organizations; a part that the reader has no right to is not there. */
type Parts = Omit<Schemas["PersonWhole"] & Schemas["OrganizationWhole"], "profile" | "values">;

export interface Part {
	readonly data: readonly (Row & { readonly _set?: Json })[];
	readonly more: boolean;
}

export type Whole = Readonly<Pick<Schemas["PersonWhole"] | Schemas["OrganizationWhole"], "values">> & { readonly profile: Row } & { readonly [part in keyof Parts]?: Part };

export type View = Readonly<Schemas["View"]>;

/** Of whichever resource. */
export type Restored = Readonly<Omit<Schemas["people.Restored"], "record">> & { readonly record: Row };

export const PAGE_ROWS = 50;

export function recordUrl(resource: string, id: string): string {
	return `/v1/${encodeURIComponent(resource)}/${encodeURIComponent(id)}`;
}

export const listQuery = (resource: string, query: Query) =>
	queryOptions({
		queryKey: ["records", resource, query],
		queryFn: ({ signal }) => core.get<Page<Row>>(`/v1/${encodeURIComponent(resource)}`, { query: { ...query, limit: PAGE_ROWS }, signal }),
		placeholderData: keepPreviousData,
	});

/** With the entity tag that a write needs. */
export const recordQuery = (resource: string, id: string) =>
	queryOptions({
		queryKey: ["record", resource, id, "now"],
		queryFn: async ({ signal }) => {
			const { data, etag } = await core.read<Row>(recordUrl(resource, id), { signal });
			return { row: data, etag: etag ?? "*" };
		},
	});

export const pastQuery = (resource: string, id: string, asOf: string) =>
	queryOptions({
		queryKey: ["record", resource, id, "as of", asOf],
		queryFn: ({ signal }) => core.get<Row>(recordUrl(resource, id), { query: { as_of: asOf }, signal }),
	});

export const wholeQuery = (resource: string, id: string) =>
	queryOptions({
		queryKey: ["record", resource, id, "360"],
		queryFn: ({ signal }) => core.get<Whole>(`${recordUrl(resource, id)}/360`, { signal }),
	});

export const historyQuery = (resource: string, id: string) =>
	infiniteQueryOptions({
		queryKey: ["record", resource, id, "history"],
		queryFn: ({ signal, pageParam }) => core.get<Page<HistoryEntry>>(`${recordUrl(resource, id)}/history`, { query: { limit: PAGE_ROWS, after: pageParam }, signal }),
		initialPageParam: null as string | null,
		getNextPageParam: (last) => last.page.next,
	});

/** Interactions with one customer, the newest first, as a list: a hint about any lets it be asked again. `reference` is the field that names him. */
export const interactionsQuery = (resource: string, id: string, reference: string) =>
	infiniteQueryOptions({
		queryKey: ["records", "interactions", "of", resource, id],
		queryFn: ({ signal, pageParam }) =>
			core.get<Page<Row>>("/v1/interactions", { query: { [reference]: `eq.${id}`, sort: "-at", limit: PAGE_ROWS, after: pageParam }, signal }),
		initialPageParam: null as string | null,
		getNextPageParam: (last) => last.page.next,
	});

export const viewsQuery = (resource: string) =>
	queryOptions({
		queryKey: ["views", resource],
		queryFn: async ({ signal }) => (await core.get<Schemas["Views"]>("/v1/views", { query: { resource }, signal })).data,
	});

/** After a write: a record also stands in lists and in what is told of others, such as the people of an organization. */
export async function refresh(queries: QueryClient): Promise<void> {
	await Promise.all([queries.invalidateQueries({ queryKey: ["record"] }), queries.invalidateQueries({ queryKey: ["records"] })]);
}
