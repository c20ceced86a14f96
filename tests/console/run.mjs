/* node run.mjs SCENARIO < configuration: one scenario of scenarios/ in a browser of its own; exit 1 with all that was wrong. */
import { readFileSync } from "node:fs";
import { Browser } from "./browser.mjs";

const [file, name] = process.argv[2].split("/");
const scenarios = await import(`./scenarios/${file}.mjs`);
const browser = new Browser(JSON.parse(readFileSync(0, "utf8")));
const faults = [];
try {
	await browser.start();
	await scenarios[name](browser);
} catch (e) {
	faults.push(e.stack ?? String(e));
	try {
		faults.push(`at ${browser.page.url()}\n${(await browser.page.locator("body").innerText()).slice(0, 2000)}`);
	} catch {
		/* there is no page */
	}
} finally {
	await browser.stop();
}
faults.push(...browser.faults);
if (faults.length > 0) {
	console.error(faults.join("\n"));
	process.exit(1);
}
