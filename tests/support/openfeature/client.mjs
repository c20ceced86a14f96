// The OpenFeature clients of the npm registry, driven line by line: a call comes as JSON on standard input, its result goes to standard
// output, and so does what the clients say by themselves.
import readline from "node:readline";
import { OFREPApi } from "ofrep-core-2";
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature as Server } from "@openfeature/server-sdk";
import { OpenFeature as Web, ProviderEvents } from "@openfeature/web-sdk";
import { EventSource } from "eventsource";

const say = (line) => process.stdout.write(JSON.stringify(line) + "\n");

// Streams are opened by the clients themselves; here it is only written down which.
globalThis.EventSource = class extends EventSource {
	constructor(url, init) {
		super(url, init);
		this.addEventListener("open", () => say({ event: "stream", name: "open" }));
		this.addEventListener("message", (e) => say({ event: "stream", name: "message", id: e.lastEventId, data: e.data }));
		this.addEventListener("error", () => say({ event: "stream", name: "error", state: this.readyState }));
	}
};

// What goes over the wire, as fetch sees it.
const seen = async (...args) => {
	const answer = await fetch(...args);
	const request = args[0];
	say({
		event: "request",
		url: request.url,
		method: request.method,
		headers: [...answer.headers],
		body: await answer.clone().text(),
		none_match: request.headers.get("If-None-Match"),
		status: answer.status,
		etag: answer.headers.get("ETag"),
		retry_after: answer.headers.get("Retry-After"),
	});
	return answer;
};

const options = ({ url, token, key }) => ({
	baseUrl: url,
	headers: token !== undefined ? [["Authorization", `Bearer ${token}`]] : [["X-API-Key", key]],
	fetchImplementation: seen,
});

const details = (client, { flag, otherwise, context }) => {
	const kind = { boolean: "Boolean", string: "String", number: "Number", object: "Object" }[typeof otherwise];
	return client[`get${kind}Details`](flag, otherwise, context);
};

const calls = {
	async server({ name, ...where }) {
		await Server.setProviderAndWait(name, new OFREPProvider(options(where)));
	},
	server_get({ name, ...what }) {
		return details(Server.getClient(name), what);
	},
	async web({ name, context, ...where }) {
		await Web.setContext(name, context);
		const provider = new OFREPWebProvider({ ...options(where), cacheMode: "disabled", ...(where.options ?? {}) });
		const client = Web.getClient(name);
		for (const event of [ProviderEvents.ConfigurationChanged, ProviderEvents.Stale, ProviderEvents.Error])
			client.addHandler(event, (e) => say({ event: "provider", name: event, client: name, message: e.message, flags: e.flagsChanged }));
		await Web.setProviderAndWait(name, provider);
	},
	async web_context({ name, context }) {
		await Web.setContext(name, context);
	},
	web_get({ name, ...what }) {
		return details(Web.getClient(name), what);
	},
	async web_close({ name }) {
		await Web.clearProvider?.(name);
		await Web.setProviderAndWait(name, { metadata: { name: "none" }, runsOn: "client" });
	},
	async single({ flag, context, ...where }) {
		const { httpStatus, value } = await new OFREPApi(options(where), seen).postEvaluateFlag(flag, context === undefined ? undefined : { context });
		return { status: httpStatus, value };
	},
	async bulk({ context, etag, metadata, ...where }) {
		const { httpStatus, value, httpResponse } = await new OFREPApi(options(where), seen).postBulkEvaluateFlags(
			context === undefined ? undefined : { context }, etag ?? null, metadata);
		return { status: httpStatus, value, etag: httpResponse.headers.get("ETag") };
	},
};

for await (const line of readline.createInterface({ input: process.stdin })) {
	const { id, call, ...args } = JSON.parse(line);
	Promise.resolve()
		.then(() => calls[call](args))
		.then((result) => say({ id, result: result ?? null }))
		.catch((error) => say({
			id,
			error: error.name ?? String(error),
			message: error.message,
			retry: error.retryAfterDate?.getTime() - error.requestTime?.getTime() || undefined,
		}));
}
process.exit(0);
