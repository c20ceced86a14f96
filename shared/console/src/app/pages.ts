/* On a change of page: the tab's title, the focus on the new heading (so that a screen reader says it), the top of the page. */
import type { AnyRouter } from "@tanstack/react-router";

const NAME = "Bimodal";

/** The tab says where we are; a page that knows better (the name of a record) calls this when it does. */
export function titlePage(title: string | undefined): void {
	document.title = title === undefined ? NAME : `${title} · ${NAME}`;
}

export function followPages(router: AnyRouter): void {
	router.subscribe("onRendered", ({ pathChanged, fromLocation }) => {
		const last = router.state.matches.at(-1);
		if (!pathChanged && fromLocation !== undefined)
			return;
		titlePage(last?.staticData.title);
		if (fromLocation === undefined)
			return;
		/* A page that is still being loaded has no heading yet: its frame takes the focus. */
		const place = document.querySelector<HTMLElement>("main h1") ?? document.querySelector<HTMLElement>("main");
		place?.focus({ preventScroll: true });
		window.scrollTo(0, 0);
	});
}
