/* What changed between two revisions, from their two documents. */
import { type Doc, type Members, readDoc, text } from "./document";
import { sayRule, sayUnits, sayValue } from "./words";

export interface Difference {
	readonly what: string;
	/** null: it was not there. */
	readonly before: string | null;
	/** null: it is not there any more. */
	readonly after: string | null;
}

interface Side {
	readonly enabled: boolean;
	readonly document: unknown;
}

function variations(a: Doc, b: Doc): readonly Difference[] {
	const before = new Map(a.variations.map((v) => [v.key, sayValue(v.value)]));
	const after = new Map(b.variations.map((v) => [v.key, sayValue(v.value)]));
	return [...new Set([...before.keys(), ...after.keys()])]
		.filter((k) => before.get(k) !== after.get(k))
		.map((k) => ({ what: `Variation ${k}`, before: before.get(k) ?? null, after: after.get(k) ?? null }));
}

/** Members in another order are the same rule. */
function plain(value: unknown): string {
	return JSON.stringify(value, (_, v: unknown) => (typeof v === "object" && v !== null && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort()) : v));
}

/** For each rule of b the one of a that it was, or -1: by name, or word for word, or else by its place among what is left. */
function origins(a: Doc, b: Doc): readonly number[] {
	const left = new Set(a.rules.keys());
	const origin = b.rules.map(() => -1);
	const take = (fits: (old: Members, rule: Members, i: number, j: number) => boolean) => {
		b.rules.forEach((rule, j) => {
			const found = origin[j] === -1 ? [...left].find((i) => fits(a.rules[i] ?? {}, rule, i, j)) : undefined;
			if (found === undefined)
				return;
			origin[j] = found;
			left.delete(found);
		});
	};
	take((old, rule) => text(rule.id) !== undefined && old.id === rule.id);
	take((old, rule) => plain(old) === plain(rule));
	take((old, rule, i, j) => i === j && old.id === undefined && rule.id === undefined);
	return origin;
}

function rules(a: Doc, b: Doc): readonly Difference[] {
	const origin = origins(a, b);
	const out: Difference[] = [];
	a.rules.forEach((rule, i) => {
		if (!origin.includes(i))
			out.push({ what: `Rule ${i + 1}`, before: sayRule(a, rule), after: null });
	});
	b.rules.forEach((rule, j) => {
		const from = origin[j] ?? -1;
		const old = a.rules[from];
		if (old === undefined)
			out.push({ what: `Rule ${j + 1}`, before: null, after: sayRule(b, rule) });
		else if (plain(old) !== plain(rule))
			out.push({ what: `Rule ${j + 1}`, before: sayRule(a, old), after: sayRule(b, rule) });
	});
	const kept = origin.filter((i) => i >= 0);
	if (kept.some((i, n) => n > 0 && i < (kept[n - 1] ?? 0)))
		out.push({ what: "Order of the rules", before: "another", after: "changed" });
	return out;
}

export function differences(a: Side, b: Side): readonly Difference[] {
	const before = readDoc(a.document);
	const after = readDoc(b.document);
	const one = (what: string, x: string, y: string): readonly Difference[] => (x === y ? [] : [{ what, before: x, after: y }]);
	return [
		...one("State", a.enabled ? "on" : "off", b.enabled ? "on" : "off"),
		...one("Divides", sayUnits(before.unit), sayUnits(after.unit)),
		...variations(before, after),
		...rules(before, after),
		...one("Everybody else gets", before.fallback, after.fallback),
	];
}
