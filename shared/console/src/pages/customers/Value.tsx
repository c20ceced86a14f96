/* One value of a record, by the kind of its field. All text goes through React as text: markup in it is shown, never read. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type Field, type Resource, describeQuery } from "~/api/description";
import { type Json, listQuery } from "~/api/records";
import { Time } from "~/ui/Time";
import { namingFields, singular, titleOf } from "./names";
import classes from "./customers.module.css";

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const IN_MAX = 100;

/** Names of the records of `resource` with these ids, in one question. */
export function useTitles(resource: string | null, ids: readonly string[]): ReadonlyMap<string, string> {
	const { data: all } = useQuery(describeQuery);
	const described = resource === null ? undefined : all?.get(resource);
	const wanted = [...new Set(ids)].sort().slice(0, IN_MAX);
	const fields = described === undefined ? [] : namingFields(described).map((f) => f.name);
	const { data } = useQuery({
		...listQuery(resource ?? "", { id: `in.(${wanted.join(",")})`, fields: fields.join(",") }),
		enabled: described !== undefined && wanted.length > 0 && fields.length > 0 && described.field("id")?.filterable === true,
		staleTime: 60_000,
	});
	return new Map((data?.data ?? []).map((row) => [row.id, titleOf(described as Resource, row).text]));
}

/** A record that another one names. */
export function Reference({ resource, id, title }: { resource: string; id: string; title: string | undefined }) {
	return (
		<Link to="/customers/$resource/$id" params={{ resource, id }} search={{}}>
			{title ?? `${singular(resource)} …${id.slice(-8)}`}
		</Link>
	);
}

export function LoneReference({ resource, id }: { resource: string; id: string }) {
	return <Reference resource={resource} id={id} title={useTitles(resource, [id]).get(id)} />;
}

export function Nothing() {
	return (
		<span className="dimmed">
			<span aria-hidden="true">–</span>
			<span className="unseen">empty</span>
		</span>
	);
}

/** It has a value that the reader may not see: told apart from an empty one. */
export function Hidden({ what = "hidden" }: { what?: string }) {
	return (
		<span className={classes.hidden} title="Your roles do not include fields of this class">
			{what}
		</span>
	);
}

export function Value({ field, value, titles }: { field: Pick<Field, "kind" | "reference">; value: Json | undefined; titles?: ReadonlyMap<string, string> }) {
	if (value === undefined)
		return <Hidden />;
	if (value === null || value === "")
		return <Nothing />;
	if (typeof value === "boolean")
		return value ? "yes" : "no";
	if (typeof value === "object")
		return <code>{JSON.stringify(value)}</code>;
	if (typeof value === "number")
		return field.kind === "decimal" ? value.toLocaleString(undefined, { maximumFractionDigits: 10 }) : String(value);
	if (field.kind === "timestamp")
		return <Time at={value} />;
	if (field.kind === "date")
		return <time dateTime={value}>{day.format(new Date(value))}</time>;
	if (field.kind === "uuid" && field.reference !== null)
		return titles === undefined ? <LoneReference resource={field.reference} id={value} /> : <Reference resource={field.reference} id={value} title={titles.get(value)} />;
	return field.kind === "uuid" ? <span className="mono">{value}</span> : value;
}

/** "set 3 days ago by anna" */
export function Source({ at, by, from }: { at: string | null; by: { readonly name: string | null; readonly id: string } | null; from?: "log" | "record" }) {
	if (at === null)
		return null;
	return (
		<span className="dimmed small">
			<Time at={at} />
			{by !== null && ` · ${by.name ?? by.id}`}
			{from === "record" && " · from the record, older than the log"}
		</span>
	);
}
