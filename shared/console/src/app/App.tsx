/* What is around every page: theme, queries, router; and what happens when a session ends under a page. */
import { MantineProvider, localStorageColorSchemeManager } from "@mantine/core";
import { MutationCache, QueryCache, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { Problem } from "~/api/problem";
import { makeQueryClient } from "~/api/query";
import { checkSession } from "./over";
import { makeRouter } from "./router";
import { SCHEME_KEY, theme } from "./theme";

const schemes = localStorageColorSchemeManager({ key: SCHEME_KEY });

function onRefused(thrown: unknown): void {
	if (thrown instanceof Problem && thrown.status === 401)
		void checkSession(queries, router);
}

const queries = makeQueryClient(new QueryCache({ onError: onRefused }), new MutationCache({ onError: onRefused }));
const router = makeRouter(queries);

export function App() {
	return (
		<MantineProvider theme={theme} colorSchemeManager={schemes} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
			<QueryClientProvider client={queries}>
				<RouterProvider router={router} />
			</QueryClientProvider>
		</MantineProvider>
	);
}
