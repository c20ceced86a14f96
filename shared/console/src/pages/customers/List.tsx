/*
 * A list of one resource. It may be a million rows long: a page at a time is asked for, by the cursor that the page before gave, and nothing
 * is ever counted.
 */
import { useMemo, useRef } from "react";
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter, useRouterState } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { type Command, useCommands } from "~/app/commands";
import { PendingView } from "~/app/views";
import { type Resource, describeQuery } from "~/api/description";
import { listQuery, viewsQuery } from "~/api/records";
import { Icon } from "~/ui/Icon";
import { Empty, Page } from "~/ui/parts";
import { Columns } from "./Columns";
import { Filters, type FiltersHandle } from "./Filters";
import { type Asked, askedQuery, readAsked, readView, writeAsked } from "./filters";
import type { ListSearch } from "./index";
import { namingFields, plural, singular, sorted, usualColumns } from "./names";
import { Table } from "./Table";
import { Trouble } from "~/ui/Trouble";
import { Views } from "./Views";
import classes from "./customers.module.css";

const route = getRouteApi("/shell/customers/$resource");

function one(search: ListSearch, name: string): string | null {
	const value = search[name];
	return typeof value === "string" ? value : null;
}

/** What the address asks for: its own parameters, or those of the saved view that it names alone. */
function useAsked(resource: string) {
	const search = route.useSearch();
	const views = useQuery(viewsQuery(resource));
	const viewId = one(search, "view");
	const view = views.data?.find((v) => v.id === viewId);
	const own = useMemo(() => readAsked(search), [search]);
	const bare = Object.keys(search).every((name) => name === "view" || name === "after");
	const asked = useMemo(() => (bare && view !== undefined ? readView(view.query) : own), [bare, own, view]);
	return { asked, after: one(search, "after"), viewId, view, views, waits: bare && viewId !== null && views.isPending };
}

function useTurning(resource: string) {
	const router = useRouter();
	const trail = useRouterState({ select: (s) => s.location.state.trail }) ?? [];
	const to = (search: ListSearch, pages: readonly string[] = []) =>
		void router.navigate({ to: "/customers/$resource", params: { resource }, search, state: (s) => ({ ...s, trail: pages }) });
	return { trail, to };
}

function Tabs({ names, here }: { names: readonly string[]; here: string }) {
	return (
		<nav className={classes.tabs} aria-label="Kinds of records">
			{names.map((n) => (
				<Link key={n} to="/customers/$resource" params={{ resource: n }} search={{}} activeOptions={{ includeSearch: false }} aria-current={n === here ? "page" : undefined}>
					{plural(n)}
				</Link>
			))}
		</nav>
	);
}

function Rows({ resource, asked, after, viewId, change }: { resource: Resource; asked: Asked; after: string | null; viewId: string | null; change: (next: Asked) => void }) {
	const { trail, to } = useTurning(resource.name);
	const naming = namingFields(resource).map((f) => f.name);
	const columns = (asked.columns ?? usualColumns(resource)).filter((c) => resource.field(c) !== undefined);
	const list = useQuery(listQuery(resource.name, askedQuery(asked, resource, columns, naming, after)));
	const place = useRef<HTMLDivElement>(null);
	const keep: Record<string, string | readonly string[]> = { ...writeAsked(asked), ...(viewId === null ? {} : { view: viewId }) };
	const next = list.data?.page.next ?? null;
	const turn = (cursor: string | null, pages: readonly string[]) => {
		to(cursor === null ? keep : { ...keep, after: cursor }, pages);
		place.current?.focus();
	};
	const forth = () => next !== null && turn(next, [...trail, after ?? ""]);
	const back = () => {
		const before = trail.at(-1);
		if (after !== null)
			turn(before === undefined || before === "" ? null : before, trail.slice(0, -1));
	};
	const go = useRef({ forth, back });
	go.current = { forth, back };
	useCommands(
		useMemo<readonly Command[]>(
			() => [
				{ id: "list next", label: "Next page of the list", group: "This page", icon: "arrow", keys: ["]"], run: () => void go.current.forth() },
				{ id: "list back", label: "Previous page of the list", group: "This page", icon: "back", keys: ["["], run: () => go.current.back() },
			],
			[],
		),
	);
	if (list.isError)
		return <Trouble problem={list.error} again={() => (list.error !== null && after !== null ? turn(null, []) : void list.refetch())} />;
	const rows = list.data?.data ?? [];
	return (
		<>
			<div ref={place} tabIndex={-1} className={classes.rows} aria-busy={list.isPending || list.isPlaceholderData}>
				{list.isPending ? (
					<PendingView />
				) : rows.length === 0 ? (
					<Empty
						title={asked.filters.length > 0 ? "Nothing fits these filters" : `There are no ${plural(resource.name).toLowerCase()} yet`}
						action={
							asked.filters.length > 0 ? (
								<Button size="compact-sm" variant="default" onClick={() => change({ ...asked, filters: [] })}>
									Clear the filters
								</Button>
							) : undefined
						}
					>
						{asked.filters.length > 0 ? "Take one away, or make it wider." : "They are made here, through the API, or by an import."}
					</Empty>
				) : (
					<Table resource={resource} rows={rows} columns={columns} asked={asked} change={change} />
				)}
			</div>
			{(after !== null || next !== null) && (
				<div className={classes.pager} role="group" aria-label="Pages of the list">
					<Button variant="default" disabled={after === null} onClick={() => turn(null, [])}>
						First
					</Button>
					<Button variant="default" disabled={after === null} leftSection={<Icon name="back" size={14} />} onClick={back}>
						Previous
					</Button>
					<span className="dimmed small number" role="status">
						{after === null ? "Page 1" : trail.length > 0 ? `Page ${trail.length + 1}` : "Further on"} · {rows.length} shown
					</span>
					<Button variant="default" disabled={next === null || list.isPlaceholderData} rightSection={<Icon name="arrow" size={14} />} onClick={forth}>
						Next
					</Button>
				</div>
			)}
		</>
	);
}

function Listed({ resource, names }: { resource: Resource; names: readonly string[] }) {
	const may = useMay();
	const router = useRouter();
	const { asked, after, viewId, view, views, waits } = useAsked(resource.name);
	const { to } = useTurning(resource.name);
	const filters = useRef<FiltersHandle>(null);
	const change = (next: Asked) => {
		const search = writeAsked(next);
		to(viewId === null || Object.keys(search).length === 0 ? search : { ...search, view: viewId });
	};
	const mayMake = may(`${resource.name}.write`) && resource.fields.some((f) => f.writable);
	const make = () => void router.navigate({ to: "/customers/$resource/new", params: { resource: resource.name }, search: {} });
	useCommands(
		useMemo<readonly Command[]>(
			() => [
				{ id: "list filter", label: "Add a filter", group: "This page", icon: "filter", keys: ["f"], run: () => filters.current?.add() },
				...(mayMake ? [{ id: "list new", label: `New ${singular(resource.name)}`, group: "This page", icon: "plus", keys: ["n"], run: make } as const] : []),
			],
			[mayMake, resource.name],
		),
	);
	return (
		<Page
			title={view === undefined ? plural(resource.name) : view.name}
			about={view === undefined ? undefined : `A saved view of ${plural(resource.name).toLowerCase()}`}
			actions={
				mayMake && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={make}>
						New {singular(resource.name)}
					</Button>
				)
			}
		>
			<div className={classes.bar}>
				<Tabs names={names} here={resource.name} />
				<div className={classes.tools}>
					<Views resource={resource} asked={asked} view={view} views={views} open={(id) => to(id === null ? {} : { view: id })} />
					<Columns resource={resource} asked={asked} change={change} />
				</div>
				<Filters resource={resource} asked={asked} change={change} ref={filters} />
			</div>
			{viewId !== null && views.isSuccess && view === undefined && (
				<Empty title="This view is not there">It was deleted, is no longer shared with you, or names fields that you may not see.</Empty>
			)}
			{waits ? <PendingView /> : <Rows resource={resource} asked={asked} after={after} viewId={viewId} change={change} />}
		</Page>
	);
}

export function List() {
	const { resource: name } = route.useParams();
	const all = useQuery(describeQuery);
	if (all.isPending)
		return <PendingView />;
	if (all.isError)
		return (
			<Page title="Customers">
				<Trouble problem={all.error} again={() => void all.refetch()} />
			</Page>
		);
	const resource = all.data.get(name);
	const names = sorted(all.data.keys());
	if (resource === undefined)
		return (
			<Page title="Customers">
				<Tabs names={names} here={name} />
				<Empty title={`There is no list of “${name}” for you`}>Your roles do not include it, or it does not exist.</Empty>
			</Page>
		);
	return <Listed key={name} resource={resource} names={names} />;
}
