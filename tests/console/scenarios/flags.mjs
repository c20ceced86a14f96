/* Flags: looked at, turned on, killed and turned on again, explained; what is not offered; markup in every text. */
import { assert, until } from "../browser.mjs";
import { input, pick, refused, row } from "../hands.mjs";

const report = (b) => b.page.getByRole("status").filter({ hasText: /^\S+ is (on|off|killed|published|rolled back)/ });

/** Everybody serves it: what was told of it. */
async function applied(b, word) {
	await report(b).getByText(new RegExp(`is ${word}$`)).waitFor();
	return until(async () => {
		const text = await report(b).innerText();
		return /applied by (\d+) of \1 workers/.test(text) && /in the sandbox by (\d+) of \1 workers/.test(text) ? text : null;
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
	await page.getByText(/^in the sandbox by (\d+) of \1 workers$/).waitFor();
	await b.look("flags");
	/* The filters stand in the address. */
	await page.getByLabel("State").selectOption({ label: "Expires soon" });
	await row(b, `${tag}-checkout`).waitFor({ state: "detached" });
	await page.getByLabel("Search", { exact: true }).fill("nothing is called so");
	await page.getByText("No flag fits these filters").waitFor();
	await page.reload();
	await page.getByText("No flag fits these filters").waitFor();
	assert(new URL(page.url()).searchParams.get("state") === "ending", page.url());
	await page.getByRole("link", { name: "Show all flags" }).click();
	/* From flag to flag by the arrows. */
	await page.getByRole("link", { name: `${tag}-banner` }).focus();
	await page.keyboard.press("ArrowDown");
	await page.keyboard.press("Enter");
	await b.heading(`${tag}-checkout`);
}

async function read(b) {
	const { page } = b;
	for (const words of ["A shorter way through the checkout", "The people of whom all of this holds get fresh (true):", "country is one of “AT”, “CH”", "age is at least 50", "Everybody else gets old."])
		await page.getByText(words).first().waitFor();
	const history = page.getByRole("region", { name: "The revisions" });
	await history.getByText("first the Alps").waitFor();
	await history.getByText("Rule 1", { exact: true }).waitFor();
	assert((await history.getByRole("rowheader").count()) === 2, "two revisions");
	/* Who gets what, while it is off. */
	await page.getByRole("button", { name: "Ask" }).click();
	await page.getByText("The flag is off: the application’s own default holds.").waitFor();
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
	await page.getByText("This rule gives one variation.").waitFor({ state: "detached" });
	/* Of somebody in the record, by his id; and of what an application would tell. */
	await input(b, "Targeting key").fill(b.conf.person);
	for (const [i, name, value] of [[1, "country", "AT"], [2, "age", "51"]]) {
		await page.getByRole("button", { name: "What the application tells" }).click();
		await input(b, `Attribute ${i}`).fill(name);
		await input(b, `Value ${i}`).fill(value);
	}
	await page.getByRole("button", { name: "Ask" }).click();
	await page.getByText("This rule gives one variation.").waitFor();
	await page.getByText("TARGETING_MATCH", { exact: true }).waitFor();
	await page.getByText("Rule 1 (alps)").waitFor();
	assert(new URL(page.url()).searchParams.get("who") === b.conf.person, page.url());
	await b.look("flag-explained");
	/* As of a time: before it was turned on. */
	await input(b, "As of").fill(b.conf.before);
	await page.getByRole("button", { name: "Ask" }).click();
	await page.getByText("The flag is off: the application’s own default holds.").waitFor();
	await input(b, "As of").fill("");
	await page.getByRole("button", { name: "Ask" }).click();
	await page.getByText("This rule gives one variation.").waitFor();
	await b.axe("flag-on");
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
	/* Back to the first rules, and from there. */
	await page.getByRole("button", { name: /^Roll back to revision/ }).last().click();
	const back = page.getByRole("dialog");
	await back.locator("del").filter({ hasText: "country is one of" }).waitFor();
	await b.look("flag-roll-back");
	await back.getByRole("button", { name: /^Roll back/ }).click();
	await applied(b, "rolled back to revision \\d+");
	await page.getByText("All people get old.").waitFor();
	await page.getByRole("button", { name: "Undo" }).click();
	await page.locator("li > p").filter({ hasText: "The people of whom all of this holds get fresh (true):" }).waitFor();
	await page.getByRole("button", { name: "Close the report" }).click();
}

/** A flag in fields and as JSON: what cannot be is told at its place. */
async function created(b) {
	const { page } = b;
	const key = `${b.conf.tag}-limit`;
	await page.keyboard.press("n");
	await b.heading("New flag");
	await input(b, /^Key/).fill("Not A Key");
	await page.getByLabel(/^Purpose/).fill("How many seats <b>a team</b> may take");
	await pick(b, "Technical owner", b.conf.technical);
	await page.getByLabel("Type of the values").selectOption("number");
	await input(b, "Name of variation 1").fill("few");
	await input(b, "Value of variation 1").fill("a lot");
	await input(b, "Name of variation 2").fill("many");
	await input(b, "Value of variation 2").fill("50");
	await page.getByRole("button", { name: "Add a rule" }).click();
	await page.getByLabel("Who is meant").selectOption({ label: "those of whom all of this holds" });
	await input(b, "Attribute 1 of rule 1").fill("country");
	await page.getByLabel("Comparison 1 of rule 1").selectOption({ label: "is one of" });
	await input(b, "Value 1 of rule 1").fill("AT, CH");
	await input(b, "Share, %, of rule 1").fill("25");
	/* What is no number is told before it is sent, what is no key by core. */
	await page.getByRole("button", { name: "Create the flag" }).click();
	await page.getByText("must be a number", { exact: true }).first().waitFor();
	await input(b, "Value of variation 1").fill("5");
	await b.expecting(refused(422), async () => {
		await page.getByRole("button", { name: "Create the flag" }).click();
		await until(() => input(b, /^Key/).getAttribute("aria-invalid"), "the key is marked");
	});
	await b.look("flag-new");
	await input(b, /^Key/).fill(key);
	await page.getByRole("button", { name: "Create the flag" }).click();
	await b.heading(key);
	for (const words of ["How many seats <b>a team</b> may take", "25 % of the people of whom this holds get many (50):", "country is one of “AT”, “CH”", "Everybody else gets few."])
		await page.getByText(words, { exact: true }).first().waitFor();
	return key;
}

/** A draft in fields and as JSON: what core refuses is told at its place. */
async function drafted(b, key) {
	const { page } = b;
	const save = page.getByRole("button", { name: "Save the draft and review it" });
	await page.getByRole("button", { name: "Edit the rules" }).click();
	await b.heading(`Edit ${key}`);
	assert(await save.isDisabled(), "nothing has changed");
	await page.getByText("JSON", { exact: true }).click();
	const json = page.getByLabel("Document");
	const document = JSON.parse(await json.inputValue());
	document.rules[0].condition.country = { $regex: "(" };
	await json.fill(JSON.stringify(document, null, 2));
	await b.expecting(refused(422), async () => {
		await save.click();
		await page.getByRole("button", { name: "Show" }).waitFor();
	});
	await page.getByRole("button", { name: "Show" }).click();
	assert((await page.evaluate(() => getSelection().toString() || document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd))) === '"("', "the wrong place is selected");
	await b.look("flag-json");
	document.rules[0].condition.country = { $in: ["AT"] };
	await json.fill(JSON.stringify(document, null, 2));
	await page.getByText("Fields", { exact: true }).click();
	assert((await input(b, "Value 1 of rule 1").inputValue()) === "AT", "the JSON stands in the fields");
	await page.getByLabel("Of them, by rule 1").selectOption({ label: "are divided" });
	await page.getByRole("region", { name: "What would change" }).getByText("few (5) 50 %, many (50) 50 %").waitFor();
	/* On the real record, as if it were on. */
	await page.getByRole("button", { name: "Count", exact: true }).click();
	await page.getByRole("list", { name: "Who would move" }).getByText(/This edit moves [\d,]+ (people|person) from no value to few/).waitFor();
	await b.look("flag-edit");
	await input(b, /^Why/).fill("half and half");
	await save.click();
	await b.heading(`Review ${key}`);
}

/** What differs in words and as JSON; somebody turns the flag on meanwhile; then it is published, and undone. */
async function published(b, key) {
	const { page } = b;
	await page.locator("ins").filter({ hasText: "few (5) 50 %, many (50) 50 %" }).waitFor();
	const rows = page.getByRole("region", { name: "The changes as JSON" });
	await rows.getByRole("row").filter({ hasText: "/rules/0/condition/country/$in/1" }).getByText('"CH"').waitFor();
	/* What was not counted in the time is an estimate with its bound: as core would tell it of many people. */
	await page.route("**/preview", (route) =>
		route.fulfill({
			json: {
				key, unit: "person", counted: 40_000, of: 1_000_000, complete: false, ms: 10_020, moved: 8_000, estimate: { moved: 200_000, within: 3_842 }, not_in_record: ["plan"],
				now: [{ variation: "few", units: 40_000 }],
				would: [{ variation: "few", units: 32_000 }, { variation: "many", units: 8_000 }],
				moves: [{ from: "few", to: "many", units: 8_000 }],
			},
		}),
	);
	await page.getByRole("button", { name: "Count", exact: true }).click();
	await page.getByText("About 200,000 people of 1,000,000 would move ± 3,842, 19 times of 20: 40,000 were counted in 10.0 s.").waitFor();
	await page.unroute("**/preview");
	await b.look("flag-review");
	const reply = await fetch(`${b.conf.core}/v1/flags/${key}/enable`, { method: "POST", headers: { Authorization: `Bearer ${b.conf.token}` } });
	assert(reply.status === 200, String(reply.status));
	await page.getByText(/revision \d+ has come since/).waitFor();
	await b.expecting(refused(409), async () => {
		await page.getByRole("button", { name: "Publish" }).click();
		await page.getByText("This does not fit what is there now").waitFor();
	});
	await b.look("flag-review-refused");
	await page.getByRole("button", { name: "Look again" }).click();
	await page.getByText(/has come since/).waitFor({ state: "detached" });
	await page.getByRole("button", { name: "Publish" }).click();
	await b.heading(key);
	await report(b).filter({ hasText: "is published" }).waitFor();
	await page.getByText("25 % of the people of whom this holds are divided: few (5) 50 %, many (50) 50 %:").first().waitFor();
	await page.getByRole("region", { name: "The revisions" }).getByText("half and half").waitFor();
	assert(new URL(page.url()).searchParams.has("published"), page.url());
}

/** A draft is kept until it is discarded. */
async function discarded(b, key) {
	const { page } = b;
	const sent = await fetch(`${b.conf.core}/v1/flags/${key}`, { headers: { Authorization: `Bearer ${b.conf.token}` } });
	const { document } = await sent.json();
	const put = await fetch(`${b.conf.core}/v1/flags/${key}/draft`, {
		method: "PUT",
		headers: { Authorization: `Bearer ${b.conf.token}`, "Content-Type": "application/json" },
		body: JSON.stringify({ document: { ...document, default: "many" } }),
	});
	assert(put.status === 200, String(put.status));
	await page.getByText("A draft waits to be published.").waitFor();
	await b.look("flag-drafted");
	await page.getByRole("link", { name: "Go on editing" }).click();
	await b.heading(`Edit ${key}`);
	assert((await page.getByLabel("Everybody else gets").inputValue()) === "many", "the draft stands in the fields");
	await page.getByRole("button", { name: /^Save in place of/ }).waitFor();
	await page.getByRole("button", { name: "Discard the draft…" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Discard", exact: true }).click();
	await b.heading(key);
	await page.getByText("A draft waits to be published.").waitFor({ state: "detached" });
}

/** A product owner makes a flag and changes it. */
export async function making(b) {
	await b.signIn("product_owner", "/flags");
	await b.heading("Flags");
	const key = await created(b);
	await drafted(b, key);
	await published(b, key);
	await discarded(b, key);
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
	/* Somebody else is faster than the undo. */
	const reply = await fetch(`${b.conf.core}/v1/flags/${key}/enable`, { method: "POST", headers: { Authorization: `Bearer ${b.conf.token}` } });
	assert(reply.status === 200, String(reply.status));
	await row(b, key).getByText("on", { exact: true }).waitFor();
	/* What nobody needs any more is archived. */
	const old = `${b.conf.tag}-greeting`;
	await page.getByRole("button", { name: `Archive: ${old}` }).click();
	await page.getByRole("dialog").getByRole("button", { name: /^Archive/ }).click();
	await page.getByRole("status").filter({ hasText: `${old} is archived` }).waitFor();
	await row(b, old).waitFor({ state: "detached" });
	await page.getByLabel("State").selectOption({ label: "Archived" });
	await row(b, old).getByText("archived", { exact: true }).waitFor();
}

/** Why a customer saw something: what was given, what decided then and now; what is related to him comes by itself. */
export async function why(b) {
	const { page } = b;
	const { person, key, variant } = b.conf;
	await b.signIn("product_owner", `/customers/people/${person}`);
	/* A case that others open appears in the overview. */
	await page.getByText("No case is open").waitFor();
	const reply = await fetch(`${b.conf.core}/v1/cases`, {
		method: "POST",
		headers: { Authorization: `Bearer ${b.conf.agent}`, "Content-Type": "application/json" },
		body: JSON.stringify({ person_id: person, subject: "Cannot find the button" }),
	});
	assert(reply.status === 201, String(reply.status), await reply.text());
	await page.getByText("No case is open").waitFor({ state: "detached" });
	await page.getByRole("navigation", { name: "Parts of this record" }).getByRole("link", { name: "Flags" }).click();
	await page.getByRole("heading", { name: "Why did this customer see this?" }).waitFor();
	assert(new URL(page.url()).searchParams.get("tab") === "flags", page.url());
	await page.getByRole("listitem").filter({ hasText: key }).getByText(variant, { exact: true }).waitFor();
	await page.getByRole("button", { name: `Why: ${key}` }).click();
	await page.getByRole("heading", { name: "What decided then" }).waitFor();
	await page.getByRole("heading", { name: "What decides now" }).waitFor();
	assert((await page.getByText("This rule divides, and he falls into this part.").count()) === 2, "a rule divided then and divides now");
	await page.getByText(/^0\.\d{4} of 1, from /).first().waitFor();
	await b.look("customer-flags");
	await page.getByRole("link", { name: key }).click();
	await b.heading(key);
	await page.getByText("This rule divides, and he falls into this part.").waitFor();
	await ramped(b, `${b.conf.tag}-greeting`);
}

/** A ramp on its timeline: held with a reason, and ended. */
async function ramped(b, key) {
	const { page } = b;
	await b.visit(`/flags/${key}`);
	const post = (what, more) => fetch(`${b.conf.core}/v1/flags/${key}/${what}`, { method: "POST", headers: { Authorization: `Bearer ${b.conf.token}`, "Content-Type": "application/json" }, ...more });
	assert((await post("enable", {})).status === 200, "it is on");
	const reply = await post("ramps", {
		body: JSON.stringify({ steps: [{ coverage: 0.3, after_seconds: 86_400 }, { coverage: 0.5, approval: true }, { coverage: 1 }] }),
	});
	assert(reply.status === 201, String(reply.status), await reply.text());
	const ramp = page.getByRole("region", { name: /^Ramp of/ });
	await ramp.getByText("Waits for the time.").waitFor();
	await ramp.locator('[aria-current="step"]').getByText("30 %").waitFor();
	await b.look("flag-ramp");
	await ramp.getByRole("button", { name: "Hold…" }).click();
	await page.getByRole("dialog").getByLabel("Why").fill("the shop is full");
	await page.getByRole("dialog").getByRole("button", { name: "Hold", exact: true }).click();
	await ramp.getByText(/^Held .*: the shop is full$/).waitFor();
	await ramp.getByRole("button", { name: "End the ramp…" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "End the ramp", exact: true }).click();
	await ramp.getByText("cancelled", { exact: true }).waitFor();
	/* Who asked for it is named, when the workers have counted. */
	await page.getByRole("heading", { name: "Asked by, used by" }).waitFor();
}

/** Who may stop anything in an emergency need not be one who may turn it on. */
export async function operator(b) {
	const { page } = b;
	const key = `${b.conf.tag}-banner`;
	await b.signIn("operator", `/flags/${key}`);
	await b.heading(key);
	await page.getByText("20 % of all visitors are divided: old (false) 50 %, fresh (true) 50 %.").waitFor();
	assert((await page.getByRole("button", { name: "Edit the rules" }).count()) === 0, "an operator is offered to edit the rules");
	await page.getByRole("button", { name: `Kill: ${key}` }).click();
	await page.getByRole("dialog").getByRole("button", { name: /^Kill/ }).waitFor();
	await page.keyboard.press("Enter");
	await applied(b, "killed");
	assert((await page.getByRole("button", { name: "Undo" }).count()) === 0, "an operator is offered the way back");
	assert((await page.getByRole("button", { name: `Turn on: ${key}` }).count()) === 0, "an operator is offered to turn it on");
	assert((await page.getByRole("button", { name: `Archive: ${key}` }).count()) === 0, "an operator is offered to archive it");
	await seconded(b, `${b.conf.tag}-greeting`);
}

/** What one has asked of a protected flag waits for another, who agrees to it. */
async function seconded(b, key) {
	const { page } = b;
	const post = (what, token) => fetch(`${b.conf.core}/v1/flags/${key}/${what}`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
	assert((await post("protect", b.conf.boss)).status === 204, "it is protected");
	assert((await post("enable", b.conf.token)).status === 202, "it waits for somebody else");
	await b.visit(`/flags/${key}`);
	const request = page.getByRole("region", { name: "To turn it on" });
	await request.waitFor();
	await page.getByText("protected", { exact: true }).waitFor();
	await b.look("flag-request");
	await request.getByRole("button", { name: "Reject" }).click();
	await request.getByText("Say why it is rejected").waitFor();
	await request.getByRole("button", { name: "Approve" }).click();
	await request.waitFor({ state: "detached" });
	await page.getByRole("button", { name: `Kill: ${key}` }).waitFor();
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
	await b.axe("flag-markup");
}
