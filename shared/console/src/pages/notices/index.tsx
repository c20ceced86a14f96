/* Notices: the inbox, and how one wants to be told. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

export const shows = ["waiting", "mine", "done"] as const;
export type Show = (typeof shows)[number];

const inbox = createRoute({
	getParentRoute: () => shellRoute,
	path: "/notices",
	staticData: { title: "Notices" },
	validateSearch: ({ show }: Record<string, unknown>): { readonly show?: Show } => (shows.some((s) => s === show) ? { show: show as Show } : {}),
	component: lazyRouteComponent(() => import("./Inbox"), "Inbox"),
});

const settings = createRoute({
	getParentRoute: () => shellRoute,
	path: "/notices/settings",
	staticData: { title: "How I am told" },
	component: lazyRouteComponent(() => import("./Settings"), "Settings"),
});

export const noticeRoutes = [inbox, settings] as const;
