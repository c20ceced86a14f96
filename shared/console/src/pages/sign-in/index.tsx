/* /sign-in?next=…&refused=… and /set-password: the two pages of those who are not signed in. */
import { createRoute, lazyRouteComponent } from "@tanstack/react-router";
import { rootRoute } from "~/app/root";

export interface SignInSearch {
	/** Where to go then, a path of the console. */
	readonly next?: string;
	/** Why core did not let in who came back from the identity provider: a word. */
	readonly refused?: string;
}

const signIn = createRoute({
	getParentRoute: () => rootRoute,
	path: "/sign-in",
	staticData: { title: "Sign in" },
	/* A path alone: never another site. */
	validateSearch: ({ next, refused }: Record<string, unknown>): SignInSearch => ({
		...(typeof next === "string" && /^\/(?!\/)/.test(next) ? { next } : {}),
		...(typeof refused === "string" ? { refused } : {}),
	}),
	component: lazyRouteComponent(() => import("./SignIn"), "SignIn"),
});

const setPassword = createRoute({
	getParentRoute: () => rootRoute,
	path: "/set-password",
	staticData: { title: "Set a password" },
	component: lazyRouteComponent(() => import("./SetPassword"), "SetPassword"),
});

export const signInRoutes = [signIn, setPassword] as const;
