/* Fields by class, in the order people look for them. */
import type { Field } from "~/api/description";

const groups: Readonly<Record<string, string>> = { personal: "Personal", internal: "Internal", open: "Open" };
export const classNames = Object.keys(groups);

export function className(name: string): string {
	return groups[name] ?? name;
}

/** [heading, fields] of each class that has any; what core makes itself is left out. */
export function byClass(fields: readonly Field[]): readonly (readonly [string, readonly Field[]])[] {
	const names = [...classNames, ...new Set(fields.flatMap((f) => (f.class === null || classNames.includes(f.class) ? [] : f.class)))];
	return names.flatMap((n) => {
		const those = fields.filter((f) => f.class === n);
		return those.length === 0 ? [] : [[className(n), those] as const];
	});
}
