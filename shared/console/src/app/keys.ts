/*
 * The keyboard: Ctrl-K (or ⌘K) and "/" open the palette, "?" lists the keys, and commands have keys of their own. Keys without Ctrl can
 * be switched off (WCAG 2.1.4), and never act while somebody writes.
 */
import { useEffect } from "react";
import { makeStore } from "~/ui/store";
import { allCommands, overlayStore } from "./commands";

const KEY = "bimodal.single-keys";
const SEQUENCE_MS = 1200;

function kept(): boolean {
	try {
		return localStorage.getItem(KEY) !== "off";
	} catch {
		return true;
	}
}

export const singleKeys = makeStore(kept());

export function setSingleKeys(on: boolean): void {
	singleKeys.set(on);
	try {
		localStorage.setItem(KEY, on ? "on" : "off");
	} catch {
		/* storage is refused: it holds for this page */
	}
}

function isWriting(target: EventTarget | null): boolean {
	return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Once, in the shell. */
export function useKeys(): void {
	useEffect(() => {
		let pressed: string[] = [];
		let last = 0;
		const onKey = (e: KeyboardEvent) => {
			if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === "k") {
				e.preventDefault();
				overlayStore.set((now) => (now === "palette" ? "none" : "palette"));
				return;
			}
			if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || isWriting(e.target) || !singleKeys.get() || overlayStore.get() !== "none")
				return;
			if (document.querySelector('[role="dialog"], [role="menu"]') !== null)
				return;
			if (e.key === "?" || e.key === "/") {
				e.preventDefault();
				overlayStore.set(e.key === "?" ? "keys" : "palette");
				return;
			}
			pressed = e.timeStamp - last < SEQUENCE_MS ? [...pressed.slice(-1), e.key] : [e.key];
			last = e.timeStamp;
			const typed = (keys: readonly string[]) => keys.length <= pressed.length && keys.every((k, i) => pressed[pressed.length - keys.length + i] === k);
			const command = allCommands().find((c) => c.keys !== undefined && typed(c.keys));
			if (command === undefined)
				return;
			e.preventDefault();
			pressed = [];
			command.run();
		};
		document.addEventListener("keydown", onKey);
		return () => document.removeEventListener("keydown", onKey);
	}, []);
}
