/* Changes of the schema: looked at with their rehearsal and plan, decided on by somebody else than the author. */
import { assert } from "../browser.mjs";
import { row } from "../hands.mjs";

const reason = (b) => b.page.getByLabel("Reason");
const decide = (b, word) => b.page.getByRole("button", { name: word, exact: true });

/** An operator finds what waits, reads it, and approves it. */
async function approved(b) {
	const { page } = b;
	const { change } = b.conf;
	await page.getByRole("navigation", { name: "Areas" }).getByRole("link", { name: "Changes" }).click();
	await b.heading("Changes");
	await page.getByLabel("State").selectOption({ label: "waits for approval" });
	await row(b, change.title).getByText("waits for approval").waitFor();
	assert(new URL(page.url()).searchParams.get("state") === "rehearsed", page.url());
	await b.look("changes");
	await page.getByRole("link", { name: change.title }).click();
	await b.heading(change.title);
	await page.getByText("ALTER TABLE crm.person ADD COLUMN").first().waitFor();
	await page.getByText("leads to the schema there was").waitFor();
	await page.getByRole("region", { name: "The statements" }).getByText("AccessExclusive", { exact: true }).first().waitFor();
	await b.look("change");
	await decide(b, "Reject").click();
	await page.getByText("Say why it is rejected").waitFor();
	await reason(b).fill("looked at the locks: short");
	await decide(b, "Approve").click();
	await page.getByText("waits to be applied").waitFor();
	await page.getByRole("listitem").filter({ hasText: "looked at the locks: short" }).waitFor();
	await page.getByRole("button", { name: "Apply…" }).waitFor();
	await b.axe("change-approved");
}

/** What one has filed oneself is decided by others; withdrawn it is with a reason. */
async function own(b) {
	const { page } = b;
	const id = await page.evaluate(async (body) => {
		const { csrf_token } = await (await fetch("/v1/session")).json();
		const reply = await fetch("/v1/changes", { method: "POST", headers: { "X-CSRF-Token": csrf_token, "Content-Type": "application/json" }, body: JSON.stringify(body) });
		return (await reply.json()).id;
	}, b.conf.own);
	await b.visit(`/changes/${id}`);
	/* The rehearsal ends while it is looked at. */
	await page.getByText("waits for approval").waitFor({ timeout: 90_000 });
	await b.expecting(/status of 4\d\d /, async () => {
		await decide(b, "Approve").click();
		await page.getByText(/an author does not approve the own change/).waitFor();
	});
	await b.look("change-own");
	await reason(b).fill("no longer wanted");
	await decide(b, "Reject").click();
	await page.getByText("rejected", { exact: true }).waitFor();
	await page.getByText("no longer wanted").first().waitFor();
}

export async function decisions(b) {
	await b.signIn("operator");
	await approved(b);
	await own(b);
}
