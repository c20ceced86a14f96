/* What this page asks core. Every key begins with ["people"], so that a write lets all of it be asked again. */
import { type QueryClient, infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { type CoreSchemas, coreClient } from "~/api/client";
import { core } from "~/api/core";
import type { Me } from "~/api/types";
import type { UsersSearch } from "./index";

type Schemas = CoreSchemas["schemas"];
export type User = Schemas["User"];
export type Team = Schemas["Team"];
export type Member = Schemas["Member"];
export type Token = Schemas["Token"];
export type HandOver = Schemas["HandOver"];
export type Session = Schemas["SessionShown"];

export const api = coreClient(core);

export const ROWS = 50;

const paging = {
	initialPageParam: null as string | null,
	getNextPageParam: (last: { readonly page: { readonly next: string | null } }) => last.page.next,
};

/** `after` of a first page is no parameter at all. */
function from(after: string | null): { limit: number; after?: string } {
	return after === null ? { limit: ROWS } : { limit: ROWS, after };
}

export const usersQuery = (search: UsersSearch) =>
	infiniteQueryOptions({
		queryKey: ["people", "users", search],
		queryFn: async ({ signal, pageParam }) => (await api.get("/v1/users", { query: { ...search, ...from(pageParam) }, signal })).data,
		placeholderData: keepPreviousData,
		...paging,
	});

/** With the entity tag that a change needs. */
export const userQuery = (id: string) =>
	queryOptions({
		queryKey: ["people", "user", id],
		queryFn: async ({ signal }) => {
			const { data, etag } = await api.get("/v1/users/{id}", { path: { id }, signal });
			return { user: data, etag: etag ?? "*" };
		},
	});

export const teamsQuery = (archived: boolean) =>
	infiniteQueryOptions({
		queryKey: ["people", "teams", archived],
		queryFn: async ({ signal, pageParam }) => (await api.get("/v1/teams", { query: { archived, ...from(pageParam) }, signal })).data,
		...paging,
	});

export const teamQuery = (id: string) =>
	queryOptions({
		queryKey: ["people", "team", id],
		queryFn: async ({ signal }) => {
			const { data, etag } = await api.get("/v1/teams/{id}", { path: { id }, signal });
			return { team: data, etag: etag ?? "*" };
		},
	});

export const membersQuery = (id: string) =>
	infiniteQueryOptions({
		queryKey: ["people", "team", id, "members"],
		queryFn: async ({ signal, pageParam }) => (await api.get("/v1/teams/{id}/members", { path: { id }, query: from(pageParam), signal })).data,
		...paging,
	});

/** Whose: an id, "all", or null for the actor's own. */
export const tokensQuery = (of: string | null, ended: boolean) =>
	infiniteQueryOptions({
		queryKey: ["people", "tokens", of, ended],
		queryFn: async ({ signal, pageParam }) => (await api.get("/v1/tokens", { query: { ended, ...(of === null ? {} : { principal: of }), ...from(pageParam) }, signal })).data,
		...paging,
	});

/** Whose: an id; null: everybody's. */
export const sessionsQuery = (of: string | null) =>
	infiniteQueryOptions({
		queryKey: ["people", "sessions", of],
		queryFn: async ({ signal, pageParam }) => (await api.get("/v1/sessions", { query: { ...(of === null ? { all: true } : { principal: of }), ...from(pageParam) }, signal })).data,
		...paging,
	});

const SERVICES_MAX = 200;

/** The ids of services: their tokens can be rotated by others than themselves. */
export const servicesQuery = queryOptions({
	queryKey: ["people", "services"],
	queryFn: async ({ signal }) => new Set((await api.get("/v1/users", { query: { kind: "service", limit: SERVICES_MAX }, signal })).data.data.map((u) => u.id)),
});

/** After a write: all that this page shows. */
export async function refresh(queries: QueryClient): Promise<void> {
	await queries.invalidateQueries({ queryKey: ["people"] });
}

const GRANT = "role.grant_";

/** The roles that the actor may give and take. */
export function grantable(me: Me): readonly string[] {
	return me.rights.filter((r) => r.startsWith(GRANT)).map((r) => r.slice(GRANT.length));
}

export function sayRole(role: string): string {
	return role.replaceAll("_", " ");
}

export function nameOf(user: { readonly name: string; readonly display_name: string | null }): string {
	return user.display_name ?? user.name;
}
