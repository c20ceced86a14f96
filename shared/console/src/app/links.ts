/* Where a record is shown. */

const singular: Readonly<Record<string, string>> = {
	people: "person",
	organizations: "organization",
	opportunities: "opportunity",
	cases: "case",
	consents: "consent",
	interactions: "interaction",
};

/** Path of the page of a record of the API's resource ("people"). */
export function recordPath(resource: string, id: string): string {
	return `/customers/${resource}/${id}`;
}

export function resourceName(resource: string): string {
	return singular[resource] ?? resource;
}

/** What a record is called by people: the first of these that it has. */
export function recordTitle(record: Readonly<Record<string, unknown>>): string {
	const name = [record.given_name, record.family_name].filter((part) => typeof part === "string" && part !== "").join(" ");
	for (const value of [name, record.name, record.subject, record.title, record.email, record.external_id, record.id]) {
		if (typeof value === "string" && value !== "")
			return value;
	}
	return "without a name";
}
