/* Users and services: who there is, in which state, with which roles, in which teams. */
import { useEffect, useMemo, useState } from "react";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { type Command, useCommands } from "~/app/commands";
import { PendingView } from "~/app/views";
import { Icon } from "~/ui/Icon";
import { Empty, Page } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { nameOf, usersQuery } from "./data";
import type { UsersSearch } from "./index";
import { More, NotYours, Roles, Rows, Standing, Tabs } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people");
const PAUSE_MS = 250;

function useTurn(): (change: { readonly [K in keyof UsersSearch]: UsersSearch[K] | "" }) => void {
	const search = route.useSearch();
	const navigate = route.useNavigate();
	return (change) => {
		const all = Object.entries({ ...search, ...change }).filter(([, value]) => value !== "");
		void navigate({ search: Object.fromEntries(all) as UsersSearch, replace: true });
	};
}

function Filters() {
	const search = route.useSearch();
	const turn = useTurn();
	const [words, setWords] = useState(search.q ?? "");
	const [settled] = useDebouncedValue(words.trim(), PAUSE_MS);
	useEffect(() => {
		if (settled !== (search.q ?? ""))
			turn({ q: settled });
	}, [settled]);
	return (
		<>
			<TextInput className={classes.search ?? ""} label="Search" type="search" placeholder="A part of the name" value={words} onChange={(e) => setWords(e.currentTarget.value)} />
			<NativeSelect
				label="Kind"
				value={search.kind ?? ""}
				data={[
					{ value: "", label: "People and services" },
					{ value: "user", label: "People" },
					{ value: "service", label: "Services" },
				]}
				onChange={(e) => turn({ kind: e.currentTarget.value as "user" | "" })}
			/>
			<NativeSelect
				label="State"
				value={search.state ?? ""}
				data={[
					{ value: "", label: "Active and disabled" },
					{ value: "active", label: "Active" },
					{ value: "disabled", label: "Disabled" },
				]}
				onChange={(e) => turn({ state: e.currentTarget.value as "active" | "" })}
			/>
		</>
	);
}

function List() {
	const search = route.useSearch();
	const list = useInfiniteQuery(usersQuery(search));
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const users = list.data.pages.flatMap((p) => p.data);
	if (users.length === 0)
		return <Empty title="Nobody fits these filters">Take one away, or look for another part of the name.</Empty>;
	return (
		<div>
			<Rows label="The list of users" columns={["Name", "Login", "Kind", "State", "Roles", "Teams"]} busy={list.isPlaceholderData}>
				{users.map((u) => (
					<tr key={u.id}>
						<th scope="row">
							<Link to="/people/$id" params={{ id: u.id }}>
								{nameOf(u)}
							</Link>
						</th>
						<td>{u.name}</td>
						<td>{u.kind === "user" ? "person" : "service"}</td>
						<td>
							<Standing disabled={u.disabled_at !== null} />
						</td>
						<td>
							<Roles roles={u.roles} />
						</td>
						<td>{u.teams.length === 0 ? <span className="dimmed">none</span> : u.teams.map((t) => t.name).join(", ")}</td>
					</tr>
				))}
			</Rows>
			<More list={list} />
		</div>
	);
}

export function Users() {
	const may = useMay();
	const router = useRouter();
	const mayWrite = may("user.write");
	useCommands(
		useMemo<readonly Command[]>(
			() =>
				mayWrite ? [{ id: "people new", label: "New user", group: "This page", icon: "plus", keys: ["n"], run: () => void router.navigate({ to: "/people/new", search: {} }) }] : [],
			[mayWrite, router],
		),
	);
	if (!may("user.read"))
		return <NotYours title="People" what="see who there is" />;
	return (
		<Page
			title="People"
			about="Who may sign in, and which programs have access"
			actions={
				mayWrite && (
					<>
						<Button variant="default" onClick={() => void router.navigate({ to: "/people/new", search: { kind: "service" } })}>
							New service
						</Button>
						<Button leftSection={<Icon name="plus" size={16} />} onClick={() => void router.navigate({ to: "/people/new", search: {} })}>
							New user
						</Button>
					</>
				)
			}
		>
			<div className={classes.bar}>
				<Tabs />
				<Filters />
			</div>
			<List />
		</Page>
	);
}
