/*
 * The short-lived token by which this session may speak to the sandbox. Core makes it; the sandbox knows it as soon as its copy has it,
 * about a second later. Kept for the tab, so that a reload needs no other one.
 */
import type { CoreSchemas } from "./client";
import { core } from "./core";

const KEY = "bimodal.sandbox-token";
const SPARE_MS = 60_000;
/* What the way of a new token through the feed takes as a rule. Asking sooner would only be refused. */
const ARRIVES_MS = 1_500;

type Token = Readonly<CoreSchemas["schemas"]["SandboxToken"]>;

let held: Token | null = null;
let asked: Promise<Token> | null = null;
let madeAt = 0;

function kept(): Token | null {
	try {
		const text = sessionStorage.getItem(KEY);
		return text === null ? null : (JSON.parse(text) as Token);
	} catch {
		return null;
	}
}

function keep(token: Token | null): void {
	held = token;
	try {
		if (token === null)
			sessionStorage.removeItem(KEY);
		else
			sessionStorage.setItem(KEY, JSON.stringify(token));
	} catch {
		/* storage is refused: memory has it */
	}
}

async function make(): Promise<Token> {
	const { data } = await core.post<Token>("/v1/session/sandbox-token");
	madeAt = Date.now();
	await new Promise((done) => setTimeout(done, ARRIVES_MS));
	keep(data);
	return data;
}

/** A token that will live for another minute at least. */
export async function sandboxToken(): Promise<string> {
	held ??= kept();
	if (held !== null && Date.parse(held.expires_at) - Date.now() > SPARE_MS)
		return held.token;
	asked ??= make().finally(() => {
		asked = null;
	});
	return (await asked).token;
}

/** The sandbox does not know it: milliseconds since it was made here, or Infinity if that is another page's. */
export function age(): number {
	return madeAt === 0 ? Infinity : Date.now() - madeAt;
}

export function forget(): void {
	madeAt = 0;
	keep(null);
}
