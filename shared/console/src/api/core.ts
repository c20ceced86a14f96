/* Core is the console's own origin: the cookie says who asks, the CSRF token that it is us. */
import { csrf } from "./csrf";
import { Daemon } from "./daemon";

export const core = new Daemon({
	name: "core",
	base: () => Promise.resolve(""),
	credentials(method) {
		const sent: Record<string, string> = {};
		if (method !== "GET" && csrf.token !== null)
			sent["X-CSRF-Token"] = csrf.token;
		return Promise.resolve(sent);
	},
	cookies: "same-origin",
});
