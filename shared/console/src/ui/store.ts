/* A value outside of React that components follow. */
import { useSyncExternalStore } from "react";

export interface Store<T> {
	get(): T;
	set(next: T | ((now: T) => T)): void;
	follow(heard: () => void): () => void;
}

export function makeStore<T>(first: T): Store<T> {
	let value = first;
	const heard = new Set<() => void>();
	return {
		get: () => value,
		set(next) {
			value = typeof next === "function" ? (next as (now: T) => T)(value) : next;
			heard.forEach((tell) => tell());
		},
		follow(tell) {
			heard.add(tell);
			return () => heard.delete(tell);
		},
	};
}

export function useStore<T>(store: Store<T>): T {
	return useSyncExternalStore(store.follow, store.get);
}
