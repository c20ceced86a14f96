/* The rows of one page. What a row is called stands first and leads to it; what can be sorted by says so in its heading. */
import { useMemo, useRef } from "react";
import { Link, useRouter } from "@tanstack/react-router";
import { createColumnHelper, flexRender, getCoreRowModel, useReactTable } from "@tanstack/react-table";
import { type Command, useCommands } from "~/app/commands";
import type { Field, Resource } from "~/api/description";
import type { Row } from "~/api/records";
import { Icon } from "~/ui/Icon";
import type { Asked } from "./filters";
import { nameSort, singular, titleOf } from "./names";
import { Hidden, Value, useTitles } from "./Value";
import classes from "./customers.module.css";

declare module "@tanstack/react-table" {
	interface ColumnMeta<TData, TValue> {
		/** What the API sorts by. */
		readonly sort: string | null;
		readonly number: boolean;
	}
}

const NAME = "_name";
const helper = createColumnHelper<Row>();
const numbers: ReadonlySet<Field["kind"]> = new Set(["integer", "decimal"]);

function Name({ resource, row }: { resource: Resource; row: Row }) {
	const title = titleOf(resource, row);
	return (
		<>
			<Link to="/customers/$resource/$id" params={{ resource: resource.name, id: row.id }} search={{}} data-row>
				{title.text}
			</Link>{" "}
			{title.hidden && <Hidden what="name hidden" />}
		</>
	);
}

function useReferences(fields: readonly Field[], rows: readonly Row[]) {
	const ids = (resource: string) =>
		fields.filter((f) => f.reference === resource).flatMap((f) => rows.flatMap((r) => (typeof r[f.name] === "string" ? [r[f.name] as string] : [])));
	const shown = [...new Set(fields.flatMap((f) => f.reference ?? []))].sort();
	/* A resource refers to two others at most; more are shown by their ids. */
	const first = useTitles(shown[0] ?? null, ids(shown[0] ?? ""));
	const second = useTitles(shown[1] ?? null, ids(shown[1] ?? ""));
	return (resource: string | null) => (resource === null ? undefined : resource === shown[0] ? first : resource === shown[1] ? second : new Map<string, string>());
}

function useColumns(resource: Resource, rows: readonly Row[], names: readonly string[]) {
	const fields = names.flatMap((n) => resource.field(n) ?? []);
	const titles = useReferences(fields, rows);
	return [
		helper.display({
			id: NAME,
			header: "Name",
			cell: ({ row }) => <Name resource={resource} row={row.original} />,
			meta: { sort: nameSort(resource), number: false },
		}),
		...fields.map((f) =>
			helper.accessor((row) => row[f.name], {
				id: f.name,
				header: f.label,
				cell: ({ getValue }) => {
					const known = titles(f.reference);
					return <Value field={f} value={getValue()} {...(known === undefined ? {} : { titles: known })} />;
				},
				meta: { sort: f.sortable ? f.name : null, number: numbers.has(f.kind) },
			}),
		),
	];
}

type Direction = "ascending" | "descending" | "none";

function Sort({ label, direction, turn }: { label: string; direction: Direction; turn: () => void }) {
	return (
		<button type="button" className={classes.sort} data-direction={direction} onClick={turn}>
			{label}
			<Icon name="down" size={12} />
		</button>
	);
}

/* j and k walk through the rows. */
function useWalk(place: React.RefObject<HTMLTableElement | null>): void {
	useCommands(
		useMemo<readonly Command[]>(() => {
			const walk = (step: number) => {
				const links = [...(place.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
				const at = links.indexOf(document.activeElement as HTMLElement);
				links[at === -1 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)]?.focus();
			};
			return [
				{ id: "list down", label: "Next row", group: "This page", icon: "down", keys: ["j"], run: () => walk(1) },
				{ id: "list up", label: "Row before", group: "This page", icon: "chevron", keys: ["k"], run: () => walk(-1) },
			];
		}, [place]),
	);
}

export function Table({ resource, rows, columns: names, asked, change }: { resource: Resource; rows: readonly Row[]; columns: readonly string[]; asked: Asked; change: (next: Asked) => void }) {
	const place = useRef<HTMLTableElement>(null);
	const router = useRouter();
	const table = useReactTable({
		data: rows as Row[],
		columns: useColumns(resource, rows, names),
		getCoreRowModel: getCoreRowModel(),
		getRowId: (row) => row.id,
		manualSorting: true,
		manualPagination: true,
	});
	useWalk(place);
	const sortedBy = (field: string | null): Direction => (field === null || asked.sort === null ? "none" : asked.sort === field ? "ascending" : asked.sort === `-${field}` ? "descending" : "none");
	const turn = (field: string) => change({ ...asked, sort: asked.sort === field ? `-${field}` : asked.sort === `-${field}` ? null : field });
	const open = (e: React.MouseEvent, id: string) => {
		if (!(e.target as Element).closest("a, button") && window.getSelection()?.isCollapsed !== false)
			void router.navigate({ to: "/customers/$resource/$id", params: { resource: resource.name, id }, search: {} });
	};
	return (
		<div className={classes.scroll} role="region" aria-label={`The list, ${singular(resource.name)} by ${singular(resource.name)}`} tabIndex={0}>
			<table className={classes.table} ref={place}>
				<thead>
					{table.getHeaderGroups().map((group) => (
						<tr key={group.id}>
							{group.headers.map((h) => {
								const meta = h.column.columnDef.meta;
								const direction = sortedBy(meta?.sort ?? null);
								const label = String(h.column.columnDef.header);
								return (
									<th key={h.id} scope="col" className={meta?.number ? classes.number : undefined} aria-sort={direction === "none" ? undefined : direction}>
										{meta?.sort == null ? label : <Sort label={label} direction={direction} turn={() => turn(meta.sort as string)} />}
									</th>
								);
							})}
						</tr>
					))}
				</thead>
				<tbody>
					{table.getRowModel().rows.map((row) => (
						<tr key={row.id} onClick={(e) => open(e, row.id)}>
							{row.getVisibleCells().map((cell) => {
								const content = flexRender(cell.column.columnDef.cell, cell.getContext());
								return cell.column.id === NAME ? (
									<th key={cell.id} scope="row">
										{content}
									</th>
								) : (
									<td key={cell.id} className={cell.column.columnDef.meta?.number ? classes.number : undefined}>
										{content}
									</td>
								);
							})}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}
