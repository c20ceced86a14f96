/*
 * The two routes that all others hang under: the root, and the shell of those who are signed in. A page's index.tsx makes its routes
 * under one of them; router.tsx puts them together.
 */
import type { QueryClient } from "@tanstack/react-query";
import { Outlet, createRootRouteWithContext, createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { actorQuery } from "~/api/query";
import { mayBeSignedIn } from "~/api/session";
import { useFollowPages } from "./pages";

export interface RouterContext {
	readonly queries: QueryClient;
}

declare module "@tanstack/react-router" {
	interface StaticDataRouteOption {
		/** What the browser's tab and a screen reader call this page. */
		title?: string;
	}
}

function Root() {
	useFollowPages();
	return <Outlet />;
}

export const rootRoute = createRootRouteWithContext<RouterContext>()({ component: Root });

export const shellRoute = createRoute({
	getParentRoute: () => rootRoute,
	id: "shell",
	beforeLoad: async ({ context, location }) => {
		const actor = mayBeSignedIn() ? await context.queries.ensureQueryData(actorQuery) : null;
		if (actor === null)
			throw redirect({ to: "/sign-in", search: location.href === "/" ? {} : { next: location.href } });
		return { actor };
	},
	component: lazyRouteComponent(() => import("./Shell"), "Shell"),
});
