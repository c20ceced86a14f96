/** "Chrome 130 on Linux" from a User-Agent text, as far as it tells. */
export function sayAgent(agent: string): string {
	const browser = /(Edg|OPR|Firefox|Chrome|Version)\/(\d+)/.exec(agent);
	const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(agent);
	const names: Readonly<Record<string, string>> = { Edg: "Edge", OPR: "Opera", Version: "Safari" };
	if (browser === null)
		return agent === "" ? "unknown program" : agent;
	return `${names[browser[1] ?? ""] ?? browser[1]} ${browser[2]}${system === null ? "" : ` on ${system[1]}`}`;
}
