/* Flags: looked at, turned on, killed and turned on again, explained; what is not offered; markup in every text. */
import { assert, until } from "../browser.mjs";
import { input, row } from "../hands.mjs";

const report = (b) => b.page.getByRole("status").filter({ hasText: /is (on|off|killed)/ });

/** Everybody serves it: what was told of it. */
async function applied(b, word) {
	await report(b).getByText(new RegExp(`is ${word}$`)).waitFor();
	return until(async () => {
		const text = await report(b).innerText();
		return /applied by (\d+) of \1 workers/.test(text) && /sandbox (\d+) of \1\b/.test(text) ? text : null;
	}, `everybody serves it, and it is ${word}`);
}

async function evaluated(b, key, context) {
	const reply = await fetch(`${b.conf.core}/ofrep/v1/evaluate/flags/${key}`, {
		method: "POST",
		headers: { "Content-Type": "application/json", Authorization: `Bearer ${b.conf.token}` },
		body: JSON.stringify({ context }),
	});
	return reply.json();
}

async function looked(b) {
	const { page } = b;
	const { tag } = b.conf;
	await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Flags" }).click();
	await b.heading("Flags");
	await row(b, `${tag}-banner`).getByText("expires in 7 days").waitFor();
	await row(b, `${tag}-checkout`).getByText("off", { exact: true }).waitFor();
	assert((await row(b, `${tag}-banner`).innerText()).includes(b.conf.owner), "the owner is named");
	await page.getByText(/^served by (\d+) of \1 workers$/).waitFor();
	await page.getByText(/^sandbox (\d+) of \1$/).waitFor();
	await b.look("flags");
	/* The filters stand in the address. */
	await page.getByLabel("State").selectOption({ label: "Expires soon" });
	await row(b, `${tag}-checkout`).waitFor({ state: "detached" });
	await page.getByLabel("Search", { exact: true }).fill("nothing is called so");
	await page.getByText("No flag fits these filters").waitFor();
	await page.reload();
	await page.getByText("No flag fits these filters").waitFor();
	assert(new URL(page.url()).searchParams.get("state") === "ending", page.url());
	await b.look("flags-none");
	await page.getByRole("link", { name: "Show all flags" }).click();
	/* From flag to flag by the arrows. */
	await page.getByRole("link", { name: `${tag}-banner` }).focus();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	await b.heading(`${tag}-checkout`);
}

async function read(b) {
	const { page } = b;
	for (const words of ["A shorter way through the checkout", "The people of whom this holds get fresh (true):", "country is one of “AT”, “CH”", "age is at least 50", "Everybody else gets old."])
		await page.getByText(words).first().waitFor();
	const history = page.getByRole("region", { name: "The revisions" });
	await history.getByText("first the Alps").waitFor();
	await history.getByText("Rule 1", { exact: true }).waitFor();
	assert((await history.getByRole("rowheader").count()) === 2, "two revisions");
	/* Who gets what, while it is off. */
	await page.getByRole("button", { name: "Ask" }).click();
	await page.getByText("DISABLED", { exact: true }).waitFor();
	await b.look("flag-off");
}

async function switched(b) {
	const { page } = b;
	const key = `${b.conf.tag}-checkout`;
	await page.getByRole("button", { name: `Turn on: ${key}` }).click();
	await page.getByRole("dialog").getByRole("button", { name: /^Turn on/ }).waitFor();
	await b.look("flag-turn-on");
	/* One key says yes. */
	await page.keyboard.press("Enter");
	await applied(b, "on");
	const alps = { targetingKey: "u1", country: "AT", plan: "pro" };
	assert((await evaluated(b, key, alps)).value === true, "it is on");
	await input(b, "Targeting key").fill("u1");
	await input(b, "Attribute 1").fill("country");
	await input(b, "Value 1").fill("AT");
	await page.getByRole("button", { name: "One more attribute" }).click();
	await input(b, "Attribute 2").fill("age");
	await input(b, "Value 2").fill("51");
	await page.getByRole("button", { name: "Ask" }).click();
	await page.getByText("TARGETING_MATCH", { exact: true }).waitFor();
	await b.look("flag-on");
	/* The kill, by the keyboard alone, and the way back in the same place. */
	await page.keyboard.press("Escape");
	await page.getByRole("heading", { level: 1 }).focus();
	await page.keyboard.press("x");
	const dialog = page.getByRole("dialog");
	await dialog.getByRole("button", { name: /^Kill/ }).waitFor();
	await dialog.getByLabel("Why").fill("people cannot pay");
	await page.keyboard.press("Enter");
	const text = await applied(b, "killed");
	assert(/^.*applied by \d+ of \d+ workers in \d/m.test(text), text);
	assert((await evaluated(b, key, alps)).reason === "DISABLED", "it is off");
	await page.getByRole("region", { name: "The revisions" }).getByText("people cannot pay").waitFor();
	await b.look("flag-killed");
	await page.getByRole("button", { name: "Undo" }).click();
	await applied(b, "on");
	assert((await evaluated(b, key, alps)).value === true, "it is on again");
	await page.getByRole("region", { name: "The revisions" }).getByText(/^undo of revision \d+$/).waitFor();
	await page.getByRole("button", { name: "Close the report" }).click();
	await report(b).waitFor({ state: "detached" });
	/* Any two revisions, in the address. */
	await page.getByLabel("Compare", { exact: true }).selectOption({ index: 5 });
	await page.locator("ins").filter({ hasText: "country is one of" }).first().waitFor();
	assert(new URL(page.url()).searchParams.has("from"), page.url());
}

/** A product owner's day. */
export async function owners_day(b) {
	const { page } = b;
	await b.signIn("product_owner");
	await looked(b);
	await read(b);
	await switched(b);
	/* From the list: the same. */
	await b.visit("/flags");
	const key = `${b.conf.tag}-banner`;
	await page.getByRole("button", { name: `Kill: ${key}` }).click();
	await page.getByRole("dialog").getByRole("button", { name: /^Kill/ }).waitFor();
	await page.keyboard.press("Enter");
	await applied(b, "killed");
	await row(b, key).getByText("off", { exact: true }).waitFor();
	await b.look("flags-killed");
	/* Somebody else is faster than the undo. */
	const reply = await fetch(`${b.conf.core}/v1/flags/${key}/enable`, { method: "POST", headers: { Authorization: `Bearer ${b.conf.token}` } });
	assert(reply.status === 200, String(reply.status));
	await row(b, key).getByText("on", { exact: true }).waitFor();
}

/** Who may stop anything in an emergency need not be one who may turn it on. */
export async function operator(b) {
	const { page } = b;
	const key = `${b.conf.tag}-banner`;
	await b.signIn("operator", `/flags/${key}`);
	await b.heading(key);
	await page.getByText("20 % of all visitors are divided: old (false) 50 %, fresh (true) 50 %.").waitFor();
	assert((await page.getByRole("heading", { name: "Who gets what?" }).count()) === 0, "an operator may not evaluate");
	await page.getByRole("button", { name: `Kill: ${key}` }).click();
	await page.getByRole("dialog").getByRole("button", { name: /^Kill/ }).waitFor();
	await page.keyboard.press("Enter");
	await applied(b, "killed");
	assert((await page.getByRole("button", { name: "Undo" }).count()) === 0, "an operator is offered the way back");
	assert((await page.getByRole("button", { name: `Turn on: ${key}` }).count()) === 0, "an operator is offered to turn it on");
}

export async function markup(b) {
	const { page } = b;
	const { key, attacks } = b.conf;
	await page.addInitScript(() => {
		window.ran = () => (window.xss = 1);
	});
	await b.signIn("product_owner", `/flags?q=${key}`);
	await page.getByRole("link", { name: key }).waitFor();
	const whole = async (where) => {
		const text = await page.locator("main").innerText();
		for (const a of attacks)
			assert(text.includes(a), `${a} stands as text in ${where}`);
		assert((await page.evaluate(() => window.xss)) === undefined, `markup ran in ${where}`);
	};
	await whole("the list");
	await page.getByRole("link", { name: key }).click();
	await b.heading(key);
	await page.getByRole("region", { name: "The revisions" }).waitFor();
	await whole("the page");
	await b.look("flag-markup");
}
