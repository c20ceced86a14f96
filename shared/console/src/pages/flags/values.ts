/* Values as they are typed into a field: a number, true, false and null are what they look like, everything else is text. */
import type { Json } from "~/api/records";

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const QUOTED = /^"(?:[^"\\]|\\.)*"$/;

/** What is in double quotes is text, whatever it looks like. */
export function readValue(typed: string): Json {
	const t = typed.trim();
	if (t === "true" || t === "false")
		return t === "true";
	if (t === "null")
		return null;
	if (NUMBER.test(t))
		return Number(t);
	if (QUOTED.test(t)) {
		try {
			return JSON.parse(t) as string;
		} catch {
			/* no such escape: it stands as it is */
		}
	}
	return t;
}

/** The same way back; null: it cannot be typed so. */
export function typeValue(value: Json): string | null {
	if (typeof value === "string")
		return readValue(value) === value ? value : JSON.stringify(value);
	return typeof value === "object" && value !== null ? null : JSON.stringify(value);
}
