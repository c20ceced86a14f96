/* Where in a JSON text a pointer leads. The text has been parsed before, so it is well formed. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

interface Level {
	readonly isArray: boolean;
	/** Name or number of the member that is being read. */
	name: string;
	/** The next text is a name. */
	atName: boolean;
}

/** From and to of the value at the pointer, or of the innermost there is on the way; null: the whole text. */
export function locate(json: string, pointer: string): readonly [from: number, to: number] | null {
	const wanted = pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
	const levels: Level[] = [];
	/* Values that are begun: where, and whether the pointer leads through them. */
	const begun: { readonly from: number; readonly fits: boolean; readonly depth: number }[] = [];
	let best: readonly [number, number] | null = null;
	let depth = 0;
	const take = (from: number, to: number, fits: boolean, at: number) => {
		if (fits && at > depth) {
			depth = at;
			best = [from, to];
		}
	};
	const fitting = () => levels.length <= wanted.length && levels.every((l, i) => l.name === wanted[i]);
	for (const token of json.matchAll(TOKEN)) {
		const [s] = token;
		const top = levels.at(-1);
		if (s === "{" || s === "[") {
			begun.push({ from: token.index, fits: fitting(), depth: levels.length });
			levels.push({ isArray: s === "[", name: s === "[" ? "0" : "", atName: s === "{" });
		} else if (s === "}" || s === "]") {
			levels.pop();
			const value = begun.pop();
			if (value !== undefined)
				take(value.from, token.index + 1, value.fits, value.depth);
		} else if (s === "," && top !== undefined) {
			if (top.isArray)
				top.name = String(Number(top.name) + 1);
			top.atName = !top.isArray;
		} else if (s === ":") {
			/* the value comes */
		} else if (top?.atName) {
			top.name = JSON.parse(s) as string;
			top.atName = false;
		} else {
			take(token.index, token.index + s.length, fitting(), levels.length);
		}
	}
	return best;
}
