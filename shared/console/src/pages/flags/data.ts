/* What this page asks core. Every key begins with ["flags"], so that a write, and core's hint that one was made elsewhere, let all of it be asked again. */
import { type QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type CoreSchemas, coreClient } from "~/api/client";
import { core } from "~/api/core";
import type { Json } from "~/api/records";
import type { Standing } from "./index";

type Schemas = CoreSchemas["schemas"];
export type FlagRow = Schemas["FlagSummary"];
export type Flag = Schemas["Flag"];
export type Turned = Schemas["FlagTurned"];
export type Request = Schemas["FlagRequest"];
export type Document = Schemas["FlagDocument"];
export type Revision = Schemas["Revision"];
export type DraftSeen = Schemas["FlagDraftSeen"];
export type FlagDraft = Schemas["FlagDraft"];
export type Diff = Schemas["FlagDiff"];
export type Usage = Schemas["FlagUsage"];
export type Ramp = Schemas["FlagRamp"];
export type Schedule = Schemas["FlagSchedule"];
export type Preview = Schemas["FlagPreview"];
export type Seen = Schemas["FlagsSeen"]["data"][number];
export type Explanation = Schemas["FlagExplanation"];

export const api = coreClient(core);

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

export interface Asked {
	/** A person's or an organization's id, a pseudonym, a visitor; "": nobody in particular. */
	readonly who: string;
	readonly at: string | undefined;
	readonly attributes: { readonly [name: string]: Json };
}

export const explainQuery = (key: string, { who, at, attributes }: Asked) =>
	queryOptions({
		queryKey: ["flags", "explain", key, who, at, attributes],
		queryFn: async ({ signal }) =>
			(
				await api.post("/v1/flags/{key}/explain", {
					path: { key },
					body: { context: { ...attributes, ...(who === "" ? {} : { targetingKey: who }) }, ...(at === undefined ? {} : { at }) },
					signal,
				})
			).data,
		retry: false,
	});

/** What the flags have given to a person. */
export const seenQuery = (person: string) =>
	infiniteQueryOptions({
		queryKey: ["flags", "seen", person],
		queryFn: async ({ signal, pageParam }) =>
			(await api.get("/v1/people/{id}/flags", { path: { id: person }, query: { limit: PAGE_ROWS, ...(pageParam === null ? {} : { after: pageParam }) }, signal })).data,
		initialPageParam: null as string | null,
		getNextPageParam: (last) => last.page.next,
	});

export const usageQuery = (key: string) =>
	queryOptions({
		queryKey: ["flags", "usage", key],
		queryFn: async ({ signal }) => (await api.get("/v1/flags/{key}/usage", { path: { key }, signal })).data,
	});

const PLANS = 20;
/* A step that waits for its time is made without anybody's doing. */
const PLANS_EVERY_MS = 15_000;

export const rampsQuery = (key: string) =>
	queryOptions({
		queryKey: ["flags", "ramps", key],
		queryFn: async ({ signal }) => (await api.get("/v1/flags/{key}/ramps", { path: { key }, query: { limit: PLANS }, signal })).data.data,
		refetchInterval: ({ state: { data } }) => (data?.some((r) => r.state === "running") === true ? PLANS_EVERY_MS : false),
	});

export const schedulesQuery = (key: string) =>
	queryOptions({
		queryKey: ["flags", "schedules", key],
		queryFn: async ({ signal }) => (await api.get("/v1/flags/{key}/schedules", { path: { key }, query: { limit: PLANS }, signal })).data.data,
	});

/** Who has made a revision, by his id. A name does not change with the flags. */
export const whoQuery = (id: string) =>
	queryOptions({
		queryKey: ["flag people", id],
		queryFn: async ({ signal }) => (await api.get("/v1/users/{id}", { path: { id }, signal })).data,
		staleTime: 300_000,
		retry: false,
	});

/** A protected flag is not turned by one alone: what was asked for waits for somebody else. */
export function isRequest(answer: Turned | Request): answer is Request {
	return "sha256" in answer;
}

export const requestsQuery = (key: string) =>
	queryOptions({
		queryKey: ["flags", "requests", key],
		queryFn: async ({ signal }) => (await api.get("/v1/flag-requests", { query: { key, state: "waiting", limit: PLANS }, signal })).data.data,
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
