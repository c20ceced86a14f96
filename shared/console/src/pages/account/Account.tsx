/* What a person may do about himself: see who he is here, change the password, end his sessions. */
import { useState } from "react";
import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useActor } from "~/app/actor";
import { core } from "~/api/core";
import { asProblem } from "~/api/problem";
import type { Page as PageOf, SessionRow } from "~/api/types";
import { sayAgent } from "~/ui/agent";
import { Facts, Page, Panel, ProblemNote, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import classes from "./Account.module.css";

const sessionsKey = ["sessions", "mine"];

function Sessions() {
	const queries = useQueryClient();
	const list = useQuery({
		queryKey: sessionsKey,
		queryFn: ({ signal }) => core.get<PageOf<SessionRow>>("/v1/sessions", { query: { limit: 100 }, signal }),
	});
	const end = useMutation({
		mutationFn: (id: string) => core.remove(`/v1/sessions/${id}`),
		onSettled: () => queries.invalidateQueries({ queryKey: sessionsKey }),
	});
	if (list.error !== null)
		return <ProblemNote problem={list.error} again={() => void list.refetch()} />;
	return (
		<>
			{end.error !== null && <ProblemNote problem={end.error} />}
			<ul className={classes.sessions} aria-busy={list.isPending}>
				{list.data?.data.map((s) => (
					<li key={s.id}>
						<div>
							<strong>{sayAgent(s.agent ?? "")}</strong> {s.current && <State tone="good">this one</State>}
							<div className="dimmed small">
								from <span className="mono">{s.address ?? "somewhere"}</span> · begun <Time at={s.created_at} /> · last seen <Time at={s.last_seen_at} />
							</div>
						</div>
						{!s.current && (
							<Button size="compact-sm" variant="default" loading={end.isPending && end.variables === s.id} onClick={() => end.mutate(s.id)}>
								End it
							</Button>
						)}
					</li>
				))}
			</ul>
		</>
	);
}

function Password() {
	const [old, setOld] = useState("");
	const [wanted, setWanted] = useState("");
	const change = useMutation({
		mutationFn: () => core.put("/v1/me/password", { old, new: wanted }),
		onSuccess: () => {
			setOld("");
			setWanted("");
		},
	});
	const problem = change.error === null ? null : asProblem(change.error);
	return (
		<form
			className={classes.form}
			onSubmit={(e) => {
				e.preventDefault();
				change.mutate();
			}}
		>
			{problem !== null && <ProblemNote problem={problem} />}
			{change.isSuccess && <p role="status">Your password was changed. Your other sessions have ended.</p>}
			<PasswordInput label="Current password" autoComplete="current-password" required value={old} onChange={(e) => setOld(e.currentTarget.value)} />
			<PasswordInput
				label="New password"
				description="At least 12 characters. A few words are good."
				autoComplete="new-password"
				required
				value={wanted}
				error={problem?.at("/new")}
				onChange={(e) => setWanted(e.currentTarget.value)}
			/>
			<div>
				<Button type="submit" variant="default" loading={change.isPending}>
					Change the password
				</Button>
			</div>
		</form>
	);
}

export function Account() {
	const { me, session } = useActor();
	return (
		<Page title="My account" about="Who you are here, and where you are signed in">
			<div className={classes.columns}>
				<Panel title="You">
					<Facts
						rows={[
							["Name", me.display_name ?? me.name],
							["Login", me.name],
							["E-mail", me.email ?? "none"],
							["Roles", me.roles.length === 0 ? "none" : me.roles.join(", ").replaceAll("_", " ")],
							["Teams", (me.teams ?? []).length === 0 ? "none" : (me.teams ?? []).map((t) => (t.is_lead ? `${t.name} (lead)` : t.name)).join(", ")],
							["Sees", `${me.classes.read.join(", ") || "no"} fields`],
							["Session ends", <Time key="ends" at={session.expires_at} />],
						]}
					/>
				</Panel>
				{session.method === "password" && (
					<Panel title="Password">
						<Password />
					</Panel>
				)}
			</div>
			<Panel title="My sessions" flush>
				<Sessions />
			</Panel>
			<p>
				<Link to="/people/tokens" search={{ of: me.principal }}>
					My tokens for programs
				</Link>{" "}
				· <Link to="/people/access">What I may do, and why</Link> · <Link to="/notices/settings">How I am told of things</Link>
			</p>
		</Page>
	);
}
