/* How many interactions with a customer each of the last months had, in the reader's own time zone. */
import { queryOptions } from "@tanstack/react-query";
import { core } from "~/api/core";
import type { Row } from "~/api/records";
import type { Page } from "~/api/types";

const MONTHS = 12;
const ROWS = 200;
/* A customer with more is counted as far back as these pages go. */
const PAGES = 5;

export interface Month {
	/** First moments of it and of the next one. */
	readonly from: Date;
	readonly to: Date;
	readonly count: number;
	/** There are more than were counted. */
	readonly more: boolean;
}

function monthAt(now: Date, back: number): Date {
	return new Date(now.getFullYear(), now.getMonth() - back, 1);
}

/** The months from the first that was counted to this one, by the times of all interactions of theirs, the newest first. */
export function countMonths(times: readonly Date[], more: boolean, now: Date): readonly Month[] {
	const all = Array.from({ length: MONTHS }, (_, i) => {
		const [from, to] = [monthAt(now, MONTHS - 1 - i), monthAt(now, MONTHS - 2 - i)];
		return { from, to, count: times.filter((t) => t >= from && t < to).length, more: false };
	});
	const oldest = times.at(-1);
	if (!more || oldest === undefined)
		return all;
	return all.filter((m) => m.to > oldest).map((m) => ({ ...m, more: m.from <= oldest }));
}

/** `reference` is the field that names the customer. Live: a hint about interactions lets it be asked again. */
export const monthsQuery = (reference: string, id: string, now: Date) => {
	const from = monthAt(now, MONTHS - 1).toISOString();
	const to = monthAt(now, -1).toISOString();
	return queryOptions({
		queryKey: ["records", "interactions", "by month", reference, id, from],
		queryFn: async ({ signal }) => {
			const times: Date[] = [];
			let after: string | null = null;
			for (let i = 0; i < PAGES; i++) {
				const query = { [reference]: `eq.${id}`, at: [`gte.${from}`, `lt.${to}`], fields: "at", sort: "-at", limit: ROWS, after };
				const page: Page<Row> = await core.get<Page<Row>>("/v1/interactions", { query, signal });
				times.push(...page.data.map((r) => new Date(String(r.at))));
				after = page.page.next;
				if (!page.page.has_more)
					break;
			}
			return countMonths(times, after !== null, now);
		},
	});
};
