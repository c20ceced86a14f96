/*
 * The sandbox is another origin: a token says who asks, no cookie goes there. When it is away its calls throw a Problem whose
 * `isUnreachable` is true; what core serves goes on.
 */
import { consoleConfig } from "./config";
import { Daemon } from "./daemon";
import { Problem, UNREACHABLE } from "./problem";
import { age, forget, sandboxToken } from "./sandbox-token";

/** A new token reaches the sandbox by the feed; until then it is not known there. */
const ARRIVES_MS = 15_000;
const PAUSE_MS = 1_000;

export const sandbox = new Daemon({
	name: "sandbox",
	async base() {
		const { sandbox: origin } = await consoleConfig();
		if (origin === null)
			throw new Problem(0, UNREACHABLE, "No sandbox", "This console has no sandbox: console.sandbox_origin is not set in core.");
		return origin;
	},
	async credentials() {
		return { Authorization: `Bearer ${await sandboxToken()}` };
	},
	async refused() {
		if (age() > ARRIVES_MS)
			forget();
		await new Promise((done) => setTimeout(done, PAUSE_MS));
		return true;
	},
	cookies: "omit",
});
