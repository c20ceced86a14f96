/* What this page asks core. Every key begins with ["changes"], so that core's hints let all of it be asked again. */
import { type QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type CoreSchemas, coreClient } from "~/api/client";
import { core } from "~/api/core";

type Schemas = CoreSchemas["schemas"];
export type Change = Schemas["Change"];
export type ChangeRow = Schemas["ChangeSummary"];
export type ChangeState = Schemas["ChangeState"];
export type Report = Schemas["ChangeReport"];

export const api = coreClient(core);

const PAGE_ROWS = 50;

export const changesQuery = (state: ChangeState | undefined) =>
	infiniteQueryOptions({
		queryKey: ["changes", "list", state],
		queryFn: async ({ signal, pageParam }) =>
			(await api.get("/v1/changes", { query: { limit: PAGE_ROWS, ...(state === undefined ? {} : { state }), ...(pageParam === null ? {} : { after: String(pageParam) }) }, signal })).data,
		initialPageParam: null as string | number | null,
		getNextPageParam: (last) => last.page.next,
		placeholderData: keepPreviousData,
	});

export const changeQuery = (id: string) =>
	queryOptions({
		queryKey: ["changes", "one", id],
		queryFn: async ({ signal }) => (await api.get("/v1/changes/{id}", { path: { id }, signal })).data,
	});

export async function refresh(queries: QueryClient): Promise<void> {
	await Promise.all([queries.invalidateQueries({ queryKey: ["changes"] }), queries.invalidateQueries({ queryKey: ["notices"] })]);
}
