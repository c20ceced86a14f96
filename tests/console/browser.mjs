/*
 * A browser that is hard to please: every console error, every request to another host than the two daemons, every refusal by the
 * Content-Security-Policy and every finding of axe fails the scenario that met it.
 */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(new URL("../../shared/console/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WAIT_MS = 30_000;

export function assert(holds, ...why) {
	if (!holds)
		throw new Error(why.map((w) => (typeof w === "string" ? w : JSON.stringify(w))).join(" ") || "an assertion failed");
}

/** Until `look` gives something true: what it gave. */
export async function until(look, what, ms = WAIT_MS) {
	const end = Date.now() + ms;
	for (;;) {
		const got = await look();
		if (got)
			return got;
		if (Date.now() > end)
			throw new Error(`this did not come: ${what}`);
		await new Promise((done) => setTimeout(done, 50));
	}
}

export class Browser {
	constructor(conf) {
		/* core, sandbox: origins; others: further ones that this scenario is about; people: by role; shots: folder for pictures, or null */
		this.conf = conf;
		this.faults = [];
		this.expected = [];
		this.answered = [];
		this.pictures = 0;
	}

	async start() {
		this.profile = mkdtempSync(join(tmpdir(), "bimodal-console-"));
		this.context = await chromium.launchPersistentContext(this.profile, {
			executablePath: this.conf.chromium,
			headless: true,
			viewport: { width: 1280, height: 860 },
			colorScheme: "light",
			locale: "en-GB",
			args: [
				"--no-sandbox",
				"--disable-gpu",
				"--disable-quic",
				"--no-first-run",
				"--disable-background-networking",
				"--disable-component-update",
				"--disable-sync",
				"--disable-dev-shm-usage",
			],
		});
		this.context.setDefaultTimeout(WAIT_MS);
		this.page = this.context.pages()[0] ?? (await this.context.newPage());
		this.watch(this.page);
		return this;
	}

	/* What the page was answered, as a line that the tests hold against the description of the API (tests/support/traced.py). */
	async told(reply) {
		const request = reply.request();
		const url = new URL(reply.url());
		const daemon = { [this.conf.core]: "core", [this.conf.sandbox]: "sandbox" }[url.origin];
		/* What a scenario answers itself in the place of a daemon comes from no address. */
		if (daemon === undefined || (await reply.serverAddr()) === null)
			return null;
		const headers = await reply.headersArray();
		const kind = headers.find((h) => h.name.toLowerCase() === "content-type")?.value ?? "";
		/* A stream has no end, and the browser keeps no body of what it goes away from. */
		const body = kind.includes("json") ? await reply.text().catch(() => null) : "";
		return {
			daemon,
			method: request.method(),
			target: url.pathname + url.search,
			status: reply.status(),
			headers: headers.map((h) => [h.name, h.value]),
			body,
			...(body === null ? { error: "gone" } : {}),
		};
	}

	async stop() {
		const lines = (await Promise.all(this.answered)).filter((line) => line !== null);
		if (process.env.BIMODAL_TRACE)
			appendFileSync(process.env.BIMODAL_TRACE, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
		await this.context?.close();
		rmSync(this.profile, { recursive: true, force: true });
	}

	/** Somebody else at a browser of his own, while `act` runs: its faults are this scenario's. */
	async another(act) {
		const other = new Browser(this.conf);
		try {
			await other.start();
			return await act(other);
		} finally {
			await other.stop();
			this.faults.push(...other.faults);
		}
	}

	watch(page) {
		const ours = [this.conf.core, this.conf.sandbox, ...(this.conf.others ?? [])];
		page.on("console", (m) => {
			/* A new token reaches the sandbox by the feed: until then it is refused there, and the console asks again. */
			if (m.location().url.startsWith(`${this.conf.sandbox}/`) && m.text().includes("status of 401"))
				return;
			/* What another's pages lack is theirs. */
			if (this.conf.others?.some((o) => m.location().url.startsWith(`${o}/`)))
				return;
			if (m.type() === "error" || m.type() === "warning")
				this.fault(`console ${m.type()}: ${m.text()} (${m.location().url})`);
		});
		page.on("response", (r) => this.answered.push(this.told(r).catch(() => null)));
		page.on("pageerror", (e) => this.fault(`page error: ${e.stack ?? e}`));
		page.on("request", (r) => {
			const url = new URL(r.url());
			if (!["data:", "blob:"].includes(url.protocol) && !ours.includes(url.origin))
				this.fault(`a request to elsewhere: ${r.url()}`);
		});
	}

	fault(text) {
		if (!this.expected.some((e) => e.test(text)))
			this.faults.push(text);
	}

	/** While `act` runs, what fits `fits` is no fault: a refusal that is provoked is told in the browser's console too. */
	async expecting(fits, act) {
		this.expected.push(fits);
		try {
			return await act();
		} finally {
			/* What was said last may still be on its way. */
			await this.page.waitForTimeout(100);
			this.expected.splice(this.expected.indexOf(fits), 1);
		}
	}

	/** A place of the console, by its address. */
	async visit(path) {
		await this.page.goto(`${this.conf.core}/console${path}`);
		await this.settled();
	}

	/** The page has its heading and waits for nothing. */
	async settled() {
		await this.page.locator("h1").first().waitFor();
		await until(() => this.page.evaluate(() => document.querySelector('[aria-busy="true"]') === null), "a page that is not busy");
	}

	heading(text) {
		return this.page.getByRole("heading", { level: 1, name: text }).waitFor();
	}

	async signIn(role, next = "/") {
		const { login, password } = this.conf.people[role];
		await this.visit(next);
		await this.heading("Sign in");
		await this.page.getByLabel("Login").fill(login);
		await this.page.getByLabel("Password", { exact: true }).fill(password);
		await this.page.getByRole("button", { name: "Sign in" }).click();
		await this.page.getByRole("navigation", { name: "Areas" }).waitFor({ state: "attached" });
		await this.settled();
	}

	async axe(where) {
		await this.page.evaluate(axeSource);
		/* What lies over the page (a menu, a tooltip) is in no landmark: of that one rule it is let off. */
		const found = await this.page.evaluate((rules) => {
			const over = [...document.querySelectorAll("[data-portal]")].some((p) => p.childElementCount > 0);
			return window.axe.run(document, { runOnly: rules, resultTypes: ["violations"], rules: { region: { enabled: !over } } });
		}, RULES);
		for (const v of found.violations) {
			const nodes = v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} ${n.failureSummary?.replace(/\s+/g, " ")}`);
			this.faults.push(`axe at ${where}: ${v.id}: ${v.help}: ${nodes.join(" | ")}`);
		}
	}

	async picture(name) {
		if (!this.conf.shots)
			return;
		mkdirSync(this.conf.shots, { recursive: true });
		await this.page.screenshot({ path: join(this.conf.shots, `${name}.png`) });
	}

	/** The open page in both colours and on a narrow screen: axe each time, and nothing wider than the screen. */
	async look(name) {
		const size = this.page.viewportSize();
		/* What lies under the bar at the top is no target of too small a size. */
		await this.page.evaluate(() => window.scrollTo(0, 0));
		for (const scheme of ["light", "dark"]) {
			await this.page.emulateMedia({ colorScheme: scheme });
			await until(() => this.page.evaluate((s) => document.documentElement.dataset.mantineColorScheme === s, scheme), `the ${scheme} scheme`);
			await this.page.evaluate(() => Promise.all(document.getAnimations().map((a) => a.finished.catch(() => null))));
			await this.axe(`${name}, ${scheme}`);
			await this.picture(`${name}-${scheme}`);
		}
		await this.page.emulateMedia({ colorScheme: "light" });
		await this.page.setViewportSize({ width: 390, height: 844 });
		await this.page.waitForTimeout(50);
		await this.axe(`${name}, narrow`);
		await this.picture(`${name}-narrow`);
		const over = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
		assert(over <= 0, `${name} is ${over} px wider than a narrow screen`);
		await this.page.setViewportSize(size);
	}
}
