/* Customers: lists, filters, saved views, one record and all that happens to it; what is hidden; markup in every text. */
import { assert, until } from "../browser.mjs";

const refused = (status) => new RegExp(`status of ${status} `);

/** The API as a program uses it, beside the browser. */
async function api(b, method, path, body, headers = {}) {
	const reply = await fetch(`${b.conf.core}${path}`, {
		method,
		headers: { Authorization: `Bearer ${b.conf.token}`, "Content-Type": "application/json", ...headers },
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	const text = await reply.text();
	assert(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
	return text === "" ? null : JSON.parse(text);
}

const table = (b) => b.page.getByRole("region", { name: /^The list/ });
const names = (b) => table(b).getByRole("rowheader").allInnerTexts();
const parts = (b, name) => b.page.getByRole("navigation", { name: "Parts of this record" }).getByRole("link", { name });
const search = (b) => new URL(b.page.url()).searchParams;

async function filter(b, field, comparison, value) {
	const { page } = b;
	await page.getByRole("button", { name: "Add a filter" }).click();
	const form = page.getByRole("dialog", { name: "Add a filter" });
	await form.getByLabel("Field").selectOption({ label: field });
	await form.getByLabel("Comparison").selectOption({ label: comparison });
	if (value !== undefined)
		await form.getByLabel(/^Values?$/).fill(value);
	await form.getByRole("button", { name: "Add the filter" }).click();
	await form.waitFor({ state: "detached" });
	await b.settled();
}

/** An agent's first day. */
export async function first_day(b) {
	const { page } = b;
	const { tag, ada } = b.conf;
	await b.signIn("agent");
	await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Customers" }).click();
	await b.heading("People");
	/* Find her: by a filter of a field, then by another one. */
	await filter(b, "Segment", "is", tag);
	await until(async () => (await names(b)).length === 4, "four of that segment");
	assert(search(b).get("segment") === `eq.${tag}`, page.url());
	await filter(b, "Country", "is one of", "AT\nDE");
	await until(async () => (await names(b)).length === 3, "three in Austria and Germany");
	/* By name, downwards. */
	await page.getByRole("button", { name: "Name", exact: true }).click();
	await until(async () => JSON.stringify(await names(b)) === JSON.stringify(["Ada Aster", "Bo Birch", "Cy Cedar"]), "the names upwards");
	await page.getByRole("button", { name: "Name", exact: true }).click();
	await until(async () => JSON.stringify(await names(b)) === JSON.stringify(["Cy Cedar", "Bo Birch", "Ada Aster"]), "the names downwards");
	assert((await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort")) === "descending");
	/* Other columns. */
	await page.getByRole("button", { name: "Columns" }).click();
	await b.axe("columns");
	await page.getByLabel("Postcode").check();
	await page.keyboard.press("Escape");
	await page.getByRole("columnheader", { name: "Postcode" }).waitFor();
	await b.look("customers");
	/* Kept as a view, found again at its address. */
	await page.getByRole("button", { name: "Views" }).click();
	await page.getByRole("menuitem", { name: "Save this list as a view…" }).click();
	const saving = page.getByRole("dialog", { name: "Save as a view" });
	await saving.getByLabel("Name").fill(`Near ${tag}`);
	await b.look("customers-save-view");
	await saving.getByRole("button", { name: "Save the view" }).click();
	await b.heading(`Near ${tag}`);
	await page.reload();
	await b.heading(`Near ${tag}`);
	await until(async () => (await names(b)).length === 3, "the view's rows");
	await page.getByRole("button", { name: /^Remove the filter: Country/ }).click();
	await until(async () => (await names(b)).length === 4, "the list without that filter");
	await page.getByRole("button", { name: `Save changes to “Near ${tag}”` }).click();
	await page.getByRole("button", { name: /^Save changes/ }).waitFor({ state: "detached" });
	/* Open her: by the keyboard. */
	await page.locator("h1").focus();
	await page.keyboard.press("j");
	await page.keyboard.press("j");
	await until(() => page.evaluate(() => document.activeElement.hasAttribute("data-row")), "the focus on a row");
	await table(b).getByRole("link", { name: "Ada Aster" }).focus();
	await page.keyboard.press("Enter");
	await b.heading("Ada Aster");
	await page.getByText("Deal of Ada").waitFor();
	await page.getByText("Case of Ada").waitFor();
	await page.getByText("Talk with Ada").waitFor();
	await page.getByRole("heading", { name: "Consents" }).waitFor();
	await page.getByText("granted", { exact: true }).waitFor();
	assert((await page.title()) === "Ada Aster · Bimodal", await page.title());
	assert((await page.locator("dl").getByText("agent").count()) > 3, "each value says who set it");
	await b.look("customer");
	await parts(b, "Timeline").click();
	await page.getByRole("link", { name: "Talk with Ada" }).waitFor();
	await page.getByText("created it").waitFor();
	await b.look("customer-timeline");
	/* Edit her. */
	await page.keyboard.press("e");
	await page.getByLabel("City").fill("Graz");
	await b.look("customer-edit");
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.locator("dl").getByText("Graz").waitFor();
	await b.settled();
	/* What core refuses stands at its field. */
	await page.getByRole("button", { name: "Edit" }).click();
	await page.getByLabel("Birth date").fill("0001-01-01");
	await page.getByLabel("Email").fill("x".repeat(300));
	await page.getByLabel("Country").fill("AT");
	await page.getByRole("button", { name: "Cancel" }).click();
	await parts(b, "History").waitFor();
	/* Somebody else is faster: his values beside mine. */
	await page.getByRole("button", { name: "Edit" }).click();
	await page.getByLabel("City").fill("Linz");
	await page.getByLabel("Phone").fill("+43 1 234");
	await api(b, "PATCH", `/v1/people/${ada}`, { city: "Wien", segment: "key", street: "Ring 1" }, { "If-Match": "*" });
	await b.expecting(refused(412), async () => {
		await page.getByRole("button", { name: "Save", exact: true }).click();
		await page.getByRole("heading", { name: "Somebody else changed this while you were writing" }).waitFor();
	});
	const both = page.getByRole("radiogroup", { name: "City: which value?" });
	assert((await both.innerText()).includes("Wien") && (await both.innerText()).includes("Linz"), await both.innerText());
	assert((await page.getByRole("radiogroup").count()) === 1, "only what both changed is asked");
	await page.getByText("Also theirs, and kept:").waitFor();
	await b.look("customer-conflict");
	await both.getByLabel("Linz").check();
	await page.getByRole("button", { name: "Save what I chose" }).click();
	await page.locator("dl").getByText("Linz").waitFor();
	const now = await api(b, "GET", `/v1/people/${ada}`);
	assert(now.city === "Linz" && now.phone === "+43 1 234" && now.street === "Ring 1" && now.segment === "key", now);
	/* What happened to her; the last edit is taken back. */
	await parts(b, "History").click();
	await page.getByRole("button", { name: `Undo version ${now.version}` }).waitFor();
	await b.look("customer-history");
	await page.getByRole("button", { name: `Undo version ${now.version}` }).click();
	await page.getByText(`Version ${now.version} was taken back.`).waitFor();
	assert((await api(b, "GET", `/v1/people/${ada}`)).city === "Wien");
	/* An edit that a later one lies on is not, and it is said why. */
	await b.expecting(refused(409), async () => {
		await page.getByRole("button", { name: "Undo version 2" }).click();
		await page.getByText(/City was changed again by version/).waitFor();
	});
	await b.look("customer-undo-refused");
	/* As she was when she was made. */
	await page.getByRole("link", { name: "As it was then, version 1" }).click();
	await page.getByText("Back to now").waitFor();
	await page.locator("dl").getByText("Salzburg").waitFor();
	await page.locator("dl").getByText("now Wien").waitFor();
	await b.look("customer-as-of");
	await page.getByRole("button", { name: "As it was…" }).click();
	await page.getByLabel("Day and time").fill("2020-01-01T00:00:01");
	await b.expecting(refused(404), async () => {
		await page.getByRole("button", { name: "Show it as it was then" }).click();
		await page.getByText("There was no such person then").waitFor();
	});
	await page.getByRole("button", { name: "Back to now" }).click();
	/* Deleted after a question, and back. */
	await page.getByRole("button", { name: "Delete…" }).click();
	await b.look("customer-delete");
	await b.expecting(refused(404), async () => {
		await page.getByRole("button", { name: "Delete the person" }).click();
		await b.heading("This person is deleted");
		await b.settled();
	});
	await b.look("customer-deleted");
	await page.getByRole("button", { name: "Restore it" }).click();
	await b.heading("Ada Aster");
	await page.getByText("Talk with Ada").waitFor();
	/* The view goes. */
	await b.visit("/customers/people");
	await page.getByRole("button", { name: "Views" }).click();
	await page.getByRole("menuitem", { name: `Near ${tag}` }).click();
	await b.heading(`Near ${tag}`);
	await page.getByRole("button", { name: "Views" }).click();
	await b.axe("views");
	await page.getByRole("menuitem", { name: "Rename or share…" }).click();
	const renaming = page.getByRole("dialog", { name: "Rename or share" });
	await renaming.getByLabel("Name").fill(`Far ${tag}`);
	await renaming.getByLabel("Who sees it").selectOption("team");
	await renaming.getByRole("button", { name: "Save", exact: true }).click();
	await b.heading(`Far ${tag}`);
	await page.getByRole("button", { name: "Views" }).click();
	await page.getByRole("menuitem", { name: "Delete this view…" }).click();
	await page.getByRole("button", { name: "Delete the view" }).click();
	await b.heading("People");
}

/** Is there anything on the canvas in the colour that the page has for bars? */
function drawn(page) {
	return page.evaluate(() => {
		const shown = document.querySelector("main canvas");
		/* A copy: reading the chart's own canvas would be warned about. */
		const canvas = document.createElement("canvas");
		[canvas.width, canvas.height] = [shown.width, shown.height];
		const brush = canvas.getContext("2d", { willReadFrequently: true });
		brush.drawImage(shown, 0, 0);
		const [r, g, b] = [1, 3, 5].map((i) => parseInt(getComputedStyle(shown).getPropertyValue("--mode-core").trim().slice(i, i + 2), 16));
		const { data } = brush.getImageData(0, 0, canvas.width, canvas.height);
		for (let i = 0; i < data.length; i += 4)
			if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255)
				return true;
		return false;
	});
}

/** The bars above the timeline: what they show as a picture, in words and as a table; in both colours, by the keyboard. */
export async function months(b) {
	const { page } = b;
	await b.signIn("agent", `/customers/people/${b.conf.ada}?tab=timeline`);
	const chart = page.getByRole("img", { name: /^Interactions by month: 10 interactions in 12 months, most of them in .*, 5 interactions/ });
	await chart.locator("canvas").waitFor();
	await until(() => drawn(page), "bars");
	await page.emulateMedia({ colorScheme: "dark" });
	await until(() => drawn(page), "bars in the dark");
	await page.emulateMedia({ colorScheme: "light" });
	await chart.hover();
	await b.look("customer-months");
	/* Live: one more, entered elsewhere. */
	await api(b, "POST", "/v1/interactions", { kind: "visit", person_id: b.conf.ada, subject: "Just now" });
	await page.getByRole("link", { name: "Just now" }).waitFor();
	await page.getByRole("img", { name: /^Interactions by month: 11 interactions/ }).waitFor();
	/* The same as a table, whose months lead to their interactions. */
	await page.getByText("As a table").focus();
	await page.keyboard.press("Enter");
	const rows = page.getByRole("table").getByRole("row");
	await until(async () => (await rows.count()) === 13, "twelve months");
	const counts = (await rows.locator("td").allInnerTexts()).map(Number);
	assert(JSON.stringify(counts) === JSON.stringify([2, 3, 0, 0, 5, 0, 0, 0, 0, 0, 0, 1]), counts);
	await b.look("customer-months-table");
	await rows.nth(5).getByRole("link").focus();
	await page.keyboard.press("Enter");
	await b.heading("Interactions");
	await until(async () => (await names(b)).length === 5, "the five of that month");
	/* More than are counted: only what is sure is said. */
	await b.visit(`/customers/organizations/${b.conf.org}?tab=timeline`);
	await page.getByRole("img", { name: /^Interactions by month: at least 1,000 interactions in 3 months, most of them in .*, at least 1,000 interactions/ }).waitFor();
	/* Whose they are is hidden from an innovator: he is told so. */
	await b.context.clearCookies();
	await page.evaluate(() => localStorage.clear());
	await b.signIn("innovator", `/customers/people/${b.conf.ada}?tab=timeline`);
	await page.getByText("interactions hidden").waitFor();
	await page.getByText("created it").waitFor();
}

/** Somebody new, whose form core has something to say about. */
export async function making(b) {
	const { page } = b;
	await b.signIn("agent", "/customers/organizations");
	await b.heading("Organizations");
	await page.keyboard.press("n");
	await b.heading("New organization");
	await page.getByLabel("Employees").fill("many");
	await b.expecting(refused(422), async () => {
		await page.getByRole("button", { name: "Create the organization" }).click();
		await page.getByRole("alert").waitFor();
	});
	assert((await page.getByLabel("Name").getAttribute("aria-invalid")) === "true", "the name is asked for at its field");
	assert((await page.getByLabel("Employees").getAttribute("aria-invalid")) === "true", "and a number at its own");
	await b.look("customers-new");
	await page.getByLabel("Name").fill(`Org ${b.conf.tag}`);
	await page.getByLabel("Employees").fill("12");
	await page.getByRole("button", { name: "Create the organization" }).click();
	await b.heading(`Org ${b.conf.tag}`);
	await b.settled();
	await b.look("organization");
	/* And a person of it, by its name. */
	await page.getByRole("link", { name: "Add: person" }).click();
	await b.heading("New person");
	await until(async () => (await page.getByLabel("Organization", { exact: true }).first().inputValue()) === `Org ${b.conf.tag}`, "the organization by its name");
	await page.getByLabel("Given name").fill("Zoe");
	await page.getByRole("button", { name: "Create the person" }).click();
	await b.heading("Zoe");
	await page.getByRole("link", { name: `Org ${b.conf.tag}` }).first().click();
	await b.heading(`Org ${b.conf.tag}`);
	await page.getByRole("link", { name: "Zoe" }).waitFor();
}

/** Page by page, forth and back, without a count. */
export async function paging(b) {
	const { page } = b;
	await b.signIn("agent", `/customers/organizations?owner=eq.${b.conf.tag}&sort=name`);
	await b.settled();
	const status = page.getByRole("group", { name: "Pages of the list" }).getByRole("status");
	await until(async () => (await status.innerText()) === "Page 1 · 50 shown", "the first page");
	const first = await names(b);
	await page.getByRole("button", { name: "Next" }).click();
	await until(async () => (await status.innerText()) === "Page 2 · 50 shown", "the second page");
	const second = await names(b);
	assert(first.every((n) => !second.includes(n)), "no row twice");
	await page.reload();
	await until(async () => (await status.innerText()) === "Page 2 · 50 shown", "the second page again");
	assert(JSON.stringify(await names(b)) === JSON.stringify(second), "the same rows at the same address");
	await page.keyboard.press("]");
	await until(async () => (await status.innerText()) === "Page 3 · 5 shown", "the last page");
	assert(await page.getByRole("button", { name: "Next" }).isDisabled());
	await page.keyboard.press("[");
	await until(async () => JSON.stringify(await names(b)) === JSON.stringify(second), "back");
	await page.getByRole("button", { name: "First" }).click();
	await until(async () => JSON.stringify(await names(b)) === JSON.stringify(first), "the first page");
	/* A position that core did not give out. */
	await b.expecting(refused(400), async () => {
		await b.visit(`/customers/organizations?owner=eq.${b.conf.tag}&after=abc`);
		await page.getByRole("alert").getByText("This page of the list is no longer valid").waitFor();
		await page.getByRole("button", { name: "Try again" }).click();
		await until(async () => (await names(b)).length === 50, "the list from its beginning");
	});
	await b.visit(`/customers/organizations?owner=eq.nobody-${b.conf.tag}`);
	await page.getByText("Nothing fits these filters").waitFor();
	await b.look("customers-none");
}

/** Somebody who may see no personal data, and write nothing. */
export async function hidden(b) {
	const { page } = b;
	await b.signIn("operator", `/customers/people?segment=eq.${b.conf.tag}`);
	await until(async () => (await names(b)).length > 0, "rows");
	await page.getByText("name hidden").first().waitFor();
	for (const word of ["Aster", "@example.org"])
		assert(!(await page.locator("body").innerText()).includes(word), word);
	assert((await page.getByRole("button", { name: /^New / }).count()) === 0, "nothing to write is offered");
	await page.getByRole("button", { name: "Add a filter" }).click();
	const choice = await page.getByLabel("Field").locator("option").allInnerTexts();
	assert(choice.includes("Country") && !choice.includes("Email") && !choice.includes("Family name"), choice);
	await b.axe("filter");
	await page.keyboard.press("Escape");
	await b.look("customers-hidden");
	await b.visit(`/customers/people/${b.conf.ada}`);
	await page.getByText("Values of class personal are not shown to your roles").waitFor();
	assert((await page.getByRole("button", { name: "Edit" }).count()) === 0);
	await b.look("customer-hidden");
	await parts(b, "History").click();
	await page.getByText("Fields that your roles do not include changed, too.").first().waitFor();
	assert((await page.getByRole("button", { name: /^Undo/ }).count()) === 0);
	assert(!(await page.locator("body").innerText()).includes("Aster"));
	/* An address with a filter by what one may not see: core refuses, in plain words. */
	await b.expecting(refused(403), async () => {
		await b.visit("/customers/people?email=eq.ada@example.org");
		await page.getByRole("alert").getByText("Your roles do not allow this").waitFor();
	});
	await b.expecting(refused(404), async () => {
		await b.visit("/customers/people/00000000-0000-7000-8000-000000000000");
		await page.getByText("There is no such person").waitFor();
	});
	await b.visit("/customers/nothing");
	await page.getByText("There is no list of “nothing” for you").waitFor();
	await b.look("customers-unknown");
}

/** What cannot be done just now, in plain words; what was entered stays. */
export async function trouble(b) {
	const { page } = b;
	await b.signIn("agent", `/customers/people/${b.conf.ada}?edit=true`);
	await b.settled();
	await page.getByLabel("Note").fill("kept");
	const problems = [
		[428, "precondition-required", "The console lost track of the version"],
		[429, "quota-exceeded", "Too many requests"],
		[503, "database-down", "Core cannot answer just now"],
	];
	for (const [status, code, words] of problems) {
		const body = JSON.stringify({ type: "about:blank", title: "T", status, code, detail: "the detail", retryable: false });
		await page.route("**/v1/people/*", (route) =>
			route.request().method() === "PATCH"
				? route.fulfill({ status, contentType: "application/problem+json", headers: status === 429 ? { "Retry-After": "7" } : {}, body })
				: route.continue(),
		);
		await b.expecting(refused(status), async () => {
			await page.getByRole("button", { name: "Save", exact: true }).click();
			await page.getByRole("alert").getByText(words).waitFor();
		});
		if (status === 429)
			await page.getByText(/You can try again in [1-7] s/).waitFor();
		assert((await page.getByLabel("Note").inputValue()) === "kept");
		await page.unroute("**/v1/people/*");
	}
	await b.axe("trouble");
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.locator("dl").getByText("kept").waitFor();
	await b.expecting(refused(410), async () => {
		await b.visit(`/customers/people/${b.conf.erased}?as_of=${encodeURIComponent(b.conf.before)}`);
		await page.getByText("This is gone for good").waitFor();
	});
}

/** Every text that people and organizations hold is markup: it is shown as it is, and nothing of it runs. */
export async function markup(b) {
	const { page } = b;
	let ran = 0;
	await page.exposeFunction("ran", () => {
		ran++;
	});
	page.on("dialog", (d) => {
		ran++;
		void d.dismiss();
	});
	await b.signIn("agent");
	for (const { resource, id, listed, texts } of b.conf.attacked) {
		await b.visit(`/customers/${resource}?${listed}`);
		await until(async () => (await names(b)).length === 1, "the row");
		await b.axe(`markup in ${resource}`);
		await b.visit(`/customers/${resource}/${id}`);
		for (const tab of ["Overview", "Timeline", "History"]) {
			await parts(b, tab).click();
			await b.settled();
			/* Each text of the record stands there letter by letter. */
			await until(async () => {
				const shown = await page.locator("main").innerText();
				return texts.every((t) => shown.includes(t));
			}, `all texts of ${resource} in ${tab}`);
		}
		await page.keyboard.press("e");
		await page.getByRole("button", { name: "Cancel" }).waitFor();
		await page.getByRole("button", { name: "Cancel" }).click();
		await page.getByRole("button", { name: "Delete…" }).click();
		await page.getByRole("button", { name: "Keep it" }).click();
		await page.keyboard.press("Control+k");
		await page.getByRole("combobox", { name: "Search and commands" }).fill(b.conf.word);
		await page.getByRole("option").first().waitFor();
		await page.keyboard.press("Escape");
	}
	for (const tag of ["main script", "main img", "main iframe", "main [onerror]", "main [onload]", 'main a[href^="javascript"]'])
		assert((await page.locator(tag).count()) === 0, tag);
	assert(ran === 0 && (await page.evaluate(() => window.xss)) === undefined, "something ran");
}
