/* How answers are kept and asked for again, for every page alike. */
import { type MutationCache, type QueryCache, QueryClient, queryOptions } from "@tanstack/react-query";
import { asProblem } from "./problem";
import { readActor } from "./session";

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
