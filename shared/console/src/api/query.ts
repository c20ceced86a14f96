/* How answers are kept and asked for again, for every page alike. */
import { type MutationCache, type QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import { asProblem } from "./problem";
import { readActor, readMethods } from "./session";

const FRESH_MS = 10_000;

export function makeQueryClient(queryCache: QueryCache, mutationCache: MutationCache): QueryClient {
	return new QueryClient({
		queryCache,
		mutationCache,
		defaultOptions: {
			queries: {
				staleTime: FRESH_MS,
				/* A refusal is an answer: only what the daemon calls retryable is asked again. */
				retry: (failures, thrown) => failures < 2 && asProblem(thrown).retryable && !asProblem(thrown).isUnreachable,
				networkMode: "always",
			},
			mutations: { retry: false, networkMode: "always" },
		},
	});
}

/** Who is signed in; null: nobody. */
export const actorQuery = queryOptions({
	queryKey: ["actor"],
	queryFn: ({ signal }) => readActor(signal),
	staleTime: 60_000,
});

/** Asked before anybody is signed in; the page that shows it may be there already when another's answers go. */
export const methodsQuery = queryOptions({
	queryKey: ["sign-in", "methods"],
	queryFn: ({ signal }) => readMethods(signal),
	retry: false,
});

/** All that was read for whoever was signed in. */
export function forgetAnswers(queries: QueryClient): void {
	queries.removeQueries({ predicate: (q) => q.queryKey[0] !== methodsQuery.queryKey[0] });
	queries.getMutationCache().clear();
}
