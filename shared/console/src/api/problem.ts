/*
 * What went wrong, as one type for both daemons: an application/problem+json answer (RFC 9457), or no answer at all.
 */

import type { CoreSchemas } from "./client";

/** A place of the request that is wrong: `pointer` into the body, or the `name` of a header or parameter. */
export type ProblemPlace = Readonly<CoreSchemas["schemas"]["ProblemPlace"]>;

/** The daemon could not be reached: `Problem.code` of a request that got no answer. */
export const UNREACHABLE = "unreachable";

export class Problem extends Error {
	override readonly name = "Problem";

	constructor(
		/** HTTP status; 0 if there was no answer. */
		readonly status: number,
		/** Stable word, such as "not-found". */
		readonly code: string,
		readonly title: string,
		readonly detail: string,
		readonly places: readonly ProblemPlace[] = [],
		readonly requestId: string | null = null,
		readonly retryable: boolean = false,
		/** The whole body: members of this problem alone, such as `reason` or `right`. */
		readonly members: Readonly<Record<string, unknown>> = {},
		/** Seconds after which to try again, if the daemon said so. */
		readonly retryAfter: number | null = null,
	) {
		super(detail || title);
	}

	/** The text about one field of a form, by JSON pointer. */
	at(pointer: string): string | undefined {
		return this.places.find((p) => p.pointer === pointer || p.name === pointer)?.detail;
	}

	get isUnreachable(): boolean {
		return this.code === UNREACHABLE;
	}
}

function text(value: unknown): string {
	return typeof value === "string" ? value : "";
}

/** From an answer that is no success. A body that is no problem+json (a proxy's, say) is told by its status alone. */
export async function problemOf(reply: Response): Promise<Problem> {
	const after = Number(reply.headers.get("Retry-After") ?? "");
	const retryAfter = Number.isFinite(after) && after > 0 ? after : null;
	let body: Record<string, unknown> = {};
	if ((reply.headers.get("Content-Type") ?? "").startsWith("application/problem+json")) {
		try {
			body = (await reply.json()) as Record<string, unknown>;
		} catch {
			/* cut off on the way: the status has to do */
		}
	}
	return new Problem(
		reply.status,
		text(body.code) || `http-${reply.status}`,
		text(body.title) || reply.statusText || `Status ${reply.status}`,
		text(body.detail),
		Array.isArray(body.errors) ? (body.errors as ProblemPlace[]) : [],
		text(body.request_id) || reply.headers.get("Request-Id"),
		body.retryable === true,
		body,
		retryAfter,
	);
}

/** Whatever was thrown, as a problem that can be shown. */
export function asProblem(thrown: unknown): Problem {
	if (thrown instanceof Problem)
		return thrown;
	const detail = thrown instanceof Error ? thrown.message : String(thrown);
	return new Problem(0, "console", "The console itself failed", detail);
}
