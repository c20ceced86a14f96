/*
 * Records that notices lead to and that have no page of their own yet: shown as the API tells them. A room that brings its page takes its
 * line out here.
 */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

const component = lazyRouteComponent(() => import("./Record"), "Record");
const parent = { getParentRoute: () => shellRoute, component } as const;

export const recordRoutes = [
	createRoute({ ...parent, path: "/webhooks/$id", staticData: { title: "Webhook" } }),
	createRoute({ ...parent, path: "/tokens/$id", staticData: { title: "Token" } }),
	createRoute({ ...parent, path: "/drift", staticData: { title: "Drift" } }),
] as const;
