import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

const account = createRoute({
	getParentRoute: () => shellRoute,
	path: "/account",
	staticData: { title: "My account" },
	component: lazyRouteComponent(() => import("./Account"), "Account"),
});

export const accountRoutes = [account] as const;
