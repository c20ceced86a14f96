/* Times as people say them. The exact one is always at hand: see <Time>. */

const units: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
	["year", 31_557_600],
	["month", 2_629_800],
	["week", 604_800],
	["day", 86_400],
	["hour", 3_600],
	["minute", 60],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

/** "2 hours ago", "in 3 days", "just now" */
export function sayRelative(at: Date, now: number = Date.now()): string {
	const seconds = Math.round((at.getTime() - now) / 1000);
	for (const [unit, size] of units) {
		if (Math.abs(seconds) >= size)
			return relative.format(Math.trunc(seconds / size), unit);
	}
	if (Math.abs(seconds) < 10)
		return "just now";
	return relative.format(seconds, "second");
}

export function sayExact(at: Date): string {
	return exact.format(at);
}

const clock = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** "Mon, 23 Nov, 11:10": for within a sentence. */
export function sayClock(at: Date): string {
	return clock.format(at);
}

const MOMENT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))/;

/** A text in parts: what is a moment as the API writes them is a Date. */
export function cutMoments(text: string): readonly (string | Date)[] {
	return text.split(MOMENT).map((part, i) => (i % 2 === 0 || Number.isNaN(Date.parse(part)) ? part : new Date(part)));
}

/** The same in one text, for where only text can stand. */
export function sayMoments(text: string): string {
	return cutMoments(text)
		.map((part) => (typeof part === "string" ? part : sayClock(part)))
		.join("");
}

/** "850 ms", "3.2 s", "4 min", "2.5 h" */
export function sayDuration(ms: number): string {
	if (ms < 1000)
		return `${Math.round(ms)} ms`;
	if (ms < 60_000)
		return `${(ms / 1000).toFixed(1)} s`;
	if (ms < 3_600_000)
		return `${Math.round(ms / 60_000)} min`;
	return `${(ms / 3_600_000).toFixed(1)} h`;
}
