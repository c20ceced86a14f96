/* What the parts of this page have in common. */
import { type ReactNode, useState } from "react";
import { Button, Checkbox, Modal, Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useActor, useMay } from "~/app/actor";
import { Icon } from "~/ui/Icon";
import { Empty, Page, State } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { api, grantable, nameOf, sayRole, userQuery } from "./data";
import classes from "./people.module.css";

const PAUSE_MS = 200;
const SHOWN = 20;

/** The parts of the area that the actor may see. */
export function Tabs() {
	const may = useMay();
	return (
		<nav className={classes.tabs} aria-label="Parts of People">
			{may("user.read") && (
				<Link to="/people" activeOptions={{ exact: true, includeSearch: false }}>
					Users
				</Link>
			)}
			{may("team.read") && (
				<Link to="/people/teams" activeOptions={{ exact: true, includeSearch: false }}>
					Teams
				</Link>
			)}
			{may("me.token") && (
				<Link to="/people/tokens" activeOptions={{ exact: true, includeSearch: false }}>
					Tokens
				</Link>
			)}
			{may("session.list") && (
				<Link to="/people/sessions" activeOptions={{ exact: true, includeSearch: false }}>
					Sessions
				</Link>
			)}
			{may("webhook.write") && (
				<Link to="/people/webhooks" activeOptions={{ exact: true, includeSearch: false }}>
					Webhooks
				</Link>
			)}
			<Link to="/people/access" activeOptions={{ exact: true, includeSearch: false }}>
				Access
			</Link>
		</nav>
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

export function Roles({ roles }: { roles: readonly string[] }) {
	if (roles.length === 0)
		return <span className="dimmed">none</span>;
	return (
		<span className={classes.labels}>
			{roles.map((r) => (
				<State key={r}>{sayRole(r)}</State>
			))}
		</span>
	);
}

export function Standing({ disabled }: { disabled: boolean }) {
	return disabled ? <State tone="bad">disabled</State> : <State tone="good">active</State>;
}

/** A user by his id: his name, and the way to him. */
export function Who({ id }: { id: string | null | undefined }) {
	const may = useMay();
	const known = id !== null && id !== undefined;
	const { data } = useQuery({ ...userQuery(id ?? ""), enabled: known && may("user.read") });
	if (!known)
		return <span className="dimmed">nobody</span>;
	if (data === undefined)
		return <code>…{id.slice(-8)}</code>;
	return (
		<Link to="/people/$id" params={{ id }}>
			{nameOf(data.user)}
		</Link>
	);
}

interface PickProps {
	readonly label: string;
	readonly description?: string;
	/** An id, or "". */
	readonly value: string;
	readonly onChange: (id: string) => void;
	readonly kind?: "user" | "service";
	readonly error?: string | undefined;
	/** Whom not to offer. */
	readonly without?: readonly string[];
}

/** Choose a user by a part of his name. */
export function PickUser({ label, description, value, onChange, kind, error, without = [] }: PickProps) {
	const [words, setWords] = useState("");
	const [settled] = useDebouncedValue(words.trim(), PAUSE_MS);
	const found = useQuery({
		queryKey: ["people", "pick", kind, settled],
		queryFn: async ({ signal }) =>
			(await api.get("/v1/users", { query: { state: "active", limit: SHOWN, ...(kind === undefined ? {} : { kind }), ...(settled === "" ? {} : { q: settled }) }, signal })).data.data,
		placeholderData: keepPreviousData,
	});
	const chosen = useQuery({ ...userQuery(value), enabled: value !== "" });
	const say = (u: { name: string; display_name: string | null }) => (u.display_name === null || u.display_name === u.name ? u.name : `${u.display_name} (${u.name})`);
	const data = (found.data ?? []).filter((u) => !without.includes(u.id)).map((u) => ({ value: u.id, label: say(u) }));
	if (value !== "" && !data.some((d) => d.value === value))
		data.push({ value, label: chosen.data === undefined ? value : say(chosen.data.user) });
	return (
		<Select
			label={label}
			description={description}
			error={error}
			required
			searchable
			placeholder="Type a part of the name"
			data={data}
			value={value === "" ? null : value}
			onChange={(id) => onChange(id ?? "")}
			onSearchChange={(text) => setWords(data.some((d) => d.label === text) ? "" : text)}
			filter={({ options }) => options}
			nothingFoundMessage="Nobody has such a name"
		/>
	);
}

/** Roles to choose from; those that the actor may not give stay as they are. */
export function RoleChoice({ value, onChange, error }: { value: readonly string[]; onChange: (roles: string[]) => void; error?: string | undefined }) {
	const { me } = useActor();
	const mine = grantable(me);
	const all = [...new Set([...mine, ...value])].sort();
	return (
		<Checkbox.Group label="Roles" description="What somebody may do is the sum of his roles." error={error} value={[...value]} onChange={onChange}>
			<div className={classes.choice}>
				{all.map((r) => (
					<Checkbox key={r} value={r} label={sayRole(r)} disabled={!mine.includes(r)} />
				))}
			</div>
		</Checkbox.Group>
	);
}

/** A secret that is shown this once. */
export function Secret({ title, label, secret, children, close }: { title: string; label: string; secret: string; children: ReactNode; close: () => void }) {
	const [copied, setCopied] = useState<"no" | "yes" | "refused">("no");
	const copy = () => {
		navigator.clipboard.writeText(secret).then(
			() => setCopied("yes"),
			() => setCopied("refused"),
		);
	};
	return (
		<Modal opened onClose={close} title={title} closeOnClickOutside={false} closeButtonProps={{ "aria-label": "Close" }}>
			<div className={classes.form}>
				<div>{children}</div>
				<div className={classes.secret}>
					<code aria-label={label} role="textbox" aria-readonly tabIndex={0}>
						{secret}
					</code>
				</div>
				<p className="small" role="status">
					{copied === "yes" ? "Copied." : copied === "refused" ? "The browser did not let it be copied: select the text above." : "It is shown this once, and cannot be read again."}
				</p>
				<div className={classes.buttons}>
					<Button variant="default" data-autofocus leftSection={<Icon name="check" size={16} />} onClick={copy}>
						Copy
					</Button>
					<Button onClick={close}>I have it</Button>
				</div>
			</div>
		</Modal>
	);
}

interface AskProps {
	readonly title: string;
	readonly act: string;
	readonly danger?: boolean;
	readonly pending: boolean;
	readonly problem: unknown;
	readonly onAct: () => void;
	readonly close: () => void;
	readonly children: ReactNode;
}

/** One question before something that is felt elsewhere. */
export function Ask({ title, act, danger = false, pending, problem, onAct, close, children }: AskProps) {
	return (
		<Modal opened onClose={close} title={title} closeButtonProps={{ "aria-label": "Close" }}>
			<div className={classes.form}>
				{problem !== null && <Trouble problem={problem} />}
				<div>{children}</div>
				<div className={classes.buttons}>
					<Button variant="default" data-autofocus onClick={close}>
						Cancel
					</Button>
					<Button {...(danger ? { color: "red.9" } : {})} loading={pending} onClick={onAct}>
						{act}
					</Button>
				</div>
			</div>
		</Modal>
	);
}

/** The foot of a list that goes on. */
export function More({ list }: { list: { readonly hasNextPage: boolean; readonly isFetchingNextPage: boolean; fetchNextPage(): unknown } }) {
	if (!list.hasNextPage)
		return null;
	return (
		<div className={classes.more}>
			<Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
				Show more
			</Button>
		</div>
	);
}

/** A table that may be wider than the screen. */
export function Rows({ label, columns, busy = false, children }: { label: string; columns: readonly string[]; busy?: boolean; children: ReactNode }) {
	return (
		<div className={classes.scroll} role="region" aria-label={label} aria-busy={busy} tabIndex={0}>
			<table className={classes.table} role="table">
				<thead role="rowgroup">
					<tr role="row">
						{columns.map((c) => (
							<th key={c} scope="col" role="columnheader">
								{c.startsWith("(") ? <span className="unseen">{c.slice(1, -1)}</span> : c}
							</th>
						))}
					</tr>
				</thead>
				<tbody role="rowgroup">{children}</tbody>
			</table>
		</div>
	);
}
