/* What the list and the page of one change have in common. */
import { State, type Tone } from "~/ui/parts";
import type { ChangeState } from "./data";

const words: Readonly<Record<ChangeState, readonly [text: string, tone: Tone]>> = {
	draft: ["is being rehearsed", "plain"],
	checked: ["is being rehearsed", "plain"],
	rehearsed: ["waits for approval", "warn"],
	approved: ["waits to be applied", "warn"],
	applying: ["is being applied", "warn"],
	applied: ["applied", "good"],
	rejected: ["rejected", "bad"],
	failed: ["failed", "bad"],
	rolled_back: ["rolled back", "plain"],
};

export function sayState(state: ChangeState): string {
	return words[state][0];
}

export function Standing({ state }: { state: ChangeState }) {
	const [text, tone] = words[state];
	return <State tone={tone}>{text}</State>;
}
