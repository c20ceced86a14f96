/* Who is signed in, from where; end one session, or all of somebody. */
import { useState } from "react";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { sayAgent } from "~/ui/agent";
import { Empty, Page, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Session, api, refresh, sessionsQuery } from "./data";
import { Ask, More, NotYours, Rows, Tabs, Who } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/sessions");

function EndAll({ user }: { user: string }) {
	const queries = useQueryClient();
	const [asking, setAsking] = useState(false);
	const end = useMutation({
		mutationFn: () => api.remove("/v1/users/{id}/sessions", { path: { id: user } }),
		onSuccess: async () => {
			setAsking(false);
			await refresh(queries);
		},
	});
	return (
		<>
			<Button variant="default" onClick={() => setAsking(true)}>
				End all of them…
			</Button>
			{asking && (
				<Ask title="End all of these sessions?" act="End them all" danger pending={end.isPending} problem={end.error} onAct={() => end.mutate()} close={() => setAsking(false)}>
					<Who id={user} /> is signed out everywhere at once, and can sign in again.
				</Ask>
			)}
		</>
	);
}

function List({ of }: { of: string | null }) {
	const may = useMay();
	const queries = useQueryClient();
	const list = useInfiniteQuery(sessionsQuery(of));
	const end = useMutation({ mutationFn: (id: string) => api.remove("/v1/sessions/{id}", { path: { id } }), onSettled: () => refresh(queries) });
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const sessions: readonly Session[] = list.data.pages.flatMap((p) => p.data);
	if (sessions.length === 0)
		return <Empty title="Nobody is signed in here">Sessions appear when somebody signs in to the console.</Empty>;
	return (
		<div>
			{end.error !== null && <Trouble problem={end.error} />}
			<Rows label="The list of sessions" columns={["Who", "Program", "From", "Begun", "Last seen", "Ends", "(Actions)"]}>
				{sessions.map((s) => (
					<tr key={s.id}>
						<th scope="row">
							<Link to="/people/$id" params={{ id: s.principal }}>
								{s.name}
							</Link>{" "}
							{s.current && <State tone="good">this one</State>}
						</th>
						<td>{sayAgent(s.agent ?? "")}</td>
						<td className="mono">{s.address ?? "unknown"}</td>
						<td>
							<Time at={s.created_at} />
						</td>
						<td>
							<Time at={s.last_seen_at} />
						</td>
						<td>
							<Time at={s.expires_at} />
						</td>
						<td>
							{!s.current && may("session.revoke") && (
								<Button size="compact-sm" variant="default" aria-label={`End it: the session of ${s.name}`} loading={end.isPending && end.variables === s.id} onClick={() => end.mutate(s.id)}>
									End it
								</Button>
							)}
						</td>
					</tr>
				))}
			</Rows>
			<More list={list} />
		</div>
	);
}

export function Sessions() {
	const may = useMay();
	const { of } = route.useSearch();
	if (!may("session.list"))
		return <NotYours title="Sessions" what="see the sessions of others; your own are on the page of your account" />;
	return (
		<Page title="Sessions" about={of === undefined ? "Who is signed in, and from where" : <>Of <Who id={of} /></>} actions={of !== undefined && may("session.revoke") && <EndAll user={of} />}>
			<div className={classes.bar}>
				<Tabs />
			</div>
			<List of={of ?? null} />
		</Page>
	);
}
