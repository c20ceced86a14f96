import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { shellRoute } from "~/app/root";

const account = createRoute({
	getParentRoute: () => shellRoute,
	path: "/account",
	staticData: { title: "My account" },
	component: lazyRouteComponent(() => import("./Account"), "Account"),
});

/* What notices about oneself link to. */
const me = createRoute({
	getParentRoute: () => shellRoute,
	path: "/me",
	beforeLoad: () => {
		throw redirect({ to: "/account", replace: true });
	},
});

export const accountRoutes = [account, me] as const;
