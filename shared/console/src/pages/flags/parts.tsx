/* What the parts of this page have in common. */
import type { ReactNode } from "react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { Empty, Page, State, type Tone } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { sayExact } from "~/ui/time";
import { type FlagRow, SOON_DAYS, daysLeft, standingOf, whoQuery } from "./data";
import type { Difference } from "./differ";
import type { Standing as Word } from "./index";
import type { Told } from "./words";
import classes from "./flags.module.css";

const tones: Readonly<Record<Word, Tone>> = { on: "good", off: "plain", expired: "bad", archived: "plain" };

export function Standing({ flag }: { flag: FlagRow }) {
	const standing = standingOf(flag);
	return <State tone={tones[standing]}>{standing}</State>;
}

/** When a flag ends by itself: in days where it is near. */
export function Expiry({ flag }: { flag: FlagRow }) {
	const days = daysLeft(flag);
	if (flag.expired || flag.archived_at !== null || days > SOON_DAYS)
		return <Time at={flag.expires_at} />;
	return (
		<time className={classes.soon} dateTime={flag.expires_at} title={sayExact(new Date(flag.expires_at))}>
			expires {days <= 1 ? "within a day" : `in ${days} days`}
		</time>
	);
}

/** Who comes here by an address that his roles do not open. */
export function NotYours({ title, what }: { title: string; what: string }) {
	return (
		<Page title={title}>
			<Empty title={`Your roles do not let you ${what}`} action={<Link to="/">Go to Home</Link>}>
				Somebody who has the right to it can do it for you, or an operator can give you a role.
			</Empty>
		</Page>
	);
}

/** Who made a revision, by his id. */
export function Who({ id }: { id: string }) {
	const may = useMay();
	const { data } = useQuery({ ...whoQuery(id), enabled: may("user.read") });
	if (data === undefined)
		return <code>…{id.slice(-8)}</code>;
	return (
		<Link to="/people/$id" params={{ id }}>
			{data.display_name ?? data.name}
		</Link>
	);
}

/** Something a sentence goes on about: as deep as it is written. */
export function Tree({ all }: { all: readonly Told[] }) {
	if (all.length === 0)
		return null;
	return (
		<ul className={classes.tree}>
			{all.map((told, i) => (
				<Branch key={i} told={told} />
			))}
		</ul>
	);
}

function Branch({ told }: { told: Told }) {
	return (
		<li>
			{told.text}
			{told.parts !== undefined && (
				<>
					:
					<ul>
						{told.parts.map((part, i) => (
							<Branch key={i} told={part} />
						))}
					</ul>
				</>
			)}
		</li>
	);
}

/** What differs between two revisions. */
export function Changed({ all }: { all: readonly Difference[] }) {
	if (all.length === 0)
		return <span className="dimmed">nothing</span>;
	return (
		<ul className={classes.changes}>
			{all.map((d, i) => (
				<li key={i}>
					<span className={classes.changed}>{d.what}</span> {d.before !== null && <del>{d.before}</del>} {d.before !== null && d.after !== null && "→ "}
					{d.after !== null && <ins>{d.after}</ins>}
				</li>
			))}
		</ul>
	);
}

/** A table that may be wider than the screen. */
export function Rows({ label, columns, busy = false, children }: { label: string; columns: readonly string[]; busy?: boolean; children: ReactNode }) {
	return (
		<div className={classes.scroll} role="region" aria-label={label} aria-busy={busy} tabIndex={0}>
			<table className={classes.table}>
				<thead>
					<tr>
						{columns.map((c) => (
							<th key={c} scope="col">
								{c.startsWith("(") ? <span className="unseen">{c.slice(1, -1)}</span> : c}
							</th>
						))}
					</tr>
				</thead>
				<tbody>{children}</tbody>
			</table>
		</div>
	);
}
