/*
 * One field for everything: commands of the shell and of the page, and a search over every record. A combobox in the sense of ARIA: the
 * focus stays in the field, the arrows move through the list.
 */
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { Modal } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { core } from "~/api/core";
import { asProblem } from "~/api/problem";
import type { SearchResults } from "~/api/types";
import { Icon, type IconName } from "~/ui/Icon";
import { useStore } from "~/ui/store";
import { commandStore, overlayStore } from "./commands";
import { recordPath, recordTitle, resourceName } from "./links";
import classes from "./Palette.module.css";

const SEARCH_FROM = 2;
const SEARCH_PAUSE_MS = 150;

interface Item {
	readonly id: string;
	readonly group: string;
	readonly label: string;
	readonly aside: string;
	readonly icon: IconName;
	run(): void;
}

const resourceIcons: Readonly<Record<string, IconName>> = { people: "account", organizations: "building", opportunities: "deal", cases: "ticket" };

function useFoundCommands(words: string): readonly Item[] {
	const store = useStore(commandStore);
	return useMemo(() => {
		const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
		return [...store.values()]
			.flat()
			.filter((c) => wanted.every((w) => `${c.label} ${c.group} ${c.words ?? ""}`.toLowerCase().includes(w)))
			.map((c) => ({ id: c.id, group: c.group, label: c.label, aside: c.keys?.join(" ") ?? "", icon: c.icon ?? "arrow", run: () => c.run() }));
	}, [store, words]);
}

function aside(resource: string, record: Readonly<Record<string, unknown>>): string {
	const more = [record.email, record.external_id].find((v) => typeof v === "string" && v !== "" && v !== recordTitle(record));
	return typeof more === "string" ? more : resourceName(resource);
}

function useFoundRecords(words: string) {
	const router = useRouter();
	const [settled] = useDebouncedValue(words.trim(), SEARCH_PAUSE_MS);
	const found = useQuery({
		queryKey: ["search", settled],
		queryFn: ({ signal }) => core.get<SearchResults>("/v1/search", { query: { q: settled, limit: 6 }, signal }),
		enabled: settled.length >= SEARCH_FROM,
	});
	/* What was found for other words is never offered: Enter would open it. */
	const asked = settled.length >= SEARCH_FROM && settled === words.trim();
	const items = useMemo<readonly Item[]>(
		() =>
			!asked
				? []
				: (found.data?.results ?? []).flatMap(({ resource, data }) =>
						data.map((record) => ({
							id: `${resource} ${String(record.id)}`,
							group: resource[0]?.toUpperCase() + resource.slice(1),
							label: recordTitle(record),
							aside: aside(resource, record),
							icon: resourceIcons[resource] ?? "arrow",
							run: () => void router.navigate({ to: recordPath(resource, String(record.id)) }),
						})),
					),
		[asked, found.data, router],
	);
	return { items, searching: found.isFetching || (!asked && words.trim().length >= SEARCH_FROM), error: found.error, asked };
}

export function Palette() {
	const [words, setWords] = useState("");
	const [at, setAt] = useState(0);
	const commands = useFoundCommands(words);
	const records = useFoundRecords(words);
	/* Commands first: they are there at once, and nothing that comes later may move under the hand. */
	const items = useMemo(() => [...commands, ...records.items], [commands, records.items]);
	const list = useRef<HTMLDivElement>(null);
	const id = useId();
	const current = Math.min(at, items.length - 1);
	/* Given back by hand: a command that opens a page moves the focus on, and must not be overtaken. */
	const [from] = useState(() => document.activeElement);
	const close = () => {
		overlayStore.set("none");
		if (from instanceof HTMLElement)
			from.focus({ preventScroll: true });
	};

	useEffect(() => setAt(0), [words]);
	useEffect(() => {
		list.current?.querySelector(`[aria-selected="true"]`)?.scrollIntoView({ block: "nearest" });
	}, [current]);

	const choose = (item: Item | undefined) => {
		if (item === undefined)
			return;
		close();
		setTimeout(() => item.run(), 0);
	};
	const onKey = (e: React.KeyboardEvent) => {
		const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
		if (step !== undefined) {
			e.preventDefault();
			setAt((current + step + items.length) % Math.max(items.length, 1));
		} else if (e.key === "Enter") {
			e.preventDefault();
			choose(items[current]);
		}
	};

	const groups = [...new Set(items.map((i) => i.group))];
	return (
		<Modal.Root opened onClose={close} padding={0} size={620} yOffset="12vh" centered={false} lockScroll={false} returnFocus={false} transitionProps={{ duration: 80 }}>
			<Modal.Overlay />
			<Modal.Content aria-label="Search and commands">
				<div className={classes.field}>
					<Icon name="search" />
					<input
						data-autofocus
						className={classes.input}
						value={words}
						onChange={(e) => setWords(e.currentTarget.value)}
						onKeyDown={onKey}
						placeholder="Search customers, or type a command"
						role="combobox"
						aria-label="Search and commands"
						aria-expanded="true"
						aria-controls={`${id}list`}
						aria-activedescendant={current >= 0 ? `${id}${current}` : undefined}
						aria-autocomplete="list"
						autoComplete="off"
						spellCheck={false}
					/>
					<kbd className={classes.kbd}>Esc</kbd>
				</div>
				<div className={classes.list} id={`${id}list`} role="listbox" aria-label="Results" ref={list}>
					{groups.map((group) => (
						<div key={group} role="group" aria-label={group}>
							<div className={classes.group} aria-hidden="true">
								{group}
							</div>
							{items.map(
								(item, i) =>
									item.group === group && (
										<div
											key={item.id}
											id={`${id}${i}`}
											role="option"
											aria-selected={i === current}
											className={classes.item}
											onClick={() => choose(item)}
											onMouseMove={() => setAt(i)}
										>
											<Icon name={item.icon} size={16} />
											<span className={classes.label}>{item.label}</span>
											<span className={classes.aside}>{item.aside}</span>
										</div>
									),
							)}
						</div>
					))}
				</div>
				<p className={classes.foot} role="status">
					{records.error !== null && records.asked
						? asProblem(records.error).message
						: records.searching
							? "Searching…"
							: items.length === 0
								? "Nothing found"
								: `${items.length} ${items.length === 1 ? "entry" : "entries"} · ↑ ↓ to move, Enter to open`}
				</p>
			</Modal.Content>
		</Modal.Root>
	);
}
