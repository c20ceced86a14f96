/* Teams, and making one. */
import { useState } from "react";
import { Button, Checkbox, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { asProblem } from "~/api/problem";
import { Icon } from "~/ui/Icon";
import { Empty, Page, State } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Team, api, refresh, teamsQuery } from "./data";
import { More, NotYours, Rows, Tabs } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/teams");

function slugOf(name: string): string {
	return name
		.toLowerCase()
		.normalize("NFKD")
		.replace(/[^a-z0-9]+/g, "-")
		.replace(/^-+|-+$/g, "")
		.slice(0, 60);
}

function New({ teams, close }: { teams: readonly Team[]; close: () => void }) {
	const router = useRouter();
	const queries = useQueryClient();
	const [name, setName] = useState("");
	const [slug, setSlug] = useState<string | null>(null);
	const [parent, setParent] = useState("");
	const make = useMutation({
		mutationFn: async () => (await api.post("/v1/teams", { body: { name, slug: slug ?? slugOf(name), ...(parent === "" ? {} : { parent }) } })).data,
		onSuccess: async (team) => {
			await refresh(queries);
			await router.navigate({ to: "/people/teams/$id", params: { id: team.id } });
		},
	});
	const problem = make.error === null ? null : asProblem(make.error);
	return (
		<Modal opened onClose={close} title="New team" closeButtonProps={{ "aria-label": "Close" }}>
			<form
				className={classes.form}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					make.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<TextInput label="Name" required data-autofocus value={name} error={problem?.at("/name")} onChange={(e) => setName(e.currentTarget.value)} />
				<TextInput label="Short name" description="For addresses and programs" required value={slug ?? slugOf(name)} error={problem?.at("/slug")} onChange={(e) => setSlug(e.currentTarget.value)} />
				<NativeSelect
					label="Part of"
					value={parent}
					error={problem?.at("/parent")}
					data={[{ value: "", label: "no other team" }, ...teams.filter((t) => t.archived_at === null).map((t) => ({ value: t.id, label: t.name }))]}
					onChange={(e) => setParent(e.currentTarget.value)}
				/>
				<div className={classes.buttons}>
					<Button variant="default" onClick={close}>
						Cancel
					</Button>
					<Button type="submit" loading={make.isPending}>
						Create the team
					</Button>
				</div>
			</form>
		</Modal>
	);
}

export function Teams() {
	const may = useMay();
	const { archived = false } = route.useSearch();
	const navigate = route.useNavigate();
	const mayRead = may("team.read");
	const [making, setMaking] = useState(false);
	const list = useInfiniteQuery({ ...teamsQuery(archived), enabled: mayRead });
	if (!mayRead)
		return <NotYours title="Teams" what="see the teams" />;
	const teams = list.data?.pages.flatMap((p) => p.data) ?? [];
	const names = new Map(teams.map((t) => [t.id, t.name]));
	return (
		<Page
			title="Teams"
			about="Departments: who works together, and who leads"
			actions={
				may("team.write") && (
					<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setMaking(true)}>
						New team
					</Button>
				)
			}
		>
			{making && <New teams={teams} close={() => setMaking(false)} />}
			<div className={classes.bar}>
				<Tabs />
				<Checkbox label="Show archived teams" checked={archived} onChange={(e) => void navigate({ search: e.currentTarget.checked ? { archived: true } : {}, replace: true })} />
			</div>
			{list.isPending ? (
				<PendingView />
			) : list.isError ? (
				<Trouble problem={list.error} again={() => void list.refetch()} />
			) : teams.length === 0 ? (
				<Empty title="There are no teams yet">A team gathers people; roles and scopes of records can look at it.</Empty>
			) : (
				<div>
					<Rows label="The list of teams" columns={["Name", "Short name", "Part of", "Members", "State"]}>
						{teams.map((t) => (
							<tr key={t.id}>
								<th scope="row">
									<Link to="/people/teams/$id" params={{ id: t.id }}>
										{t.name}
									</Link>
								</th>
								<td>{t.slug}</td>
								<td>{t.parent === null ? <span className="dimmed">no other</span> : (names.get(t.parent) ?? <code>…{t.parent.slice(-8)}</code>)}</td>
								<td>{t.members}</td>
								<td>{t.archived_at === null ? <State tone="good">active</State> : <State>archived</State>}</td>
							</tr>
						))}
					</Rows>
					<More list={list} />
				</div>
			)}
		</Page>
	);
}
