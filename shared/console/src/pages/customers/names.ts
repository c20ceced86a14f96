/* What records and resources are called, and which of their fields stand first. */
import type { Field, Resource } from "~/api/description";
import type { Row } from "~/api/records";
import { resourceName } from "~/app/links";

const order = ["people", "organizations", "opportunities", "cases", "interactions", "consents"];

/* The fields that make a record's name, in their order. */
const naming: Readonly<Record<string, readonly string[]>> = {
	people: ["given_name", "family_name"],
	organizations: ["name"],
	opportunities: ["name"],
	cases: ["subject"],
	interactions: ["subject"],
	consents: ["purpose"],
};

/* Columns of a list that nobody has chosen others for. */
const usual: Readonly<Record<string, readonly string[]>> = {
	people: ["email", "phone", "organization_id", "city", "country", "segment", "owner"],
	organizations: ["sector", "country", "size_band", "employees", "stage", "owner"],
	opportunities: ["stage", "amount", "currency", "organization_id", "person_id", "closed_at", "owner"],
	cases: ["status", "priority", "kind", "person_id", "opened_at", "owner"],
	interactions: ["kind", "channel", "direction", "at", "person_id", "amount"],
	consents: ["person_id", "state", "source", "at"],
};
const USUAL_MAX = 7;

export function sorted(names: Iterable<string>): readonly string[] {
	const place = (n: string) => (order.includes(n) ? order.indexOf(n) : order.length);
	return [...names].sort((a, b) => place(a) - place(b) || a.localeCompare(b));
}

export function plural(resource: string): string {
	const words = resource.replaceAll("_", " ");
	return words.charAt(0).toUpperCase() + words.slice(1);
}

export function singular(resource: string): string {
	return resourceName(resource).replaceAll("_", " ");
}

export function namingFields(resource: Resource): readonly Field[] {
	const names = naming[resource.name] ?? ["name", "title", "subject"];
	return names.flatMap((n) => resource.field(n) ?? []);
}

export function usualColumns(resource: Resource): readonly string[] {
	const wanted = usual[resource.name] ?? resource.fields.filter((f) => f.class !== null).map((f) => f.name);
	const own = new Set(namingFields(resource).map((f) => f.name));
	return wanted.filter((n) => resource.field(n) !== undefined && !own.has(n)).slice(0, USUAL_MAX);
}

/** The field that a list by name is sorted by, if it can be. */
export function nameSort(resource: Resource): string | null {
	return namingFields(resource).find((f) => f.sortable)?.name ?? null;
}

export interface Title {
	readonly text: string;
	/** The name is of a class that the reader may not see. */
	readonly hidden: boolean;
}

export function titleOf(resource: Resource, row: Row): Title {
	const fields = namingFields(resource);
	const short = `${singular(resource.name)} …${row.id.slice(-8)}`;
	const words = fields.flatMap(({ name }) => (typeof row[name] === "string" && row[name] !== "" ? [row[name]] : []));
	if (words.length > 0)
		return { text: words.join(" "), hidden: false };
	return { text: short, hidden: fields.length === 0 && naming[resource.name] !== undefined };
}
