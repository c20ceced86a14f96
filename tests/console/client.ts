/*
 * A client made of the generated types against a running core: node client.js ORIGIN TOKEN. It says "good" and what it made, or fails. That
 * the lines after @ts-expect-error do not compile is part of the test. What it was answered is a line of JSON each on stderr, as --trace writes
 * them, for the test to look at.
 */
import { coreClient, type Answer, type Sent, type Transport } from "../../shared/console/src/api/client";

declare const process: { argv: string[]; exitCode: number; stderr: { write(text: string): void } };

class Refused extends Error {
	constructor(readonly status: number, readonly code: string) {
		super(`${status} ${code}`);
	}
}

function overFetch(origin: string, token: string): Transport {
	return {
		async call<T>(method: string, path: string, call: Sent = {}): Promise<Answer<T>> {
			const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
			if (call.body !== undefined)
				headers["Content-Type"] = "application/json";
			if (call.ifMatch !== undefined)
				headers["If-Match"] = call.ifMatch;
			const query = new URLSearchParams();
			for (const [name, value] of Object.entries(call.query ?? {}))
				if (value !== undefined && value !== null)
					query.set(name, String(value));
			const target = `${path}?${query}`;
			const reply = await fetch(origin + target, { method, headers, body: call.body === undefined ? null : JSON.stringify(call.body) });
			const body = await reply.text();
			process.stderr.write(`${JSON.stringify({ daemon: "core", method, target, status: reply.status, headers: [...reply.headers], body })}\n`);
			const data = reply.status === 204 ? undefined : JSON.parse(body);
			if (!reply.ok)
				throw new Refused(reply.status, (data as { code: string }).code);
			return { data: data as T, status: reply.status, etag: reply.headers.get("ETag") };
		},
	};
}

async function main(origin: string, token: string): Promise<void> {
	const core = coreClient(overFetch(origin, token));

	const made = await core.post("/v1/people", { body: { given_name: "Ada", family_name: "Client", country: "GB" } });
	const id: string = made.data.id;
	const found = await core.get("/v1/people", { query: { family_name: "Client", sort: ["-family_name"], fields: ["given_name", "country"], limit: 1 } });
	if (found.data.data[0]?.given_name !== "Ada")
		throw new Error(`found ${JSON.stringify(found.data)}`);
	const changed = await core.patch("/v1/people/{id}", { path: { id }, header: { "If-Match": made.etag ?? "*" }, body: { country: null } });
	if (changed.data.country !== null)
		throw new Error("the country is still there");
	try {
		await core.patch("/v1/people/{id}", { path: { id }, header: { "If-Match": made.etag ?? "*" }, body: { city: "Paris" } });
		throw new Error("a stale patch was taken");
	} catch (thrown) {
		if (!(thrown instanceof Refused) || thrown.code !== "stale-version")
			throw thrown;
	}
	await core.remove("/v1/people/{id}", { path: { id }, header: { "If-Match": "*" } });
	const me = await core.get("/v1/me");
	console.log(`good ${id} ${me.data.name}`);

	const never = () => {
		// @ts-expect-error: there is no such route
		void core.get("/v1/peoples");
		// @ts-expect-error: it is not deleted like this
		void core.remove("/v1/people");
		// @ts-expect-error: the path needs its id
		void core.get("/v1/people/{id}");
		// @ts-expect-error: a patch needs the version that was read
		void core.patch("/v1/people/{id}", { path: { id }, body: {} });
		// @ts-expect-error: there is no such field to write
		void core.post("/v1/people", { body: { given_nam: "Ada" } });
		// @ts-expect-error: there is no such field to sort by
		void core.get("/v1/people", { query: { sort: ["nothing"] } });
		// @ts-expect-error: an organization has a name
		void core.post("/v1/organizations", { body: {} });
		// @ts-expect-error: there is no such field in the answer
		void core.get("/v1/people/{id}", { path: { id } }).then((r) => r.data.pseudonym);
	};
	void never;
}

main(process.argv[2] ?? "", process.argv[3] ?? "").catch((thrown: unknown) => {
	console.error(thrown);
	process.exitCode = 1;
});
