/* Two lights in the top bar: Mode 1 and Mode 2. */
import { useQuery } from "@tanstack/react-query";
import { Light, type Tone } from "~/ui/parts";
import { coreReadyQuery, sandboxReadyQuery } from "./modes";
import classes from "./Modes.module.css";

interface Told {
	readonly tone: Tone;
	readonly word: string;
}

function told(query: { isPending: boolean; isError: boolean; data: { status: string } | undefined }): Told {
	if (query.isPending)
		return { tone: "plain", word: "asked" };
	if (query.isError || query.data === undefined)
		return { tone: "bad", word: "away" };
	return query.data.status === "ready" ? { tone: "good", word: "up" } : { tone: "warn", word: "not ready" };
}

export function Modes() {
	const one = told(useQuery(coreReadyQuery));
	const two = told(useQuery(sandboxReadyQuery));
	return (
		<div className={classes.modes} role="status" aria-label="Modes">
			<Light tone={one.tone}>
				<span className={classes.long}>Mode 1</span> <span className={one.tone === "good" ? "unseen" : classes.word}>{one.word}</span>
			</Light>
			<Light tone={two.tone}>
				<span className={classes.long}>Mode 2</span> <span className={two.tone === "good" ? "unseen" : classes.word}>{two.word}</span>
			</Light>
		</div>
	);
}
