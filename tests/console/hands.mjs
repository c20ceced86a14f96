/* What a person does with his hands on many pages: fields, rows, tabs, a secret that is shown once. */
import { assert } from "./browser.mjs";

/** What the browser says of an answer with this status. */
export const refused = (status) => new RegExp(`status of ${status} `);

export const input = (b, label) => b.page.locator("input").and(b.page.getByLabel(label, { exact: true })).first();
export const part = (b, name) => b.page.getByRole("navigation", { name: "Parts of People" }).getByRole("link", { name, exact: true });
export const row = (b, text) => b.page.getByRole("row").filter({ hasText: text });

/** Choose somebody in a field that searches. */
export async function pick(b, label, name) {
	await input(b, label).click();
	await input(b, label).fill(name);
	await b.page.getByRole("option", { name: new RegExp(name) }).click();
}

/** The text that is shown this once; the dialog is closed. */
export async function secret(b, name, look) {
	const dialog = b.page.getByRole("dialog");
	const text = (await dialog.getByRole("textbox", { name }).innerText()).trim();
	if (look !== undefined)
		await b.look(look);
	await dialog.getByRole("button", { name: "Copy" }).click();
	await dialog.getByText("Copied.").waitFor();
	assert((await b.page.evaluate(() => navigator.clipboard.readText())) === text, "what was copied");
	await dialog.getByRole("button", { name: "I have it" }).click();
	await dialog.waitFor({ state: "detached" });
	assert(text.length > 20 && !(await b.page.content()).includes(text), "a secret is shown once");
	return text;
}
