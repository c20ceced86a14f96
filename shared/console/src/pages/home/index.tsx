import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

const home = createRoute({
	getParentRoute: () => shellRoute,
	path: "/",
	staticData: { title: "Home" },
	component: lazyRouteComponent(() => import("./Home"), "Home"),
});

export const homeRoutes = [home] as const;
