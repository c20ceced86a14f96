/* On a change of page: the tab's title, the focus on the new heading, the top of the page. */
import type { AnyRouter } from "@tanstack/react-router";
import { awaitHeading } from "~/ui/focus";

const NAME = "Bimodal";

/** The tab says where we are; a page that knows better (the name of a record) calls this when it does. */
export function titlePage(title: string | undefined): void {
	document.title = title === undefined ? NAME : `${title} · ${NAME}`;
}

export function followPages(router: AnyRouter): void {
	router.subscribe("onBeforeNavigate", ({ pathChanged, fromLocation }) => {
		if (pathChanged && fromLocation !== undefined)
			awaitHeading();
	});
	router.subscribe("onRendered", ({ pathChanged, fromLocation }) => {
		if (!pathChanged && fromLocation !== undefined)
			return;
		titlePage(router.state.matches.at(-1)?.staticData.title);
		if (fromLocation !== undefined)
			window.scrollTo(0, 0);
	});
}
