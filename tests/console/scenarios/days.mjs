/* Each user's first day from the sign-in on, and the sign-in by an identity provider. */
import { assert, until } from "../browser.mjs";
import { input, part, pick, refused, row, secret } from "../hands.mjs";

const area = (b, name) => b.page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name });
const waiting = (b) => b.page.locator("#waiting");

/** The API as a program uses it, beside the browser. */
async function api(b, token, method, path, body) {
	const reply = await fetch(`${b.conf.core}${path}`, {
		method,
		headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
		body: body === undefined ? undefined : JSON.stringify(body),
	});
	assert(reply.ok, `${method} ${path}: ${reply.status}`);
	return reply.status === 204 ? null : await reply.json();
}

/** Both modes stand on Home, and no figure is missing. */
async function bothModes(b, ...figures) {
	await b.heading("Hello,");
	await b.page.getByRole("heading", { name: "Mode 1 · core" }).waitFor();
	await b.page.getByRole("heading", { name: "Mode 2 · sandbox" }).waitFor();
	for (const figure of figures)
		await until(async () => !["", "–"].includes((await b.page.locator("dt", { hasText: figure }).locator("+ dd").innerText()).trim()), figure);
}

/** Comes with a one-time secret, has a password afterwards, and signs in with it. */
async function beginsWithSecret(b, { text, login, password }) {
	const { page } = b;
	await b.visit(`/set-password#secret=${text}`);
	await b.heading("Set your password");
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

/** The operator's task on Home: looked at, and gone when somebody else has done it. */
async function whatWaits(b) {
	const { page } = b;
	const { change, approver } = b.conf;
	const task = waiting(b).getByRole("link", { name: new RegExp(change.title) });
	await task.click();
	await b.heading(change.title);
	await page.getByText("asked for by sales").first().waitFor();
	await page.getByText("waits for approval", { exact: true }).waitFor();
	await area(b, "Home").click();
	await task.waitFor();
	await api(b, approver, "POST", `${change.path}/approve`, {});
	/* Another one comes in its place: approved, it waits to be applied. */
	await waiting(b).getByRole("link", { name: /is approved and waits to be applied/ }).filter({ hasText: change.title }).waitFor();
	await waiting(b).getByRole("link", { name: /waits for approval/ }).filter({ hasText: change.title }).waitFor({ state: "detached" });
	await b.axe("an operator's Home");
}

/** A new colleague: a login with a one-time secret, and a team. */
async function newColleague(b, login) {
	const { page } = b;
	const team = `Ideas ${b.conf.tag}`;
	await area(b, "People").click();
	await b.heading("People");
	await page.getByRole("button", { name: "New user" }).click();
	await b.heading("New user");
	await input(b, "Login").fill(login);
	await input(b, "Shown as").fill("Nora New");
	await page.getByLabel("innovator", { exact: true }).check();
	await page.getByRole("button", { name: "Create the user" }).click();
	const text = await secret(b, "One-time secret");
	await b.heading("Nora New");
	await page.getByRole("main").getByRole("link", { name: "People" }).click();
	await part(b, "Teams").click();
	await page.getByRole("button", { name: "New team" }).click();
	await input(b, "Name").fill(team);
	await page.getByRole("button", { name: "Create the team" }).click();
	await b.heading(team);
	await pick(b, "Who", login);
	await page.getByRole("button", { name: "Add to the team" }).click();
	await row(b, "Nora New").waitFor();
	return text;
}

/** A token of his own: made, rotated; the old one ends at once. */
async function ownToken(b) {
	const { page } = b;
	const label = `watch ${b.conf.tag}`;
	const answers = async (token) => (await fetch(`${b.conf.core}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })).status;
	await b.visit("/people/tokens");
	await page.getByRole("button", { name: "New token" }).click();
	await page.getByLabel("What it is for").fill(label);
	await page.getByRole("button", { name: "Create the token" }).click();
	const first = await secret(b, "The token");
	await until(async () => (await answers(first)) === 200, "the token works");
	await row(b, label).getByRole("button", { name: /^Rotate/ }).click();
	await page.getByLabel("The old one goes on for").selectOption({ label: "no time: it ends at once" });
	await page.getByRole("button", { name: "Make the new token" }).click();
	const second = await secret(b, "The token");
	await until(async () => (await answers(second)) === 200 && (await answers(first)) === 401, "the new one in place of the old one");
}

async function explain(b, login) {
	const { page } = b;
	await part(b, "Access").click();
	await b.heading("Access");
	await input(b, "Who").fill(login);
	await input(b, /^To/).fill("/v1/people");
	await page.getByRole("button", { name: "Explain" }).click();
	await page.getByRole("heading", { name: `Yes: ${login} may` }).waitFor();
}

async function handOver(b) {
	const { page } = b;
	const { leaver, successor } = b.conf;
	await part(b, "Users").click();
	await page.getByLabel("Search", { exact: true }).fill(leaver.login);
	await until(async () => (await page.getByRole("rowheader").count()) === 1, "the leaver");
	await page.getByRole("rowheader").getByRole("link").click();
	await page.getByRole("link", { name: "Hand over…" }).click();
	await b.heading(/^Hand over from/);
	await pick(b, "Successor", successor);
	await page.getByRole("heading", { name: "Moves to the successor" }).waitFor();
	await input(b, "Reason").fill("goes to sea");
	await page.getByRole("button", { name: "Hand over…" }).click();
	await page.getByRole("button", { name: "Hand over and end access" }).click();
	await page.getByText("has no access any more").waitFor();
}

/** Keeps the house: what waits, a new colleague, a token, who is signed in, who may what, a leaver. */
export async function operator(b) {
	const { page } = b;
	const login = `${b.conf.tag}-nora`;
	await b.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: b.conf.core });
	await b.signIn("operator");
	await bothModes(b, "Flags on", "To approve", "Schema", "Copy is behind by");
	await whatWaits(b);
	const text = await newColleague(b, login);
	await b.another(async (hers) => {
		await beginsWithSecret(hers, { text, login, password: "eleven paper kites over town" });
		await area(b, "People").click();
		await part(b, "Sessions").click();
		const session = page.getByRole("button", { name: `End it: the session of ${login}` });
		await session.waitFor();
		/* She is out as soon as he ends it, whatever her page shows. */
		await hers.expecting(/status of 401/, async () => {
			await session.click();
			await hers.heading("Sign in");
		});
	});
	await ownToken(b);
	await explain(b, login);
	await handOver(b);
}

/** Has ideas, and sees no personal data: Mode 2 by a short-lived token, customers without names, his own sessions and tokens. */
export async function innovator(b) {
	const { page } = b;
	const { fresh, person, organization, tag } = b.conf;
	await b.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: b.conf.core });
	/* The sandbox is asked by a token that core made for this session, never by a cookie. */
	const asked = page.waitForResponse((r) => r.url() === `${b.conf.sandbox}/v1/feed` && r.request().method() === "GET" && r.status() === 200, { timeout: 150_000 });
	await beginsWithSecret(b, { ...fresh, text: fresh.secret });
	await bothModes(b, "Flags on", "To approve", "Copy is behind by", "Hypotheses");
	const headers = await (await asked).request().allHeaders();
	assert(/^Bearer /.test(headers.authorization ?? "") && headers.cookie === undefined, Object.keys(headers));
	await page.getByText("No hypothesis runs").waitFor();
	const areas = await page.getByRole("navigation", { name: "Areas" }).getByRole("link").allInnerTexts();
	assert(JSON.stringify(areas) === JSON.stringify(["Home", "Customers", "Flags", "People"]), areas);
	await b.look("day-innovator");
	/* Customers, as far as the open fields go. */
	await area(b, "Customers").click();
	await b.heading("People");
	await b.visit(`/customers/people?id=eq.${person}`);
	await page.getByText("name hidden").first().waitFor();
	assert((await page.getByRole("button", { name: /^New / }).count()) === 0, "an innovator is offered to make people");
	await b.visit(`/customers/people/${person}`);
	await page.getByText("Values of class personal are not shown to your roles").waitFor();
	await page.getByText("Values of class internal are not shown to your roles").waitFor();
	for (const name of ["Edit", "Delete…"])
		assert((await page.getByRole("button", { name }).count()) === 0, `an innovator is offered: ${name}`);
	const seen = await page.locator("body").innerText();
	for (const word of ["Ada", "Aster", "@example.org"])
		assert(!seen.includes(word), `an innovator sees: ${word}`);
	await b.visit(`/customers/organizations/${organization}`);
	await page.getByText("name hidden").first().waitFor();
	await page.getByRole("link", { name: /^opportunity …/ }).waitFor();
	await page.getByText("engaging", { exact: true }).waitFor();
	assert(!(await page.locator("body").innerText()).includes(tag), "an innovator sees a name");
	await b.look("day-innovator-organization");
	/* The palette offers no more than the pages do. */
	await page.keyboard.press("Control+k");
	await page.getByRole("combobox", { name: "Search and commands" }).fill("new");
	await page.getByRole("listbox").waitFor();
	assert((await page.getByRole("option", { name: /^New (user|person|organization)/ }).count()) === 0, "the palette offers what is not his");
	await page.keyboard.press("Escape");
	/* A token for his own programs: it opens the sandbox and not core. */
	await b.visit("/account");
	await page.getByRole("link", { name: "My tokens for programs" }).click();
	await b.heading("Tokens");
	await page.getByRole("button", { name: "New token" }).click();
	await page.getByLabel("Opens").selectOption({ label: "Mode 2 · sandbox" });
	await page.getByLabel("What it is for").fill("my notebook");
	await page.getByRole("button", { name: "Create the token" }).click();
	const token = await secret(b, "The token");
	await row(b, "my notebook").waitFor();
	const status = async (origin) => (await fetch(`${origin}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })).status;
	await until(async () => (await status(b.conf.sandbox)) === 200, "the token in the sandbox");
	assert((await status(b.conf.core)) === 401, "the sandbox's token is refused by core");
	/* His sessions: one more, from elsewhere, ended here. */
	const reply = await fetch(`${b.conf.core}/v1/session`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ login: fresh.login, password: fresh.password }),
	});
	assert(reply.status === 201, `another session: ${reply.status}`);
	await b.visit("/account");
	await page.getByRole("button", { name: "End it" }).click();
	await page.getByRole("button", { name: "End it" }).waitFor({ state: "detached" });
	await page.getByText("this one").waitFor();
}

/** Decides: what waits for him, how he is told, the lists that he comes back to. */
export async function product_owner(b) {
	const { page } = b;
	const { change, organization, tag, token } = b.conf;
	await b.signIn("product_owner");
	await bothModes(b, "Flags on", "To approve", "Copy is behind by", "Hypotheses");
	await b.look("day-product-owner");
	await waiting(b).getByRole("link", { name: new RegExp(`waits for approval: ${change.title}`) }).waitFor();
	/* The inbox: the task, and from it to what it is about. */
	await page.getByRole("link", { name: "All notices" }).click();
	await b.heading("Notices");
	await page.getByRole("link", { name: new RegExp(`waits for approval: ${change.title}`) }).click();
	await b.heading(change.title);
	await page.goBack();
	await b.heading("Notices");
	/* It is no task for him any more when somebody has said no; he is told that, too, in "Done". */
	await api(b, token, "POST", `${change.path}/reject`, { note: "not this year" });
	await page.getByRole("link", { name: new RegExp(change.title) }).waitFor({ state: "detached" });
	await page.getByRole("navigation", { name: "Which notices" }).getByRole("link", { name: "Done" }).click();
	await page.getByRole("link", { name: new RegExp(`waits for approval: ${change.title}`) }).waitFor();
	/* What is about himself says its time as people do, and leads to his account. */
	await page.getByRole("navigation", { name: "Which notices" }).getByRole("link", { name: "Happened to mine" }).click();
	const told = page.getByRole("listitem").filter({ hasText: "made a secret that sets your password" });
	assert(/until .* \(tomorrow\)|until .* \(in \d+ hours\)/.test(await told.innerText()) && !/\d{4}-\d\d-\d\dT/.test(await told.innerText()), await told.innerText());
	assert(/20\d\d/.test((await told.locator("time").first().getAttribute("title")) ?? ""), "the exact time is at hand");
	await page.getByRole("link", { name: "Your password was set" }).click();
	await b.heading("My account");
	await page.goBack();
	await page.getByRole("link", { name: "How I am told…" }).click();
	await b.heading("How I am told");
	await page.getByLabel("A change waits for approval: Webhook").uncheck();
	await page.getByLabel("At once or gathered").selectOption({ label: "Once a day, at 08:00" });
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("Saved.").waitFor();
	/* A list that he comes back to, for everybody. */
	await b.visit(`/customers/organizations?name=eq.${encodeURIComponent(`Works ${tag}`)}`);
	await page.getByRole("rowheader", { name: `Works ${tag}` }).waitFor();
	await page.getByRole("button", { name: "Views" }).click();
	await page.getByRole("menuitem", { name: "Save this list as a view…" }).click();
	const saving = page.getByRole("dialog", { name: "Save as a view" });
	await saving.getByLabel("Name").fill(`Mine ${tag}`);
	await saving.getByLabel("Who sees it").selectOption("all");
	await saving.getByRole("button", { name: "Save the view" }).click();
	await b.heading(`Mine ${tag}`);
	await area(b, "Home").click();
	await b.heading("Hello,");
	await b.visit("/customers/organizations");
	await page.getByRole("button", { name: "Views" }).click();
	await page.getByRole("menuitem", { name: `Mine ${tag}` }).click();
	await b.heading(`Mine ${tag}`);
	await page.getByRole("link", { name: `Works ${tag}` }).click();
	await b.heading(`Works ${tag}`);
	await b.page.getByRole("link", { name: `Deal ${tag}` }).waitFor();
	assert(!(await page.locator("body").innerText()).includes(`Aster ${tag}`), "a product owner sees a person's name");
	assert(organization === new URL(page.url()).pathname.split("/").at(-1), page.url());
	await page.getByRole("link", { name: /^person …/ }).click();
	await page.getByText("Values of class personal are not shown to your roles").waitFor();
	assert((await page.getByRole("button", { name: "Edit" }).count()) === 0, "a product owner is offered to edit");
}

/** At the provider's own forms: who he says he is, and that core may know it. */
async function atProvider(b, login) {
	const { page } = b;
	await page.waitForURL(`${b.conf.others[0]}/**`);
	await page.locator('input[name="login"]').fill(login);
	await page.locator('input[name="password"]').fill("any");
	await page.locator('[type="submit"]').click();
	await page.getByRole("button", { name: "Continue" }).click();
}

/** By the button of the sign-in page, to the page that was asked for; and those whom core does not let in. */
export async function openid_connect(b) {
	const { page } = b;
	const { tag, organization, token, others } = b.conf;
	const button = page.getByRole("link", { name: "Sign in with single sign-on" });
	const forgotten = () => b.context.clearCookies({ domain: new URL(others[0]).hostname });
	await b.visit(`/customers/organizations/${organization}?tab=timeline`);
	await b.heading("Sign in");
	await button.waitFor();
	await b.look("sign-in-provider");
	await button.click();
	await atProvider(b, `${tag}-ada`);
	await b.heading(`Works ${tag}`);
	assert(page.url() === `${b.conf.core}/console/customers/organizations/${organization}?tab=timeline`, page.url());
	await page.getByRole("button", { name: "Signed in as Ada Lovelace" }).waitFor();
	/* A write goes as well as with a password: the session has its CSRF token. */
	await page.getByRole("button", { name: "Edit" }).click();
	await page.getByLabel("Region").fill("Styria");
	await page.getByRole("button", { name: "Save", exact: true }).click();
	await page.locator("dl").getByText("Styria").waitFor();
	/* Nothing of a password is offered to her. */
	await b.visit("/account");
	await b.heading("My account");
	assert((await page.getByLabel("New password").count()) === 0, "a password to change");
	/* She is disabled: out at once, and the provider's word does not bring her back. */
	const { principal } = await page.evaluate(async () => (await fetch("/v1/session")).json());
	await b.expecting(/status of 401/, async () => {
		await api(b, token, "POST", `/v1/users/${principal}/disable`, {});
		await b.heading("Sign in");
	});
	await button.click();
	await page.getByRole("alert").getByText("Your user was disabled here. Ask an operator.").waitFor();
	await b.look("sign-in-refused");
	/* Somebody whom the provider knows, of a group that core gives no role. */
	await forgotten();
	await button.click();
	await atProvider(b, `${tag}-bob`);
	await page.getByRole("alert").getByText("There is no user of your login here. Ask an operator.").waitFor();
	/* Called off at the provider. */
	await forgotten();
	await button.click();
	await page.getByRole("link", { name: /Cancel/ }).click();
	await page.getByRole("alert").getByText("The sign-in was called off.").waitFor();
	await b.visit("/");
	await b.heading("Sign in");
}

/** Every text that people write, and what stands in an address, on every page that shows it: as it is, and nothing of it runs. */
export async function markup(b) {
	const { page } = b;
	const { login, password, pages, webhook, view } = b.conf;
	let ran = 0;
	await page.exposeFunction("ran", () => {
		ran++;
	});
	page.on("dialog", (d) => {
		ran++;
		void d.dismiss();
	});
	const nothingRan = async (where) => {
		for (const tag of ["main script", "main img", "main iframe", "[onerror]", "[onload]", "[onclick]", 'a[href^="javascript"]'])
			assert((await page.locator(tag).count()) === 0, `${tag} at ${where}`);
		assert(ran === 0 && (await page.evaluate(() => window.xss)) === undefined, `something ran at ${where}`);
	};
	/* Nobody is led elsewhere after the sign-in, whatever its address says. */
	await b.visit(`/sign-in?refused=${encodeURIComponent("<img src=x onerror=ran()>")}&next=${encodeURIComponent("javascript:ran()")}`);
	await page.getByRole("alert").getByText("You were not signed in").waitFor();
	assert(!new URL(page.url()).searchParams.has("next"), page.url());
	await page.getByLabel("Login").fill(login);
	await page.getByLabel("Password", { exact: true }).fill(password);
	await page.keyboard.press("Enter");
	await b.heading("Hello, Name");
	await nothingRan("the sign-in");
	/* Its own webhook and a list for everybody, made in its session. */
	const [hook] = await page.evaluate(
		async ({ made }) => {
			const { csrf_token } = await (await fetch("/v1/session")).json();
			const ids = [];
			for (const [path, body] of made) {
				const reply = await fetch(path, { method: "POST", headers: { "X-CSRF-Token": csrf_token, "Content-Type": "application/json" }, body: JSON.stringify(body) });
				if (!reply.ok)
					throw new Error(`${path}: ${await reply.text()}`);
				ids.push((await reply.json()).id);
			}
			return ids;
		},
		{ made: [["/v1/webhooks", webhook], ["/v1/views", { resource: "organizations", name: view, query: "sort=name", shared: "all" }]] },
	);
	const own = [
		{ path: `/webhooks/${hook}`, texts: [webhook.url, webhook.description] },
		{ path: "/drift", texts: [] },
	];
	for (const { path, texts, refused: wrong } of [...pages, ...own]) {
		await (wrong ? b.expecting(/status of 4\d\d/, () => b.visit(path)) : b.visit(path));
		await until(async () => {
			const shown = (await page.locator("body").innerText()).replace(/\s+/g, " ");
			return texts.every((t) => shown.includes(t.replace(/\s+/g, " ")));
		}, `${JSON.stringify(texts)} at ${path}`);
		await nothingRan(path);
		/* These pages no other scenario looks at. */
		if (/^\/(tokens|flags|webhooks|drift)/.test(path))
			await b.axe(path);
	}
	await b.visit("/customers/organizations");
	await page.getByRole("button", { name: "Views" }).click();
	await page.getByRole("menuitem", { name: view }).click();
	await b.heading(view);
	await page.getByRole("button", { name: "Views" }).click();
	await page.getByRole("menuitem", { name: "Delete this view…" }).click();
	await page.getByRole("button", { name: "Delete the view" }).click();
	await page.getByRole("button", { name: /^Signed in as/ }).click();
	await page.getByRole("menuitem", { name: "Sign out" }).waitFor();
	await nothingRan("the menus");
}
