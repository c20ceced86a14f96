/* All routes of the console, and what every one of them has: loading, error and not-found views, focus and title on a change of page. */
import type { QueryClient } from "@tanstack/react-query";
import { createRoute, createRouter } from "@tanstack/react-router";
import { accountRoutes } from "~/pages/account";
import { changeRoutes } from "~/pages/changes";
import { customerRoutes } from "~/pages/customers";
import { flagRoutes } from "~/pages/flags";
import { homeRoutes } from "~/pages/home";
import { noticeRoutes } from "~/pages/notices";
import { peopleRoutes } from "~/pages/people";
import { recordRoutes } from "~/pages/record";
import { signInRoutes } from "~/pages/sign-in";
import { ErrorView, NotFoundView, PendingView } from "./views";
import { rootRoute, shellRoute } from "./root";

/* Inside the shell, so that a wrong address leaves the navigation where it is. */
const anythingElse = createRoute({ getParentRoute: () => shellRoute, path: "$", staticData: { title: "Nothing here" }, component: NotFoundView });

const tree = rootRoute.addChildren([...signInRoutes, shellRoute.addChildren([...homeRoutes, ...customerRoutes, ...flagRoutes, ...changeRoutes, ...peopleRoutes, ...noticeRoutes, ...accountRoutes, ...recordRoutes, anythingElse])]);

export function makeRouter(queries: QueryClient) {
	return createRouter({
		routeTree: tree,
		basepath: "/console",
		context: { queries },
		defaultPreload: "intent",
		defaultPreloadStaleTime: 0,
		defaultPendingMs: 150,
		defaultPendingComponent: PendingView,
		defaultErrorComponent: ErrorView,
		defaultNotFoundComponent: NotFoundView,
		scrollRestoration: false,
		/* What a page does not take stands in no address: else it would reach the page unchecked. */
		search: { strict: true },
	});
}

declare module "@tanstack/react-router" {
	interface Register {
		router: ReturnType<typeof makeRouter>;
	}
}
