/* One team: its name, who is in it, who leads it. */
import { useEffect, useState } from "react";
import { Button, Checkbox, TextInput } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { titlePage } from "~/app/pages";
import { PendingView } from "~/app/views";
import { asProblem } from "~/api/problem";
import { Empty, Page, Panel, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Team as Row, api, membersQuery, nameOf, refresh, teamQuery } from "./data";
import { Ask, More, NotYours, PickUser, Rows, Standing } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/teams/$id");

function useMembers(team: string) {
	const queries = useQueryClient();
	const onSuccess = () => refresh(queries);
	const put = useMutation({
		mutationFn: (m: { user: string; is_lead: boolean }) => api.put("/v1/teams/{id}/members/{user}", { path: { id: team, user: m.user }, body: { is_lead: m.is_lead } }),
		onSuccess,
	});
	const remove = useMutation({ mutationFn: (user: string) => api.remove("/v1/teams/{id}/members/{user}", { path: { id: team, user } }), onSuccess });
	return { put, remove };
}

function Add({ team, members }: { team: string; members: readonly string[] }) {
	const { put } = useMembers(team);
	const [user, setUser] = useState("");
	const [lead, setLead] = useState(false);
	const problem = put.error === null ? null : asProblem(put.error);
	return (
		<form
			className={classes.form}
			onSubmit={(e) => {
				e.preventDefault();
				put.mutate({ user, is_lead: lead }, { onSuccess: () => (setUser(""), setLead(false)) });
			}}
		>
			{problem !== null && <Trouble problem={problem} />}
			<PickUser label="Who" value={user} without={members} onChange={setUser} />
			<Checkbox label="Leads the team" checked={lead} onChange={(e) => setLead(e.currentTarget.checked)} />
			<div className={classes.buttons}>
				<Button type="submit" variant="default" disabled={user === ""} loading={put.isPending}>
					Add to the team
				</Button>
			</div>
		</form>
	);
}

function Members({ team, mayWrite }: { team: Row; mayWrite: boolean }) {
	const list = useInfiniteQuery(membersQuery(team.id));
	const { put, remove } = useMembers(team.id);
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const members = list.data.pages.flatMap((p) => p.data);
	const problem = put.error ?? remove.error;
	return (
		<div className={classes.columns}>
			<div>
				{problem !== null && <Trouble problem={problem} />}
				{members.length === 0 ? (
					<Empty title="Nobody is in this team">{mayWrite ? "Add the first one beside." : "An operator can add people."}</Empty>
				) : (
					<Rows label="The members" columns={["Name", "Since", "State", ...(mayWrite ? ["(Actions)"] : [])]}>
						{members.map((m) => (
							<tr key={m.id}>
								<th scope="row">
									<Link to="/people/$id" params={{ id: m.id }}>
										{nameOf(m)}
									</Link>{" "}
									{m.is_lead && <State>lead</State>}
								</th>
								<td>
									<Time at={m.since} />
								</td>
								<td>
									<Standing disabled={m.disabled_at !== null} />
								</td>
								{mayWrite && (
									<td>
										<Button
											size="compact-sm"
											variant="default"
											aria-label={`${m.is_lead ? "No longer lead" : "Make lead"}: ${nameOf(m)}`}
											onClick={() => put.mutate({ user: m.id, is_lead: !m.is_lead })}
										>
											{m.is_lead ? "No longer lead" : "Make lead"}
										</Button>
										<Button size="compact-sm" variant="default" aria-label={`Take out: ${nameOf(m)}`} onClick={() => remove.mutate(m.id)}>
											Take out
										</Button>
									</td>
								)}
							</tr>
						))}
					</Rows>
				)}
				<More list={list} />
			</div>
			{mayWrite && (
				<Panel title="Add somebody">
					<Add team={team.id} members={members.map((m) => m.id)} />
				</Panel>
			)}
		</div>
	);
}

function Archive({ team }: { team: Row }) {
	const queries = useQueryClient();
	const [asking, setAsking] = useState(false);
	const archived = team.archived_at !== null;
	const turn = useMutation({
		mutationFn: async () => {
			if (archived)
				await api.post("/v1/teams/{id}/restore", { path: { id: team.id } });
			else
				await api.remove("/v1/teams/{id}", { path: { id: team.id } });
		},
		onSuccess: async () => {
			setAsking(false);
			await refresh(queries);
		},
	});
	const act = archived ? "Bring back" : "Archive";
	return (
		<>
			<Button variant="default" onClick={() => setAsking(true)}>
				{act}…
			</Button>
			{asking && (
				<Ask title={`${act}: ${team.name}?`} act={act} danger={!archived} pending={turn.isPending} problem={turn.error} onAct={() => turn.mutate()} close={() => setAsking(false)}>
					{archived ? "It is offered again, with the members it had." : "It is no longer offered and gives nobody anything. It can be brought back."}
				</Ask>
			)}
		</>
	);
}

function Names({ team, etag }: { team: Row; etag: string }) {
	const queries = useQueryClient();
	const [name, setName] = useState(team.name);
	const [slug, setSlug] = useState(team.slug);
	const change = useMutation({
		mutationFn: () => api.patch("/v1/teams/{id}", { path: { id: team.id }, header: { "If-Match": etag }, body: { name, slug } }),
		onSuccess: () => refresh(queries),
		onError: (thrown) => {
			if (asProblem(thrown).status === 412)
				void refresh(queries);
		},
	});
	const problem = change.error === null ? null : asProblem(change.error);
	return (
		<Panel title="Names">
			<form
				className={`${classes.form} ${classes.narrow}`}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					change.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<TextInput label="Name" required value={name} error={problem?.at("/name")} onChange={(e) => setName(e.currentTarget.value)} />
				<TextInput label="Short name" required value={slug} error={problem?.at("/slug")} onChange={(e) => setSlug(e.currentTarget.value)} />
				<div className={classes.buttons}>
					<Button type="submit" variant="default" disabled={name === team.name && slug === team.slug} loading={change.isPending}>
						Save
					</Button>
				</div>
			</form>
		</Panel>
	);
}

function Shown({ team, etag }: { team: Row; etag: string }) {
	const may = useMay();
	const mayWrite = may("team.write");
	useEffect(() => titlePage(team.name), [team.name]);
	return (
		<Page
			title={team.name}
			about={
				<>
					<Link to="/people/teams">Teams</Link> · {team.slug} · {team.members} {team.members === 1 ? "member" : "members"} {team.archived_at !== null && <State>archived</State>}
				</>
			}
			actions={mayWrite && <Archive team={team} />}
		>
			<Members team={team} mayWrite={mayWrite && team.archived_at === null} />
			{mayWrite && <Names key={team.version} team={team} etag={etag} />}
		</Page>
	);
}

export function Team() {
	const { id } = route.useParams();
	const may = useMay();
	const mayRead = may("team.read");
	const team = useQuery({ ...teamQuery(id), enabled: mayRead });
	if (!mayRead)
		return <NotYours title="Team" what="see the teams" />;
	if (team.isPending)
		return <PendingView />;
	if (team.isError)
		return (
			<Page title="Team">
				<Trouble problem={team.error} again={() => void team.refetch()} />
			</Page>
		);
	return <Shown key={id} team={team.data.team} etag={team.data.etag} />;
}
