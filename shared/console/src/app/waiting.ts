/* What waits for the actor: tasks that are not done, and news that was not read. */
import { queryOptions } from "@tanstack/react-query";
import { core } from "~/api/core";
import type { Notices } from "~/api/types";

const EVERY_MS = 30_000;

export const noticesQuery = queryOptions({
	queryKey: ["notices"],
	queryFn: async ({ signal }) => {
		const [open, unread] = await Promise.all([
			core.get<Notices>("/v1/notices", { query: { state: "open", limit: 50 }, signal }),
			core.get<Notices>("/v1/notices", { query: { state: "unread", limit: 50 }, signal }),
		]);
		const known = new Set(open.data.map((n) => n.id));
		const news = unread.data.filter((n) => !n.task && !known.has(n.id));
		return { tasks: open.data, news, counts: { open: open.counts.open, unread: news.length }, more: open.page.has_more || unread.page.has_more };
	},
	refetchInterval: EVERY_MS,
});
