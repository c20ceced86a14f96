/*
 * Who is signed in. The cookie is HttpOnly, so the page cannot see it; a mark in local storage says that there may be a session, so
 * that a visitor without one is not asked about it. The CSRF token lives in memory only and comes with the session.
 */
import { Problem } from "./problem";
import { core } from "./core";
import { forget as forgetSandbox } from "./sandbox-token";
import { csrf } from "./csrf";
import type { CoreSchemas } from "./client";
import type { Me, Session } from "./types";

const MARK = "bimodal.signed-in";

export interface Actor {
	readonly session: Session;
	readonly me: Me;
}

function storage(act: (s: Storage) => void): void {
	try {
		act(localStorage);
	} catch {
		/* storage is refused: the next visit asks core */
	}
}

/** There may be a session. */
export function mayBeSignedIn(): boolean {
	try {
		return localStorage.getItem(MARK) !== null;
	} catch {
		return true;
	}
}

/** A session was begun, or will be when the identity provider sends the browser back. */
export function markSignedIn(): void {
	storage((s) => s.setItem(MARK, "1"));
}

/** The identity provider sent the browser back, and core let nobody in. */
export function markRefused(): void {
	storage((s) => s.removeItem(MARK));
}

/** Nothing of the session is left on this side. */
export function forgetSession(): void {
	csrf.token = null;
	forgetSandbox();
	storage((s) => s.removeItem(MARK));
}

/** The actor, or null if nobody is signed in. */
export async function readActor(signal?: AbortSignal): Promise<Actor | null> {
	const call = signal === undefined ? {} : { signal };
	try {
		const session = await core.get<Session>("/v1/session", call);
		csrf.token = session.csrf_token;
		return { session, me: await core.get<Me>("/v1/me", call) };
	} catch (thrown) {
		if (!(thrown instanceof Problem) || thrown.status !== 401)
			throw thrown;
		forgetSession();
		return null;
	}
}

export async function signIn(login: string, password: string): Promise<void> {
	const { data } = await core.post<Session>("/v1/session", { login, password });
	csrf.token = data.csrf_token;
	markSignedIn();
}

/** The ways of signing in that core offers. */
export type SignInMethods = Readonly<CoreSchemas["schemas"]["SignInMethods"]>;

export function readMethods(signal: AbortSignal): Promise<SignInMethods> {
	return core.get<SignInMethods>("/v1/session/methods", { signal });
}

/** Sets a password by a one-time secret; whoever did so can sign in with it. */
export async function setPassword(secret: string, password: string): Promise<void> {
	await core.post("/v1/password-reset", { secret, password });
}

export async function signOut(): Promise<void> {
	/* First, so that whoever hears of the session's end knows that it was meant. */
	storage((s) => s.removeItem(MARK));
	try {
		await core.remove("/v1/session");
	} catch (thrown) {
		if (!(thrown instanceof Problem) || thrown.status !== 401) {
			markSignedIn();
			throw thrown;
		}
	}
	forgetSession();
}

/** Does the actor have this right? "flag.read" is granted by itself or by "*.read". */
export function may(me: Me, right: string): boolean {
	return me.rights.includes(right) || me.rights.includes(`*.${right.slice(right.indexOf(".") + 1)}`);
}
