/*
 * What changes elsewhere, as core tells it (GET /v1/live, server-sent events): hints by which queries are asked again. Queries take part
 * by their keys: ["records", resource, …] for lists and ["record", resource, id, …] for one record; ["flags", …], ["changes", …],
 * ["notices"], ["drift"].
 *
 * Only the tab that is looked at has a stream: a browser opens few connections to one host. A tab that is looked at again goes on where
 * it was.
 */
import { useEffect } from "react";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import type { LiveEvent } from "~/api/types";
import { checkSession } from "./over";

const AGAIN_MS = 5_000;
const RELATED_MS = 1_000;

/** The events, by their names. */
type Name = LiveEvent["event"];
const names: Readonly<Record<Name, true>> = { ready: true, reset: true, record: true, notice: true, flag: true, change: true, drift: true, feed: true, end: true };

/* The whole of a customer tells of his cases, consents and the like, and a hint does not say whose it is: the open one is asked again, once a second at most. */
let related: ReturnType<typeof setTimeout> | undefined;

function askRelated(queries: QueryClient): void {
	related ??= setTimeout(() => {
		related = undefined;
		void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === "record" && queryKey[3] === "360" });
	}, RELATED_MS);
}

function told(queries: QueryClient, name: Name, data: string): void {
	const again = (...queryKey: readonly string[]) => void queries.invalidateQueries({ queryKey });
	if (name === "record") {
		const { resource, id } = JSON.parse(data) as Extract<LiveEvent, { event: "record" }>["data"];
		again("records", resource);
		again("record", resource, ...(id === null ? [] : [id]));
		askRelated(queries);
	} else if (name === "notice") {
		again("notices");
	} else if (name === "flag") {
		again("flags");
	} else if (name === "change") {
		again("changes");
	} else if (name === "drift") {
		again("drift");
	} else if (name === "feed") {
		again("sandbox", "feed");
	} else {
		void queries.invalidateQueries();
	}
}

/** Once, in the shell. */
export function useLive(): void {
	const queries = useQueryClient();
	const router = useRouter();
	useEffect(() => {
		let source: EventSource | null = null;
		let last: string | null = null;
		let timer: ReturnType<typeof setTimeout> | undefined;
		const close = () => {
			clearTimeout(timer);
			source?.close();
			source = null;
		};
		const open = () => {
			close();
			source = new EventSource(`/v1/live${last === null ? "" : `?after=${encodeURIComponent(last)}`}`);
			const hear = (e: MessageEvent<string>) => {
				last = e.lastEventId || last;
				const name = e.type as Name;
				if (name === "end") {
					close();
					void checkSession(queries, router);
				} else if (name !== "ready") {
					told(queries, name, e.data);
				}
			};
			for (const name of Object.keys(names))
				source.addEventListener(name, hear);
			/* A stream that broke is begun again by the browser; one that was refused is not. */
			source.onerror = () => {
				if (source?.readyState === EventSource.CLOSED)
					timer = setTimeout(open, AGAIN_MS);
			};
		};
		const look = () => {
			if (document.visibilityState === "hidden")
				close();
			else if (source === null)
				open();
		};
		look();
		document.addEventListener("visibilitychange", look);
		return () => {
			document.removeEventListener("visibilitychange", look);
			close();
		};
	}, [queries, router]);
}
