/* Flags: what is on for whom, on and off, what they were; made and revised. What a page shows is in its address. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

export const standings = ["on", "off", "expired", "archived"] as const;
export type Standing = (typeof standings)[number];

export interface FlagsSearch {
	readonly q?: string;
	readonly kind?: "release" | "experiment";
	readonly state?: Standing | "ending" | "waiting" | "stale";
	/** An owner's name. */
	readonly owner?: string;
}

export interface FlagSearch {
	/** Two revisions to compare. */
	readonly from?: number;
	readonly to?: number;
	/** Just published here: who serves it is told. */
	readonly published?: number;
	/** Who gets what: of whom, and when. */
	readonly who?: string;
	readonly at?: string;
}

type Raw = Record<string, unknown>;

function word<T extends string>(value: unknown, words: readonly T[]): T | undefined {
	return words.find((w) => w === value);
}

function text(value: unknown): string | undefined {
	return typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
}

function count(value: unknown): number | undefined {
	return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** Without what is not there. */
function some<T extends object>(members: { readonly [K in keyof T]: T[K] | undefined }): T {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T;
}

const flags = createRoute({
	getParentRoute: () => shellRoute,
	path: "/flags",
	staticData: { title: "Flags" },
	validateSearch: (raw: Raw): FlagsSearch =>
		some<FlagsSearch>({ q: text(raw.q), kind: word(raw.kind, ["release", "experiment"]), state: word(raw.state, [...standings, "ending", "waiting", "stale"]), owner: text(raw.owner) }),
	component: lazyRouteComponent(() => import("./List"), "List"),
});

const flag = createRoute({
	getParentRoute: () => shellRoute,
	path: "/flags/$key",
	staticData: { title: "Flag" },
	validateSearch: (raw: Raw): FlagSearch => some<FlagSearch>({ from: count(raw.from), to: count(raw.to), published: count(raw.published), who: text(raw.who), at: text(raw.at) }),
	component: lazyRouteComponent(() => import("./Flag"), "Flag"),
});

/* No key of a flag begins with a dash. */
const newFlag = createRoute({
	getParentRoute: () => shellRoute,
	path: "/flags/-new",
	staticData: { title: "New flag" },
	component: lazyRouteComponent(() => import("./New"), "New"),
});

const revise = createRoute({
	getParentRoute: () => shellRoute,
	path: "/flags/$key/revise",
	staticData: { title: "Edit a flag" },
	component: lazyRouteComponent(() => import("./Revise"), "Revise"),
});

const review = createRoute({
	getParentRoute: () => shellRoute,
	path: "/flags/$key/review",
	staticData: { title: "Review a draft" },
	component: lazyRouteComponent(() => import("./Review"), "Review"),
});

export const flagRoutes = [flags, newFlag, flag, revise, review] as const;
