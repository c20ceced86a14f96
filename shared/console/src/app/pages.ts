/*
 * On a change of page: the tab's title, the focus on the new heading, the top of the page. By what is shown, not by the router's events:
 * two states that come in one render make none.
 */
import { useEffect, useLayoutEffect, useRef } from "react";
import { useRouterState } from "@tanstack/react-router";
import { focusHeading } from "~/ui/focus";
import { overlayStore } from "./commands";

const NAME = "Bimodal";

/** The tab says where we are; a page that knows better (the name of a record) calls this in an effect when it does. */
export function titlePage(title: string | undefined): void {
	document.title = title === undefined ? NAME : `${title} · ${NAME}`;
}

/** Once, around all pages. */
export function useFollowPages(): void {
	const place = useRouterState({ select: (s) => s.matches.at(-1)?.pathname });
	const title = useRouterState({ select: (s) => s.matches.at(-1)?.staticData.title });
	const shown = useRef<string | undefined>(undefined);
	/* Before the effects of the page itself, so that its own title stays. */
	useLayoutEffect(() => titlePage(title), [place, title]);
	useEffect(() => {
		const first = shown.current === undefined;
		shown.current = place;
		if (first || place === undefined)
			return;
		/* A page that comes late leaves the focus in what was opened over it meanwhile. */
		if (overlayStore.get() === "none")
			focusHeading();
		window.scrollTo(0, 0);
	}, [place]);
}
