/* What is around every page: theme, queries, router; and what happens when a session ends under a page. */
import { MantineProvider, localStorageColorSchemeManager } from "@mantine/core";
import { MutationCache, QueryCache, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Problem } from "~/api/problem";
import { actorQuery, makeQueryClient } from "~/api/query";
import { mayBeSignedIn } from "~/api/session";
import { followPages } from "./pages";
import { makeRouter } from "./router";
import { SCHEME_KEY, theme } from "./theme";

const schemes = localStorageColorSchemeManager({ key: SCHEME_KEY });

/*
 * A daemon does not know who asks. Is the session over? Core is asked once; if it is, everything that was read under it goes, and the
 * shell's route leads to the sign-in.
 */
function onRefused(thrown: unknown): void {
	if (!(thrown instanceof Problem) || thrown.status !== 401 || !mayBeSignedIn() || asking)
		return;
	asking = true;
	void queries
		.fetchQuery({ ...actorQuery, staleTime: 0 })
		.then((actor) => {
			if (actor !== null)
				return;
			return router.invalidate().then(() => queries.clear());
		})
		.catch(() => undefined)
		.finally(() => {
			asking = false;
		});
}

let asking = false;

const queries = makeQueryClient(new QueryCache({ onError: onRefused }), new MutationCache({ onError: onRefused }));
const router = makeRouter(queries);
followPages(router);

export function App() {
	return (
		<MantineProvider theme={theme} colorSchemeManager={schemes} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
			<QueryClientProvider client={queries}>
				<RouterProvider router={router} />
			</QueryClientProvider>
		</MantineProvider>
	);
}
