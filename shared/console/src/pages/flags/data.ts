/* What this page asks core. Every key begins with ["flags"], so that a write, and core's hint that one was made elsewhere, let all of it be asked again. */
import { type QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type CoreSchemas, coreClient } from "~/api/client";
import { core } from "~/api/core";
import { Problem } from "~/api/problem";
import type { Standing } from "./index";

type Schemas = CoreSchemas["schemas"];
export type FlagRow = Schemas["FlagSummary"];
export type Flag = Schemas["Flag"];
export type Turned = Schemas["FlagTurned"];
export type Document = Schemas["FlagDocument"];
export type Revision = Schemas["Revision"];
export type DraftSeen = Schemas["FlagDraftSeen"];
export type FlagDraft = Schemas["FlagDraft"];
export type Diff = Schemas["FlagDiff"];

export const api = coreClient(core);

/** What a change of a flag is answered. A protected flag's waits for another person: told like a refusal, because nothing has happened yet. */
export function turnedOf(answer: Turned | Schemas["FlagRequest"]): Turned {
	if ("applied" in answer)
		return answer;
	throw new Problem(202, "waiting", "It waits for another person", `${answer.key} is protected: somebody else has to approve request ${answer.id}.`);
}

const PAGE_ROWS = 200;
const REVISION_ROWS = 50;
export const SOON_DAYS = 14;
const DAY_MS = 86_400_000;

export const flagsQuery = (kind: "release" | "experiment" | undefined, archived: boolean) =>
	infiniteQueryOptions({
		queryKey: ["flags", "list", kind, archived],
		queryFn: async ({ signal, pageParam }) =>
			(
				await api.get("/v1/flags", {
					query: { limit: PAGE_ROWS, archived, ...(kind === undefined ? {} : { kind }), ...(pageParam === null ? {} : { after: pageParam }) },
					signal,
				})
			).data,
		initialPageParam: null as string | null,
		getNextPageParam: (last) => last.page.next,
		placeholderData: keepPreviousData,
	});

export const flagQuery = (key: string) =>
	queryOptions({
		queryKey: ["flags", "one", key],
		queryFn: async ({ signal }) => (await api.get("/v1/flags/{key}", { path: { key }, signal })).data,
	});

export const revisionsQuery = (key: string) =>
	infiniteQueryOptions({
		queryKey: ["flags", "revisions", key],
		queryFn: async ({ signal, pageParam }) =>
			(await api.get("/v1/flags/{key}/revisions", { path: { key }, query: { limit: REVISION_ROWS, ...(pageParam === null ? {} : { after: pageParam }) }, signal })).data,
		initialPageParam: null as string | null,
		getNextPageParam: (last) => last.page.next,
	});

/*
 * A draft and its difference are asked for where the flag tells that there is one, by the time it was saved: with every hint about flags
 * they would be asked for when it is gone.
 */
export const draftQuery = (key: string, at: string) =>
	queryOptions({
		queryKey: ["flag draft", key, at],
		queryFn: async ({ signal }) => (await api.get("/v1/flags/{key}/draft", { path: { key }, signal })).data,
		staleTime: Infinity,
	});

export const diffQuery = (key: string, revision: number, at: string) =>
	queryOptions({
		queryKey: ["flag diff", key, revision, at],
		queryFn: async ({ signal }) => (await api.get("/v1/flags/{key}/diff", { path: { key }, signal })).data,
		staleTime: Infinity,
	});

/** Who has made a revision, by his id. A name does not change with the flags. */
export const whoQuery = (id: string) =>
	queryOptions({
		queryKey: ["flag people", id],
		queryFn: async ({ signal }) => (await api.get("/v1/users/{id}", { path: { id }, signal })).data,
		staleTime: 300_000,
		retry: false,
	});

export async function refresh(queries: QueryClient): Promise<void> {
	await queries.invalidateQueries({ queryKey: ["flags"] });
}

export function standingOf(flag: FlagRow): Standing {
	if (flag.archived_at !== null)
		return "archived";
	if (flag.expired)
		return "expired";
	return flag.enabled ? "on" : "off";
}

/** Days until a flag ends by itself, the begun one counted; 0 or less: it has ended. */
export function daysLeft(flag: FlagRow, now: number = Date.now()): number {
	return Math.ceil((Date.parse(flag.expires_at) - now) / DAY_MS);
}

export function isEnding(flag: FlagRow): boolean {
	return flag.archived_at === null && !flag.expired && daysLeft(flag) <= SOON_DAYS;
}
