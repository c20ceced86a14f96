/*
 * Is the session over? Asked when a daemon does not know who asks, and when the live stream says so. If it is, the shell's route leads to
 * the sign-in, and everything that was read under it goes.
 */
import type { QueryClient } from "@tanstack/react-query";
import { actorQuery, forgetAnswers } from "~/api/query";
import { mayBeSignedIn } from "~/api/session";

let asking = false;

export async function checkSession(queries: QueryClient, router: { invalidate(): Promise<void> }): Promise<void> {
	if (asking || !mayBeSignedIn())
		return;
	asking = true;
	try {
		if ((await queries.fetchQuery({ ...actorQuery, staleTime: 0 })) !== null)
			return;
		/* The pages go first: as long as they are there, they would ask again for what is cleared. */
		await router.invalidate();
		forgetAnswers(queries);
	} catch {
		/* Core is away: what is shown stays, and says so itself. */
	} finally {
		asking = false;
	}
}
