/* All flags: what for, on or off, until when, who answers for them; on and off from here. */
import { useEffect, useMemo, useState } from "react";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { type Command, useCommands } from "~/app/commands";
import { PendingView } from "~/app/views";
import { noticesQuery } from "~/app/waiting";
import { Icon } from "~/ui/Icon";
import { Empty, Light, Page, State } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type FlagRow, flagQuery, flagsQuery, isEnding, standingOf } from "./data";
import type { FlagsSearch } from "./index";
import { Expiry, NotYours, Rows, Standing } from "./parts";
import { ActButtons, saySandbox, useActs, useSwitching } from "./Switching";
import classes from "./flags.module.css";

const route = getRouteApi("/shell/flags");
const PAUSE_MS = 200;
/* So many flags are read at once; of more only if asked to. */
const PAGES = 5;

function useTurn(): (change: { readonly [K in keyof FlagsSearch]: FlagsSearch[K] | "" }) => void {
	const search = route.useSearch();
	const navigate = route.useNavigate();
	return (change) => {
		const all = Object.entries({ ...search, ...change }).filter(([, value]) => value !== "");
		void navigate({ search: Object.fromEntries(all) as FlagsSearch, replace: true });
	};
}

function Filters({ owners }: { owners: readonly string[] }) {
	const search = route.useSearch();
	const turn = useTurn();
	const [words, setWords] = useState(search.q ?? "");
	const [settled] = useDebouncedValue(words.trim(), PAUSE_MS);
	useEffect(() => {
		if (settled !== (search.q ?? ""))
			turn({ q: settled });
	}, [settled]);
	const known = [...new Set([...owners, ...(search.owner === undefined ? [] : [search.owner])])].sort();
	return (
		<div className={classes.bar}>
			<TextInput className={classes.search ?? ""} label="Search" type="search" placeholder="A part of key or purpose" value={words} onChange={(e) => setWords(e.currentTarget.value)} />
			<NativeSelect
				label="State"
				value={search.state ?? ""}
				data={[
					{ value: "", label: "All but archived" },
					{ value: "on", label: "On" },
					{ value: "off", label: "Off" },
					{ value: "waiting", label: "Waits for you" },
					{ value: "ending", label: "Expires soon" },
					{ value: "stale", label: "Stale" },
					{ value: "expired", label: "Expired" },
					{ value: "archived", label: "Archived" },
				]}
				onChange={(e) => turn({ state: e.currentTarget.value as "on" | "" })}
			/>
			<NativeSelect
				label="Kind"
				value={search.kind ?? ""}
				data={[
					{ value: "", label: "Releases and experiments" },
					{ value: "release", label: "Releases" },
					{ value: "experiment", label: "Experiments" },
				]}
				onChange={(e) => turn({ kind: e.currentTarget.value as "release" | "" })}
			/>
			<NativeSelect label="Owner" value={search.owner ?? ""} data={[{ value: "", label: "Anybody" }, ...known]} onChange={(e) => turn({ owner: e.currentTarget.value })} />
		</div>
	);
}

/** Keys of flags that something is to be done about by who is signed in. */
function useWaiting(): ReadonlySet<string> {
	const { data } = useQuery(noticesQuery);
	return new Set((data?.tasks ?? []).flatMap((n) => /^\/flags\/([^/?]+)/.exec(n.link)?.[1] ?? []));
}

function fits(flag: FlagRow, search: FlagsSearch, waiting: ReadonlySet<string>): boolean {
	const words = (search.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
	const standing = standingOf(flag);
	return (
		words.every((w) => `${flag.key} ${flag.purpose}`.toLowerCase().includes(w)) &&
		(search.state === undefined ? standing !== "archived" : search.state === "ending" ? isEnding(flag) : search.state === "waiting" ? waiting.has(flag.key) : search.state === "stale" ? flag.state === "stale" : standing === search.state) &&
		(search.owner === undefined || flag.business_owner === search.owner || flag.technical_owner === search.owner)
	);
}

/** Whether what is listed is what is served: the same for all flags. */
function Served({ by }: { by: string }) {
	const { data } = useQuery(flagQuery(by));
	if (data === undefined)
		return null;
	const { applied, sandbox } = data;
	const whole = applied.of > 0 && applied.workers === applied.of;
	return (
		<p className={classes.served} role="status">
			<Light tone={whole ? "good" : "warn"}>
				served by {applied.workers} of {applied.of} workers{applied.missing.length > 0 && ` (not yet: ${applied.missing.join(", ")})`}
			</Light>
			<Light tone={sandbox.acknowledged ? "good" : "warn"}>in the sandbox by {saySandbox(sandbox)}</Light>
		</p>
	);
}

/** The arrows lead from flag to flag. */
function onArrow(e: React.KeyboardEvent<HTMLElement>): void {
	const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
	const links = [...e.currentTarget.querySelectorAll<HTMLElement>("a[data-row]")];
	const at = links.indexOf(document.activeElement as HTMLElement);
	if (step === undefined || at === -1)
		return;
	e.preventDefault();
	links[at + step]?.focus();
}

function Table({ flags, waiting, busy, ask }: { flags: readonly FlagRow[]; waiting: ReadonlySet<string>; busy: boolean; ask: ReturnType<typeof useSwitching>["ask"] }) {
	const acts = useActs();
	return (
		<div onKeyDown={onArrow}>
			<Rows label="The list of flags" columns={["Flag", "State", "(Actions)", "Ends", "Owners", "Kind", "Revision"]} busy={busy}>
				{flags.map((f) => (
					<tr key={f.key}>
						<th scope="row" className={classes.what}>
							<Link to="/flags/$key" params={{ key: f.key }} search={{}} data-row>
								{f.key}
							</Link>
							<p className={classes.purpose} title={f.purpose}>
								{f.purpose}
							</p>
						</th>
						<td>
							<Standing flag={f} /> {(f.state === "stale" || f.state === "new") && <State {...(f.state === "stale" ? { tone: "warn" as const } : {})}>{f.state}</State>}{" "}
							{waiting.has(f.key) && <State tone="warn">waits for you</State>}
						</td>
						<td className={classes.acts}>
							<ActButtons flag={f} acts={acts(f)} ask={ask} size="compact-sm" />
						</td>
						<td>
							<Expiry flag={f} />
						</td>
						<td>
							{f.business_owner}
							{f.technical_owner !== f.business_owner && <p className="dimmed">{f.technical_owner}</p>}
						</td>
						<td>{f.kind}</td>
						<td>{f.revision}</td>
					</tr>
				))}
			</Rows>
		</div>
	);
}

function Nothing({ none }: { none: boolean }) {
	const may = useMay();
	if (!none)
		return (
			<Empty title="No flag fits these filters" action={<Link to="/flags" search={{}}>Show all flags</Link>}>
				Take one away, or look for another part of the key or purpose.
			</Empty>
		);
	return (
		<Empty title="There are no flags yet" {...(may("flag.write") ? { action: <Link to="/flags/-new">Make the first one</Link> } : {})}>
			A flag says who gets something new, and takes it back at once when it must be.
		</Empty>
	);
}

function useAll(search: FlagsSearch) {
	const list = useInfiniteQuery(flagsQuery(search.kind, search.state === "archived"));
	const read = list.data?.pages.length ?? 0;
	useEffect(() => {
		if (list.hasNextPage && !list.isFetching && read < PAGES)
			void list.fetchNextPage();
	}, [list.hasNextPage, list.isFetching, read]);
	return list;
}

function Shown() {
	const search = route.useSearch();
	const list = useAll(search);
	const switching = useSwitching();
	const waiting = useWaiting();
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const all = list.data.pages.flatMap((p) => p.data);
	const flags = all.filter((f) => fits(f, search, waiting));
	const first = all[0];
	return (
		<div className={classes.stack}>
			<Filters owners={all.flatMap((f) => [f.business_owner, f.technical_owner])} />
			{switching.view}
			{flags.length === 0 && !list.hasNextPage ? (
				<Nothing none={all.length === 0 && search.kind === undefined && search.state !== "archived"} />
			) : (
				<Table flags={flags} waiting={waiting} busy={list.isPlaceholderData} ask={switching.ask} />
			)}
			<div className={classes.foot}>
				<p className="dimmed">
					{flags.length} of {all.length}
					{list.hasNextPage && " read so far"}
				</p>
				{first !== undefined && <Served by={first.key} />}
			</div>
			{list.hasNextPage && (
				<div className={classes.more}>
					<Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
						Read more flags
					</Button>
				</div>
			)}
		</div>
	);
}

export function List() {
	const may = useMay();
	const router = useRouter();
	const mayWrite = may("flag.write");
	useCommands(
		useMemo<readonly Command[]>(
			() => (mayWrite ? [{ id: "flags new", label: "New flag", group: "This page", icon: "plus", keys: ["n"], run: () => void router.navigate({ to: "/flags/-new" }) }] : []),
			[mayWrite, router],
		),
	);
	if (!may("flag.read"))
		return <NotYours title="Flags" what="see the flags" />;
	return (
		<Page
			title="Flags"
			about="Who gets what, in every application; on and off at once"
			actions={
				mayWrite && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={() => void router.navigate({ to: "/flags/-new" })}>
						New flag
					</Button>
				)
			}
		>
			<Shown />
		</Page>
	);
}
