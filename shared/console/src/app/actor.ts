/* Who is signed in, for everything inside the shell. */
import { getRouteApi } from "@tanstack/react-router";
import type { Actor } from "~/api/session";
import { may } from "~/api/session";

const shell = getRouteApi("/shell");

export function useActor(): Actor {
	return shell.useRouteContext().actor;
}

/** Has the actor this right ("change.approve")? What he may not do is not offered; the daemons refuse it in any case. */
export function useMay(): (right: string) => boolean {
	const { me } = useActor();
	return (right) => may(me, right);
}
