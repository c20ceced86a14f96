/*
 * What the palette offers and keys do. The shell registers navigation and the like; a page adds its own while it is open, with
 * useCommands().
 */
import { useEffect } from "react";
import type { IconName } from "~/ui/Icon";
import { makeStore } from "~/ui/store";

export interface Command {
	readonly id: string;
	readonly label: string;
	/** Heading in the palette: "Go to", "This page". */
	readonly group: string;
	readonly icon?: IconName;
	/** Keys, one after the other: ["g", "h"]; single letters only without Ctrl. */
	readonly keys?: readonly string[];
	/** More words by which it is found. */
	readonly words?: string;
	run(): void;
}

export const commandStore = makeStore<ReadonlyMap<symbol, readonly Command[]>>(new Map());
/** Is the palette open; is the list of keys? */
export const overlayStore = makeStore<"none" | "palette" | "keys">("none");

/** Offer these while the component is there. `commands` must be made by useMemo. */
export function useCommands(commands: readonly Command[]): void {
	useEffect(() => {
		const owner = Symbol();
		commandStore.set((now) => new Map(now).set(owner, commands));
		return () =>
			commandStore.set((now) => {
				const rest = new Map(now);
				rest.delete(owner);
				return rest;
			});
	}, [commands]);
}

export function allCommands(): readonly Command[] {
	return [...commandStore.get().values()].flat();
}
