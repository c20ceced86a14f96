/* Changes of core's schema: what waits for a decision, its rehearsal and its plan; approved or rejected by somebody else than its author. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

export const states = ["draft", "checked", "rehearsed", "approved", "applying", "applied", "rejected", "failed", "rolled_back"] as const;

export interface ChangesSearch {
	readonly state?: (typeof states)[number];
}

const changes = createRoute({
	getParentRoute: () => shellRoute,
	path: "/changes",
	staticData: { title: "Changes" },
	validateSearch: (raw: Record<string, unknown>): ChangesSearch => {
		const state = states.find((s) => s === raw.state);
		return state === undefined ? {} : { state };
	},
	component: lazyRouteComponent(() => import("./List"), "List"),
});

const change = createRoute({
	getParentRoute: () => shellRoute,
	path: "/changes/$id",
	staticData: { title: "Change" },
	component: lazyRouteComponent(() => import("./Change"), "Change"),
});

export const changeRoutes = [changes, change] as const;
