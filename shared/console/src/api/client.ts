/*
 * The API as types: client(core).get("/v1/people/{id}", { path: { id } }) knows what may be asked and what is answered. The types in
 * paths/ are made from the documents of the daemons (shared/openapi/*.json) when the console is built, so that a route, a field or a
 * parameter that is not there does not compile. How a request is sent is the transport's.
 */
import type { paths as CorePaths } from "./paths/core";
import type { paths as SandboxPaths } from "./paths/sandbox";

export type { components as CoreSchemas } from "./paths/core";
export type { components as SandboxSchemas } from "./paths/sandbox";
export type { CorePaths, SandboxPaths };

type Method = "get" | "post" | "put" | "patch" | "delete";
type Value = string | number | boolean | null | undefined;

/** What sends a request and throws for everything but success. */
export interface Transport {
	call<T>(method: string, path: string, call?: Sent): Promise<Answer<T>>;
}

export interface Sent {
	readonly query?: Readonly<Record<string, Value>>;
	readonly body?: unknown;
	readonly ifMatch?: string;
	readonly idempotencyKey?: string;
	readonly signal?: AbortSignal;
}

export interface Answer<T> {
	readonly data: T;
	readonly status: number;
	readonly etag: string | null;
}

/** The paths that have this method. */
type Served<Paths, M extends Method> = {
	[P in keyof Paths]: Paths[P] extends { [m in M]: { responses: unknown } } ? P : never;
}[keyof Paths] &
	string;

type Operation<Paths, M extends Method, P extends keyof Paths> = Paths[P] extends { [m in M]: infer O } ? O : never;

type Success = 200 | 201 | 202 | 204;
type Content<R> = R extends { content: infer C } ? C[keyof C] : undefined;
/** The body of a success. */
export type Data<O> = O extends { responses: infer R } ? { [S in keyof R & Success]: Content<R[S]> }[keyof R & Success] : never;

type Parameters<O, Where extends string> = O extends { parameters: { [w in Where]: infer T } } ? { [w in Where]: T }
	: O extends { parameters: { [w in Where]?: infer T } } ? ([T] extends [undefined] ? unknown : { [w in Where]?: T })
	: unknown;
type Body<O> = O extends { requestBody: { content: infer C } } ? { body: C[keyof C] } : { body?: undefined };
/** What an operation takes. */
export type Asked<O> = Parameters<O, "path"> & Parameters<O, "query"> & Parameters<O, "header"> & Body<O> & { signal?: AbortSignal };
type Arguments<T> = Record<string, never> extends T ? [asked?: T] : [asked: T];

interface Any {
	path?: Readonly<Record<string, string | number>>;
	query?: Readonly<Record<string, Value | readonly Value[]>>;
	header?: Readonly<Record<string, string | undefined>>;
	body?: unknown;
	signal?: AbortSignal;
}

/** "/v1/people/{id}" with the parameters in place; each is one segment. */
export function pathText(pattern: string, path: Any["path"] = {}): string {
	return pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
		const value = path[name];
		if (value === undefined || value === "")
			throw new Error(`${pattern} needs ${name}`);
		return encodeURIComponent(String(value));
	});
}

function sent(asked: Any): Sent {
	const query: Record<string, Value> = {};
	for (const [name, value] of Object.entries(asked.query ?? {}))
		query[name] = Array.isArray(value) ? value.join(",") : (value as Value);
	const match = asked.header?.["If-Match"];
	const key = asked.header?.["Idempotency-Key"];
	return {
		query,
		...(asked.body === undefined ? {} : { body: asked.body }),
		...(match === undefined ? {} : { ifMatch: match }),
		...(key === undefined ? {} : { idempotencyKey: key }),
		...(asked.signal === undefined ? {} : { signal: asked.signal }),
	};
}

export class Client<Paths> {
	constructor(private readonly transport: Transport) {}

	private ask<M extends Method, P extends Served<Paths, M>>(method: M, path: P, asked: unknown): Promise<Answer<Data<Operation<Paths, M, P>>>> {
		const any = (asked ?? {}) as Any;
		return this.transport.call(method.toUpperCase(), pathText(path, any.path), sent(any));
	}

	get<P extends Served<Paths, "get">>(path: P, ...[asked]: Arguments<Asked<Operation<Paths, "get", P>>>) {
		return this.ask("get", path, asked);
	}

	post<P extends Served<Paths, "post">>(path: P, ...[asked]: Arguments<Asked<Operation<Paths, "post", P>>>) {
		return this.ask("post", path, asked);
	}

	put<P extends Served<Paths, "put">>(path: P, ...[asked]: Arguments<Asked<Operation<Paths, "put", P>>>) {
		return this.ask("put", path, asked);
	}

	patch<P extends Served<Paths, "patch">>(path: P, ...[asked]: Arguments<Asked<Operation<Paths, "patch", P>>>) {
		return this.ask("patch", path, asked);
	}

	remove<P extends Served<Paths, "delete">>(path: P, ...[asked]: Arguments<Asked<Operation<Paths, "delete", P>>>) {
		return this.ask("delete", path, asked);
	}
}

export function coreClient(transport: Transport): Client<CorePaths> {
	return new Client<CorePaths>(transport);
}

export function sandboxClient(transport: Transport): Client<SandboxPaths> {
	return new Client<SandboxPaths>(transport);
}
