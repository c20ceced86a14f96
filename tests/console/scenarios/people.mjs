/* People: users, teams, tokens, sessions, hand-over, access; notices. */
import { assert, until } from "../browser.mjs";
import { input, part, pick, refused, row, secret } from "../hands.mjs";

async function users(b) {
	const { page } = b;
	const login = `${b.conf.tag}-new`;
	await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "People" }).click();
	await b.heading("People");
	await page.getByRole("region", { name: "The list of users" }).waitFor();
	await b.look("people");
	/* Found by a part of the name; the address keeps it. */
	await page.getByLabel("Search", { exact: true }).fill(b.conf.tag);
	await until(async () => (await page.getByRole("rowheader").count()) === 3, "the three of this test");
	await page.getByLabel("Kind").selectOption({ label: "Services" });
	await until(async () => (await page.getByRole("rowheader").count()) === 1, "the service");
	await page.reload();
	await page.getByRole("link", { name: b.conf.robot }).waitFor();
	assert(new URL(page.url()).searchParams.get("kind") === "service", page.url());
	/* A name that cannot be is told at its field. */
	await page.keyboard.press("n");
	await b.heading("New user");
	await input(b, "Login").fill("No Name");
	await b.expecting(refused(422), async () => {
		await page.getByRole("button", { name: "Create the user" }).click();
		await page.getByText("Some of this is not right yet").waitFor();
	});
	await until(() => input(b, "Login").getAttribute("aria-invalid"), "the field is marked");
	await b.look("people-new");
	await input(b, "Login").fill(login);
	await input(b, "Shown as").fill("Nora New");
	await page.getByLabel("agent", { exact: true }).check();
	await page.getByRole("button", { name: "Create the user" }).click();
	const text = await secret(b, "One-time secret", "people-secret");
	await b.heading("Nora New");
	const reply = await fetch(`${b.conf.core}/v1/password-reset`, {
		method: "POST",
		headers: { "Content-Type": "application/json" },
		body: JSON.stringify({ secret: text, password: "seven wooden boats in the fog" }),
	});
	assert(reply.status === 204, `the secret sets a password: ${reply.status}`);
	/* One more role. */
	await page.getByLabel("product owner", { exact: true }).check();
	await page.getByRole("button", { name: "Save the roles" }).click();
	await page.getByText("Saved: they hold at once.").waitFor();
	await b.look("user");
	return login;
}

async function teams(b, login) {
	const { page } = b;
	await page.getByRole("main").getByRole("link", { name: "People" }).click();
	await b.heading("People");
	await part(b, "Teams").click();
	await b.heading("Teams");
	await page.getByRole("button", { name: "New team" }).click();
	await input(b, "Name").fill(`Sales ${b.conf.tag}`);
	assert((await input(b, "Short name").inputValue()) === `sales-${b.conf.tag}`);
	await b.look("team-new");
	await page.getByRole("button", { name: "Create the team" }).click();
	await b.heading(`Sales ${b.conf.tag}`);
	await page.getByText("Nobody is in this team").waitFor();
	await pick(b, "Who", login);
	await page.getByLabel("Leads the team").check();
	await page.getByRole("button", { name: "Add to the team" }).click();
	await row(b, "Nora New").getByText("lead", { exact: true }).waitFor();
	await b.look("team");
	await page.getByRole("button", { name: "Take out: Nora New" }).click();
	await page.getByText("Nobody is in this team").waitFor();
	await page.getByRole("main").getByRole("link", { name: "Teams" }).click();
	await b.heading("Teams");
	await page.getByRole("link", { name: `Sales ${b.conf.tag}` }).waitFor();
	await b.look("teams");
}

async function tokens(b) {
	const { page } = b;
	await part(b, "Tokens").click();
	await b.heading("Tokens");
	await page.getByRole("button", { name: "New token" }).click();
	await page.getByLabel("For", { exact: true }).selectOption({ label: "a service" });
	await pick(b, "Service", b.conf.robot);
	await page.getByLabel("What it is for").fill(`feed of ${b.conf.tag}`);
	await page.getByLabel("Scopes").fill("nonsense");
	await b.expecting(refused(422), async () => {
		await page.getByRole("button", { name: "Create the token" }).click();
		await page.getByText("Some of this is not right yet").waitFor();
	});
	await page.getByLabel("Scopes").fill("me.read\nfeed.read");
	await b.look("token-new");
	await page.getByRole("button", { name: "Create the token" }).click();
	const first = await secret(b, "The token");
	const mine = row(b, `feed of ${b.conf.tag}`);
	await mine.getByText("live", { exact: true }).waitFor();
	assert((await mine.innerText()).includes("me.read, feed.read"), await mine.innerText());
	const answers = (token) => fetch(`${b.conf.core}/v1/me`, { headers: { Authorization: `Bearer ${token}` } }).then((r) => r.status);
	await until(async () => (await answers(first)) === 200, "the token works");
	/* Rotated: both go on. */
	await mine.getByRole("button", { name: /^Rotate/ }).click();
	await page.getByLabel("The old one goes on for").selectOption({ label: "a day" });
	await b.look("token-rotate");
	await page.getByRole("button", { name: "Make the new token" }).click();
	const second = await secret(b, "The token");
	await mine.getByText("replaced, goes on").waitFor();
	await until(async () => (await answers(second)) === 200 && (await answers(first)) === 200, "both tokens work");
	await b.look("tokens");
	/* All of it is there without being moved sideways. */
	for (const width of [1280, 1024, 800]) {
		await page.setViewportSize({ width, height: 860 });
		const over = await page.getByRole("region", { name: "The list of tokens" }).evaluate((r) => r.scrollWidth - r.clientWidth);
		assert(over <= 0, `the tokens are ${over} px too wide at ${width}`);
	}
	await page.setViewportSize({ width: 1280, height: 860 });
	/* Revoked: the old one ends. */
	await mine.filter({ hasText: "replaced, goes on" }).getByRole("button", { name: /^Revoke/ }).click();
	await page.getByRole("button", { name: "Revoke the token" }).click();
	await until(async () => (await mine.count()) === 1, "only the new one is listed");
	await until(async () => (await answers(first)) === 401, "the old one is refused");
	assert((await answers(second)) === 200, "the new one goes on");
	await page.getByLabel("Show those that have ended").check();
	await mine.getByText("revoked", { exact: true }).waitFor();
}

async function sessions(b) {
	const { page } = b;
	await part(b, "Sessions").click();
	await b.heading("Sessions");
	await page.getByText("this one").waitFor();
	const his = row(b, b.conf.leaver.login);
	await his.waitFor();
	await b.look("sessions");
	await page.getByRole("button", { name: `End it: the session of ${b.conf.leaver.login}` }).click();
	await his.waitFor({ state: "detached" });
}

async function explained(b) {
	const { page } = b;
	await part(b, "Access").click();
	await b.heading("Access");
	await input(b, "Who").fill(b.conf.leaver.login);
	await page.getByLabel("Does").selectOption("POST");
	await input(b, /^To/).fill("/v1/users");
	await page.getByRole("button", { name: "Explain" }).click();
	await page.getByRole("heading", { name: `No: ${b.conf.leaver.login} may not` }).waitFor();
	await page.getByText("user.write").first().waitFor();
	await b.look("access");
	/* The question stands in the address. */
	await page.reload();
	await page.getByRole("heading", { name: `No: ${b.conf.leaver.login} may not` }).waitFor();
}

/** An operator's first day. */
export async function first_day(b) {
	await b.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: b.conf.core });
	await b.signIn("operator");
	const login = await users(b);
	await teams(b, login);
	await tokens(b);
	await sessions(b);
	await explained(b);
}

/** Disabled, enabled, his password reset; then he leaves, and what he owned goes to a successor. */
export async function leaver(b) {
	const { page } = b;
	const { leaver: who, successor } = b.conf;
	await b.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: b.conf.core });
	await b.signIn("operator", `/people/${who.id}`);
	await page.getByRole("button", { name: "Disable…" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Disable", exact: true }).click();
	await page.getByRole("button", { name: "Enable…" }).click();
	await page.getByRole("dialog").getByRole("button", { name: "Enable", exact: true }).click();
	await page.getByRole("button", { name: "Reset the password…" }).click();
	await page.getByRole("button", { name: "Make a one-time secret" }).click();
	await secret(b, "One-time secret");
	await page.getByRole("link", { name: "Hand over…" }).click();
	await b.heading(/^Hand over from/);
	await page.getByText("What would happen?").waitFor();
	await pick(b, "Successor", successor);
	/* First what would happen. */
	await page.getByRole("heading", { name: "Moves to the successor" }).waitFor();
	await page.locator("dl").getByText("Organizations").waitFor();
	await input(b, "Reason").fill("goes to sea");
	await b.look("hand-over");
	await page.getByRole("button", { name: "Hand over…" }).click();
	await page.getByRole("button", { name: "Hand over and end access" }).click();
	await page.getByText("has no access any more").waitFor();
	await page.getByRole("heading", { name: "Was moved to the successor" }).waitFor();
	await b.look("handed-over");
	const reply = await fetch(`${b.conf.core}/v1/users/${who.id}`, { headers: { Authorization: `Bearer ${b.conf.token}` } });
	assert((await reply.json()).disabled_at !== null, "the leaver is disabled");
}

/** What one may not do is not offered; who comes by an address is told so. */
export async function not_offered(b) {
	const { page } = b;
	await b.signIn("innovator", "/people");
	await page.getByRole("region", { name: "The list of users" }).waitFor();
	assert((await page.getByRole("button", { name: /^New/ }).count()) === 0, "an innovator is offered to make users");
	assert((await part(b, "Sessions").count()) === 0, "an innovator is offered the sessions of others");
	await page.getByLabel("Search", { exact: true }).fill(b.conf.leaver.login);
	await until(async () => (await page.getByRole("rowheader").count()) === 1, "the one");
	await page.getByRole("rowheader").getByRole("link").click();
	await page.getByRole("heading", { name: "Person" }).waitFor();
	for (const name of ["Disable…", "Reset the password…", "Save the roles", "Hand over…"])
		assert((await page.getByText(name, { exact: true }).count()) === 0, `an innovator is offered: ${name}`);
	for (const path of ["/people/new", "/people/sessions", `/people/${b.conf.leaver.id}/hand-over`]) {
		await b.visit(path);
		await page.getByText(/^Your roles do not let you/).waitFor();
	}
	await b.look("people-not-yours");
	/* Teams are seen, not made; tokens are one's own; access is explained about oneself. */
	await b.visit("/people/teams");
	await b.heading("Teams");
	assert((await page.getByRole("button", { name: "New team" }).count()) === 0, "an innovator is offered to make teams");
	await b.visit("/people/tokens");
	await page.getByText("There are no tokens").waitFor();
	await b.visit("/people/access?method=POST&path=/v1/users");
	await page.getByRole("heading", { name: /^No: innovator.* may not$/ }).waitFor();
	assert(await input(b, "Who").isDisabled(), "about others one may not ask");
}

export async function notices(b) {
	const { page } = b;
	await b.signIn("product_owner", "/notices");
	await b.heading("Notices");
	await page.getByText("Nothing waits for you").waitFor();
	await page.getByRole("link", { name: "Happened to mine" }).click();
	await page.getByRole("link", { name: "Your password was set" }).waitFor();
	await b.look("notices");
	const mark = page.getByRole("button", { name: "Mark as read: Your password was set" });
	await mark.click();
	await mark.waitFor({ state: "detached" });
	await page.getByRole("navigation", { name: "Which notices" }).getByRole("link", { name: "Done" }).click();
	await page.getByText("Nothing is done yet").waitFor();
	/* How one is told. */
	await page.getByRole("link", { name: "How I am told…" }).click();
	await b.heading("How I am told");
	const mail = page.getByLabel("A flag of mine was killed: E-mail");
	const before = await mail.isChecked();
	await mail.click();
	await page.getByLabel("Only in certain hours").check();
	await input(b, "From").fill("09:00");
	await input(b, "To").fill("09:00");
	await page.getByLabel("Sunday").uncheck();
	await page.getByLabel("Time zone").selectOption("Europe/Vienna");
	await page.getByLabel("At once or gathered").selectOption({ label: "Once a day, at 07:00" });
	await b.expecting(refused(422), async () => {
		await page.getByRole("button", { name: "Save" }).click();
		await page.getByText("Some of this is not right yet").waitFor();
	});
	await input(b, "To").fill("17:30");
	await page.getByRole("button", { name: "Save" }).click();
	await page.getByText("Saved.").waitFor();
	await b.look("notice-settings");
	await page.reload();
	await b.heading("How I am told");
	await mail.waitFor();
	assert((await mail.isChecked()) !== before, "the channel was kept");
	assert((await input(b, "To").inputValue()) === "17:30" && !(await page.getByLabel("Sunday").isChecked()), "hours and days were kept");
	assert((await page.getByLabel("At once or gathered").inputValue()) === "7", "the digest was kept");
}

export async function webhooks(b) {
	const { page } = b;
	await b.context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: b.conf.core });
	await b.signIn("innovator", "/people/webhooks");
	await page.getByText("There are no webhooks").waitFor();
	await page.getByRole("button", { name: "New webhook" }).click();
	await input(b, /^Address/).fill("ftp://hooks.example.org/");
	await b.expecting(refused(422), async () => {
		await page.getByRole("button", { name: "Create the webhook" }).click();
		await page.getByText("Some of this is not right yet").waitFor();
	});
	await b.look("webhook-new");
	await input(b, /^Address/).fill("https://hooks.example.org/mine");
	await page.getByRole("button", { name: "Create the webhook" }).click();
	const first = await secret(b, "The secret");
	await page.getByRole("button", { name: "Switch off: https://hooks.example.org/mine" }).click();
	await page.getByText("off", { exact: true }).waitFor();
	await page.getByRole("button", { name: "New secret: https://hooks.example.org/mine" }).click();
	await page.getByRole("button", { name: "Make the new secret" }).click();
	assert((await secret(b, "The secret")) !== first, "another secret");
	await b.look("webhooks");
	await page.getByRole("button", { name: "Delete: https://hooks.example.org/mine" }).click();
	await page.getByRole("button", { name: "Delete the webhook" }).click();
	await page.getByText("There are no webhooks").waitFor();
}
