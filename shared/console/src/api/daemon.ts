/*
 * One daemon over HTTP: JSON in, JSON out, a Problem thrown for everything else. core.ts and sandbox.ts make one each; pages use those
 * and never fetch() themselves.
 */
import { Problem, UNREACHABLE, problemOf } from "./problem";

export type DaemonName = "core" | "sandbox";
export type QueryValue = string | number | boolean | null | undefined;
export type Query = Readonly<Record<string, QueryValue | readonly string[]>>;

export interface Call {
	readonly query?: Query;
	/** Sent as JSON; a PATCH as a merge patch. */
	readonly body?: unknown;
	/** The ETag of the record as it was read; "*" for whatever it is now. */
	readonly ifMatch?: string;
	/** Makes a repeated POST one: any text of this try's own, see newKey(). */
	readonly idempotencyKey?: string;
	readonly signal?: AbortSignal;
}

export interface Reply<T> {
	readonly data: T;
	readonly status: number;
	readonly etag: string | null;
	readonly headers: Headers;
}

export interface DaemonConf {
	readonly name: DaemonName;
	/** What paths are put behind; "" is the console's own origin. */
	base(): Promise<string>;
	/** Headers that say who asks. */
	credentials(method: string): Promise<Record<string, string>>;
	/** After a 401: true if asking once more, with new credentials, may help. */
	refused?(problem: Problem): Promise<boolean>;
	/** Of fetch. */
	readonly cookies: RequestCredentials;
}

/** For `Call.idempotencyKey`. */
export function newKey(): string {
	return crypto.randomUUID();
}

/** "?a=1&b=2", names in the given order; what is null, undefined or "" is left out, a list repeats its name. */
export function queryText(query: Query | undefined): string {
	const out = new URLSearchParams();
	for (const [name, value] of Object.entries(query ?? {})) {
		for (const one of Array.isArray(value) ? (value as readonly string[]) : [value as QueryValue]) {
			if (one !== null && one !== undefined && one !== "")
				out.append(name, String(one));
		}
	}
	const s = out.toString();
	return s === "" ? "" : `?${s}`;
}

export class Daemon {
	constructor(private readonly conf: DaemonConf) {}

	get name(): DaemonName {
		return this.conf.name;
	}

	async call<T>(method: string, path: string, call: Call = {}): Promise<Reply<T>> {
		try {
			return await this.once<T>(method, path, call);
		} catch (thrown) {
			if (!(thrown instanceof Problem) || thrown.status !== 401 || !(await this.conf.refused?.(thrown)))
				throw thrown;
			return await this.once<T>(method, path, call);
		}
	}

	private async once<T>(method: string, path: string, call: Call): Promise<Reply<T>> {
		const headers: Record<string, string> = { Accept: "application/json", ...(await this.conf.credentials(method)) };
		if (call.body !== undefined)
			headers["Content-Type"] = method === "PATCH" ? "application/merge-patch+json" : "application/json";
		if (call.ifMatch !== undefined)
			headers["If-Match"] = call.ifMatch;
		if (call.idempotencyKey !== undefined)
			headers["Idempotency-Key"] = call.idempotencyKey;
		const base = await this.conf.base();
		let reply: Response;
		try {
			reply = await fetch(base + path + queryText(call.query), {
				method,
				headers,
				body: call.body === undefined ? null : JSON.stringify(call.body),
				signal: call.signal ?? null,
				credentials: this.conf.cookies,
				cache: "no-store",
				redirect: "error",
			});
		} catch (thrown) {
			if (call.signal?.aborted)
				throw thrown;
			throw new Problem(0, UNREACHABLE, "No answer", `The ${this.conf.name} cannot be reached.`, [], null, true);
		}
		if (!reply.ok)
			throw await problemOf(reply);
		const data = reply.status === 204 ? undefined : await reply.json();
		return { data: data as T, status: reply.status, etag: reply.headers.get("ETag"), headers: reply.headers };
	}

	/** The body alone. */
	async get<T>(path: string, call?: Call): Promise<T> {
		return (await this.call<T>("GET", path, call)).data;
	}

	/** With the ETag that a later patch() or remove() needs. */
	read<T>(path: string, call?: Call): Promise<Reply<T>> {
		return this.call<T>("GET", path, call);
	}

	post<T>(path: string, body: unknown = {}, call?: Call): Promise<Reply<T>> {
		return this.call<T>("POST", path, { ...call, body });
	}

	put<T>(path: string, body: unknown, call?: Call): Promise<Reply<T>> {
		return this.call<T>("PUT", path, { ...call, body });
	}

	patch<T>(path: string, body: unknown, ifMatch: string, call?: Call): Promise<Reply<T>> {
		return this.call<T>("PATCH", path, { ...call, body, ifMatch });
	}

	remove(path: string, call?: Call): Promise<Reply<void>> {
		return this.call<void>("DELETE", path, call);
	}
}
