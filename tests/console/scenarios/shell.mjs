/* The shell: sign-in, Home, navigation, palette, keys, account, colours. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { assert, until } from "../browser.mjs";

const refused = (status) => new RegExp(`status of ${status} `);

export async function signing_in(b) {
	const { page } = b;
	await page.goto(`${b.conf.core}/`);
	await b.heading("Sign in");
	assert(page.url().startsWith(`${b.conf.core}/console/sign-in`), page.url());
	await b.look("sign-in");
	/* Wrong: told in core's words, and the field is empty again. */
	await page.getByLabel("Login").fill(b.conf.people.operator.login);
	await page.getByLabel("Password", { exact: true }).fill("not the password");
	await b.expecting(refused(401), async () => {
		await page.getByRole("button", { name: "Sign in" }).click();
		await page.getByRole("alert").getByText("the login or the password is wrong").waitFor();
	});
	assert((await page.getByLabel("Password", { exact: true }).inputValue()) === "");
	await b.axe("sign-in, refused");
	/* Right: by the keyboard alone. */
	await page.getByLabel("Password", { exact: true }).fill(b.conf.people.operator.password);
	await page.keyboard.press("Enter");
	await b.heading("Hello,");
	/* A reload keeps the session; the cookie is not to be seen by scripts. */
	await page.reload();
	await b.heading("Hello,");
	assert(!(await page.evaluate(() => document.cookie)).includes("bimodal"));
	/* Out, and back by an address that needs a session: it leads there after the sign-in. */
	await page.getByRole("button", { name: /^Signed in as/ }).click();
	await page.getByRole("menuitem", { name: "Sign out" }).click();
	await b.heading("Sign in");
	await b.signIn("operator", "/account");
	await b.heading("My account");
	assert(new URL(page.url()).pathname === "/console/account", page.url());
}

export async function first_page_is_small(b) {
	const scripts = new Set();
	b.page.on("response", (r) => {
		const path = new URL(r.url()).pathname;
		if (path.endsWith(".js"))
			scripts.add(path.replace("/console/", ""));
	});
	await b.visit("/");
	await b.heading("Sign in");
	await b.signIn("operator");
	const bytes = [...scripts].map((s) => statSync(join(b.conf.folder, s).concat(".gz"), { throwIfNoEntry: false })?.size ?? statSync(join(b.conf.folder, s)).size);
	const total = bytes.reduce((sum, n) => sum + n, 0);
	console.log(`first page: ${scripts.size} scripts, ${total} bytes of compressed JavaScript`);
	assert(scripts.size > 1 && total < 350_000, `sign-in and Home take ${total} bytes of compressed JavaScript`);
}

export async function home_by_role(b) {
	const { page } = b;
	await b.signIn(b.conf.role);
	await b.heading("Hello,");
	await page.getByRole("heading", { name: "Mode 1 · core" }).waitFor();
	await page.getByRole("heading", { name: "Mode 2 · sandbox" }).waitFor();
	if (b.conf.sees.includes("hypotheses"))
		await page.getByText("Copy is behind by").waitFor();
	await until(() => page.evaluate(() => !document.body.innerText.includes("–")), "all figures");
	for (const [word, text] of Object.entries({ flags: "Flags on", changes: "To approve", hypotheses: "Copy is behind by" }))
		assert((await page.getByText(text).count()) === (b.conf.sees.includes(word) ? 1 : 0), `${b.conf.role}: ${text}`);
	const areas = await page.getByRole("navigation", { name: "Areas" }).getByRole("link").allInnerTexts();
	assert(JSON.stringify(areas) === JSON.stringify(b.conf.areas), areas);
	await b.look(`home-${b.conf.role}`);
}

export async function what_waits(b) {
	const { page } = b;
	await b.signIn("product_owner");
	const task = page.locator("#waiting").getByRole("link", { name: new RegExp(b.conf.task) });
	await task.waitFor();
	await page.getByRole("link", { name: /^Notices: [1-9][0-9]* to do/ }).waitFor();
	await b.look("home-waiting");
	/* Live: read elsewhere, it goes from here without being asked for. */
	const news = page.locator("#waiting").getByText("Your password was set");
	await news.waitFor();
	await page.evaluate(async () => {
		const { csrf_token } = await (await fetch("/v1/session")).json();
		await fetch("/v1/notices/read-all", { method: "POST", headers: { "X-CSRF-Token": csrf_token, "Content-Type": "application/json" }, body: "{}" });
	});
	await news.waitFor({ state: "detached", timeout: 20_000 });
	await task.click();
	await b.heading(b.conf.record);
	assert(new URL(page.url()).pathname.startsWith("/console/changes/"), page.url());
	await b.look("record");
	await page.goBack();
	await b.heading("Hello,");
}

export async function palette_and_keys(b) {
	const { page } = b;
	await b.signIn("agent");
	await page.keyboard.press("Control+k");
	const field = page.getByRole("combobox", { name: "Search and commands" });
	await field.waitFor();
	assert(await field.evaluate((e) => e === document.activeElement), "the palette has the focus");
	await b.look("palette");
	/* One search over everything. */
	await field.fill(b.conf.customer.word);
	await page.getByRole("option", { name: new RegExp(b.conf.customer.name) }).first().waitFor();
	await b.axe("palette with results");
	await b.picture("palette-results");
	/* Enter opens the first hit at its address. The palette that is opened before a slow page has come keeps the focus. */
	let late = () => {};
	const held = new Promise((go) => (late = go));
	await page.route(/[.]js$/, async (route) => {
		await held;
		await route.continue();
	});
	await page.keyboard.press("Enter");
	await field.waitFor({ state: "detached" });
	await page.keyboard.press("Control+k");
	await field.fill("my account");
	late();
	await until(() => page.url().includes(b.conf.customer.path), b.conf.customer.path);
	await page.locator("main h1", { hasText: b.conf.customer.name }).waitFor();
	await page.unroute(/[.]js$/);
	assert(await field.evaluate((e) => e === document.activeElement), "the palette kept the focus");
	/* A command by its name. */
	await page.getByRole("option", { name: /My account/ }).waitFor();
	await page.keyboard.press("Enter");
	await b.heading("My account");
	/* The new page's heading has the focus, and the tab its name. */
	await until(() => page.evaluate(() => document.activeElement?.tagName === "H1"), "the focus on the heading");
	assert((await page.title()) === "My account · Bimodal", await page.title());
	/* Keys one after the other; "?" lists them; they can be switched off. */
	await page.keyboard.press("g");
	await page.keyboard.press("h");
	await b.heading("Hello,");
	await page.keyboard.press("?");
	await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
	await b.look("keys");
	await page.getByRole("switch", { name: "Keys without Ctrl" }).press("Space");
	await page.keyboard.press("Escape");
	await page.getByRole("dialog").waitFor({ state: "detached" });
	await page.keyboard.press("g");
	await page.keyboard.press("a");
	await page.waitForTimeout(200);
	await b.heading("Hello,");
	/* The first stop of the tabulator skips the navigation. */
	await page.reload();
	await b.heading("Hello,");
	await page.keyboard.press("Tab");
	assert((await page.evaluate(() => document.activeElement.textContent)) === "Skip to the page");
	await page.keyboard.press("Enter");
	assert(await page.evaluate(() => document.activeElement.id === "main"), "the focus is in the page");
}

export async function account(b) {
	const { page } = b;
	await b.signIn("innovator", "/account");
	await b.heading("My account");
	await page.getByText("this one").waitFor();
	await b.look("account");
	await b.visit("/nowhere/at/all");
	await b.heading("Nothing here");
	await b.look("nothing");
	await b.visit("/account");
	/* Another session of mine, ended here. */
	const others = page.getByRole("button", { name: "End it" });
	await others.first().waitFor();
	const before = await others.count();
	await others.first().click();
	await until(async () => (await others.count()) === before - 1, "one session fewer");
	/* Light and dark by choice, kept over a reload and there before the first paint. */
	await page.getByRole("button", { name: /^Signed in as/ }).click();
	await b.axe("profile menu");
	await page.getByRole("menuitem", { name: "Dark" }).click();
	await page.reload({ waitUntil: "commit" });
	await until(() => page.evaluate(() => document.documentElement.dataset.mantineColorScheme === "dark"), "dark from the start");
	await b.heading("My account");
}

export async function a_session_that_ends(b) {
	const { page } = b;
	await b.signIn("operator", "/account");
	await b.heading("My account");
	/* Ended elsewhere: the next thing asked leads to the sign-in, and from there back. */
	await b.expecting(refused(401), async () => {
		await page.evaluate(async () => {
			const session = await (await fetch("/v1/session")).json();
			await fetch("/v1/session", { method: "DELETE", headers: { "X-CSRF-Token": session.csrf_token } });
		});
		await page.keyboard.press("g");
		await page.keyboard.press("h");
		await b.heading("Sign in");
	});
}

export async function set_password(b) {
	const { page } = b;
	const { secret, login, password } = b.conf.fresh;
	await b.visit(`/set-password#secret=${secret}`);
	await b.heading("Set your password");
	assert((await page.getByLabel("One-time secret").inputValue()) === secret);
	await b.look("set-password");
	await page.getByLabel("New password").fill("short");
	await page.getByLabel("The same again").fill("short");
	await b.expecting(refused(422), async () => {
		await page.getByRole("button", { name: "Set the password" }).click();
		await page.getByRole("alert").first().waitFor();
	});
	await page.getByLabel("New password").fill(password);
	await page.getByLabel("The same again").fill(password);
	await page.getByRole("button", { name: "Set the password" }).click();
	await b.heading("Your password is set");
	await page.getByRole("link", { name: "To the sign-in" }).click();
	await page.getByLabel("Login").fill(login);
	await page.getByLabel("Password", { exact: true }).fill(password);
	await page.keyboard.press("Enter");
	await b.heading("Hello,");
}

const away = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|status of 401/;

export async function sandbox_away(b) {
	const { page } = b;
	await b.expecting(away, async () => {
		await b.signIn("operator");
		await page.getByText("Mode 2 cannot be reached. Mode 1 goes on unharmed.").waitFor();
		await page.getByText("Flags on").waitFor();
		await page.getByRole("status", { name: "Modes" }).getByText("away").waitFor();
		await b.look("home-away");
		await b.visit("/account");
		await b.heading("My account");
		await page.getByText("this one").waitFor();
	});
}
