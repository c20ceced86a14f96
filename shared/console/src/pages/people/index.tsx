/*
 * People: users and services, teams, tokens, sessions, and why somebody may do something. What a list shows is in its address.
 */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

export interface UsersSearch {
	readonly q?: string;
	readonly kind?: "user" | "service";
	readonly state?: "active" | "disabled";
	readonly team?: string;
}

export interface TokensSearch {
	/** An id; without it: the actor's own, or everybody's for who may see them. */
	readonly of?: string;
	readonly ended?: true;
}

export interface AccessSearch {
	readonly who?: string;
	readonly method?: string;
	readonly path?: string;
}

type Raw = Record<string, unknown>;

function word<T extends string>(value: unknown, ...words: readonly T[]): T | undefined {
	return words.find((w) => w === value);
}

function text(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

/** Without what is not there. */
function some<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

const users = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people",
	staticData: { title: "People" },
	validateSearch: (raw: Raw): UsersSearch =>
		some<UsersSearch>({ q: text(raw.q), kind: word(raw.kind, "user", "service"), state: word(raw.state, "active", "disabled"), team: text(raw.team) }),
	component: lazyRouteComponent(() => import("./Users"), "Users"),
});

const newUser = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/new",
	staticData: { title: "New user" },
	validateSearch: (raw: Raw): { readonly kind?: "service" } => (raw.kind === "service" ? { kind: "service" } : {}),
	component: lazyRouteComponent(() => import("./NewUser"), "NewUser"),
});

const user = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/$id",
	staticData: { title: "User" },
	component: lazyRouteComponent(() => import("./User"), "User"),
});

const handOver = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/$id/hand-over",
	staticData: { title: "Hand-over" },
	component: lazyRouteComponent(() => import("./HandOver"), "HandOver"),
});

const teams = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/teams",
	staticData: { title: "Teams" },
	validateSearch: (raw: Raw): { readonly archived?: true } => (raw.archived === true ? { archived: true } : {}),
	component: lazyRouteComponent(() => import("./Teams"), "Teams"),
});

const team = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/teams/$id",
	staticData: { title: "Team" },
	component: lazyRouteComponent(() => import("./Team"), "Team"),
});

const tokens = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/tokens",
	staticData: { title: "Tokens" },
	validateSearch: (raw: Raw): TokensSearch => some<TokensSearch>({ of: text(raw.of), ended: raw.ended === true ? true : undefined }),
	component: lazyRouteComponent(() => import("./Tokens"), "Tokens"),
});

const sessions = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/sessions",
	staticData: { title: "Sessions" },
	validateSearch: (raw: Raw): { readonly of?: string } => some<{ of?: string }>({ of: text(raw.of) }),
	component: lazyRouteComponent(() => import("./Sessions"), "Sessions"),
});

const access = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/access",
	staticData: { title: "Access" },
	validateSearch: (raw: Raw): AccessSearch => some<AccessSearch>({ who: text(raw.who), method: text(raw.method), path: text(raw.path) }),
	component: lazyRouteComponent(() => import("./Access"), "Access"),
});

const webhooks = createRoute({
	getParentRoute: () => shellRoute,
	path: "/people/webhooks",
	staticData: { title: "Webhooks" },
	component: lazyRouteComponent(() => import("./Webhooks"), "Webhooks"),
});

export const peopleRoutes = [users, newUser, user, handOver, teams, team, tokens, sessions, webhooks, access] as const;
