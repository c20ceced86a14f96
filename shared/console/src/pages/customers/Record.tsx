/*
 * One record: as it is (overview, timeline, history), as it was at a moment, being edited, or deleted and to be brought back. Which of
 * these is shown is in the address.
 */
import { useEffect, useMemo, useState } from "react";
import { Button, Popover, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { type Command, useCommands } from "~/app/commands";
import { titlePage } from "~/app/pages";
import { PendingView } from "~/app/views";
import { type Resource, describeQuery } from "~/api/description";
import { asProblem } from "~/api/problem";
import { type Row, recordQuery } from "~/api/records";
import { Icon } from "~/ui/Icon";
import { Page, Panel } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Delete } from "./Delete";
import { Edit } from "./Edit";
import { Gone } from "./Gone";
import { History } from "./History";
import { type RecordSearch, type Tab, tabs } from "./index";
import { fromLocal, toLocal } from "./moment";
import { plural, singular, titleOf } from "./names";
import { Overview } from "./Overview";
import { Past } from "./Past";
import { Seen } from "./Seen";
import { Timeline, timelineReference } from "./Timeline";
import { Trouble } from "~/ui/Trouble";
import { Hidden } from "./Value";
import classes from "./customers.module.css";

const route = getRouteApi("/shell/customers/$resource/$id");

const tabNames: Readonly<Record<Tab, string>> = { overview: "Overview", timeline: "Timeline", history: "History", flags: "Flags" };

/* Another view of the same record; its place on the screen stays. */
function useTurn() {
	const { resource, id } = route.useParams();
	const router = useRouter();
	return (search: RecordSearch) => void router.navigate({ to: "/customers/$resource/$id", params: { resource, id }, search });
}

function Moment({ asOf, turn }: { asOf: string | undefined; turn: (search: RecordSearch) => void }) {
	const [open, setOpen] = useState(false);
	const [text, setText] = useState(() => toLocal(asOf ?? new Date().toISOString()));
	return (
		<Popover opened={open} onChange={setOpen} position="bottom-end" trapFocus returnFocus shadow="md" width={280}>
			<Popover.Target>
				<Button variant="default" leftSection={<Icon name="history" size={16} />} onClick={() => setOpen(!open)}>
					As it was…
				</Button>
			</Popover.Target>
			<Popover.Dropdown>
				<form
					className={classes.editor}
					onSubmit={(e) => {
						e.preventDefault();
						const at = fromLocal(text);
						if (at === "")
							return;
						setOpen(false);
						turn({ as_of: at });
					}}
				>
					<TextInput label="Day and time" description="Your own time zone" type="datetime-local" step={1} required data-autofocus value={text} onChange={(e) => setText(e.currentTarget.value)} />
					<Button type="submit" disabled={fromLocal(text) === ""}>
						Show it as it was then
					</Button>
				</form>
			</Popover.Dropdown>
		</Popover>
	);
}

/** Has it this part, for who is signed in? */
function has(resource: Resource, tab: Tab, may: (right: string) => boolean): boolean {
	if (tab === "flags")
		return resource.name === "people" && may("flag.read");
	return tab !== "timeline" || timelineReference(resource.name) !== null;
}

function Tabs({ resource, id, here }: { resource: Resource; id: string; here: Tab }) {
	const may = useMay();
	const shown = tabs.filter((t) => has(resource, t, may));
	return (
		<nav className={classes.tabs} aria-label="Parts of this record">
			{shown.map((t) => (
				<Link
					key={t}
					to="/customers/$resource/$id"
					params={{ resource: resource.name, id }}
					search={t === "overview" ? {} : { tab: t }}
					activeOptions={{ exact: true, includeSearch: true }}
					aria-current={t === here ? "page" : undefined}
				>
					{tabNames[t]}
				</Link>
			))}
		</nav>
	);
}

function Live({ resource, row, etag }: { resource: Resource; row: Row; etag: string }) {
	const { tab = "overview", as_of: asOf, edit } = route.useSearch();
	const turn = useTurn();
	const may = useMay();
	const [deleting, setDeleting] = useState(false);
	const title = titleOf(resource, row);
	const mayWrite = may(`${resource.name}.write`) && resource.fields.some((f) => f.writable);
	const editing = edit === true && mayWrite && asOf === undefined;
	useEffect(() => titlePage(title.text), [title.text, tab, asOf, edit]);
	useCommands(
		useMemo<readonly Command[]>(
			() => [
				...(mayWrite ? [{ id: "record edit", label: "Edit this record", group: "This page", keys: ["e"], run: () => turn({ edit: true }) }] : []),
				...tabs.filter((t) => has(resource, t, may)).map((t) => ({ id: `record ${t}`, label: tabNames[t], group: "This page", keys: ["t", t.charAt(0)], run: () => turn(t === "overview" ? {} : { tab: t }) })),
				{ id: "record list", label: `All ${plural(resource.name).toLowerCase()}`, group: "This page", keys: ["u"], run: () => history.back() },
			],
			[mayWrite, resource.name, row.id],
		),
	);
	return (
		<Page
			title={
				<>
					{title.text} {title.hidden && <Hidden what="name hidden" />}
				</>
			}
			about={
				<>
					<Link to="/customers/$resource" params={{ resource: resource.name }} search={{}}>
						{plural(resource.name)}
					</Link>{" "}
					· version {row.version} · written {typeof row.updated_at === "string" && <Time at={row.updated_at} />}
				</>
			}
			actions={
				!editing && (
					<>
						<Moment asOf={asOf} turn={turn} />
						{mayWrite && asOf === undefined && (
							<>
								<Button variant="default" leftSection={<Icon name="trash" size={16} />} onClick={() => setDeleting(true)}>
									Delete…
								</Button>
								<Button onClick={() => turn({ edit: true })}>Edit</Button>
							</>
						)}
					</>
				)
			}
		>
			{deleting && <Delete resource={resource} row={row} etag={etag} title={title.text} close={() => setDeleting(false)} />}
			{asOf !== undefined ? (
				<Past resource={resource} row={row} asOf={asOf} />
			) : editing ? (
				<Edit resource={resource} row={row} etag={etag} done={() => turn({})} />
			) : (
				<>
					<Tabs resource={resource} id={row.id} here={tab} />
					{tab === "overview" && <Overview resource={resource} row={row} />}
					{tab === "timeline" && <Timeline resource={resource} id={row.id} />}
					{tab === "flags" && has(resource, tab, may) && <Seen id={row.id} />}
					{tab === "history" && <History resource={resource} id={row.id} etag={etag} mayUndo={mayWrite} />}
				</>
			)}
		</Page>
	);
}

function One({ resource, id }: { resource: Resource; id: string }) {
	const { as_of: asOf } = route.useSearch();
	const record = useQuery(recordQuery(resource.name, id));
	const turn = useTurn();
	if (record.isPending)
		return <PendingView />;
	const problem = record.isError ? asProblem(record.error) : null;
	if (problem !== null && problem.status === 404)
		return <Gone resource={resource} id={id} asOf={asOf} moment={<Moment asOf={asOf} turn={turn} />} />;
	if (record.data === undefined)
		return (
			<Page title={singular(resource.name)}>
				<Trouble problem={problem} again={() => void record.refetch()} />
			</Page>
		);
	return <Live resource={resource} row={record.data.row} etag={record.data.etag} />;
}

export function Record() {
	const { resource: name, id } = route.useParams();
	const all = useQuery(describeQuery);
	if (all.isPending)
		return <PendingView />;
	const resource = all.data?.get(name);
	if (resource === undefined)
		return (
			<Page title="Record">
				{all.isError ? <Trouble problem={all.error} again={() => void all.refetch()} /> : <Panel>Your roles do not include “{name}”, or there are no such records.</Panel>}
			</Page>
		);
	return <One key={`${name} ${id}`} resource={resource} id={id} />;
}
