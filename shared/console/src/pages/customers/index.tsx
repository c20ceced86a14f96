/*
 * Customers: /customers/people, /customers/organizations and every other resource of the record; one record below its id. What a list shows
 * is in its address as the API takes it (?country=eq.AT&sort=-family_name&fields=…), beside `view`, the saved view it began with.
 */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

export interface ListSearch {
	readonly [parameter: string]: string | readonly string[] | undefined;
}

export const tabs = ["overview", "timeline", "history", "flags"] as const;
export type Tab = (typeof tabs)[number];

export interface RecordSearch {
	readonly tab?: Tab;
	/** A moment: the record as it was then. */
	readonly as_of?: string;
	readonly edit?: true;
}

declare module "@tanstack/react-router" {
	interface HistoryState {
		/** The pages of a list that were left behind by "Next", the first one first. */
		trail?: readonly string[];
	}
}

function textOf(value: unknown): string | undefined {
	return typeof value === "string" ? value : typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function parameters(search: Record<string, unknown>): ListSearch {
	const out: Record<string, string | string[]> = {};
	for (const [name, value] of Object.entries(search)) {
		const one = textOf(value);
		if (one !== undefined && one !== "")
			out[name] = one;
		else if (Array.isArray(value))
			out[name] = value.flatMap((v) => textOf(v) ?? []);
	}
	return out;
}

const list = createRoute({
	getParentRoute: () => shellRoute,
	path: "/customers/$resource",
	staticData: { title: "Customers" },
	validateSearch: parameters,
	component: lazyRouteComponent(() => import("./List"), "List"),
});

const first = createRoute({
	getParentRoute: () => shellRoute,
	path: "/customers",
	staticData: { title: "Customers" },
	component: lazyRouteComponent(() => import("./First"), "First"),
});

const create = createRoute({
	getParentRoute: () => shellRoute,
	path: "/customers/$resource/new",
	staticData: { title: "New record" },
	/* Values that the form begins with: ?person_id=… */
	validateSearch: parameters,
	component: lazyRouteComponent(() => import("./New"), "New"),
});

const record = createRoute({
	getParentRoute: () => shellRoute,
	path: "/customers/$resource/$id",
	staticData: { title: "Record" },
	validateSearch: ({ tab, as_of, edit }: Record<string, unknown>): RecordSearch => ({
		...(tabs.some((t) => t === tab) ? { tab: tab as Tab } : {}),
		...(typeof as_of === "string" && !Number.isNaN(Date.parse(as_of)) ? { as_of } : {}),
		...(edit === true ? { edit } : {}),
	}),
	component: lazyRouteComponent(() => import("./Record"), "Record"),
});

export const customerRoutes = [first, list, create, record] as const;
