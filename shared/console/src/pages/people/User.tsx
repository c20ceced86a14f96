/* One user or service: who he is, his roles and teams, and what ends or opens his access. */
import { useEffect, useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useActor, useMay } from "~/app/actor";
import { titlePage } from "~/app/pages";
import { PendingView } from "~/app/views";
import { asProblem } from "~/api/problem";
import { Facts, Page, Panel } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type User as Row, api, nameOf, refresh, userQuery } from "./data";
import { Ask, NotYours, PickUser, RoleChoice, Roles, Secret, Standing, Who } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/$id");

function RolesPanel({ user }: { user: Row }) {
	const queries = useQueryClient();
	const [roles, setRoles] = useState<readonly string[]>(user.roles);
	useEffect(() => setRoles(user.roles), [user.roles]);
	const put = useMutation({
		mutationFn: () => api.put("/v1/users/{id}/roles", { path: { id: user.id }, body: { roles: [...roles] } }),
		onSuccess: () => refresh(queries),
	});
	const same = [...roles].sort().join() === [...user.roles].sort().join();
	const problem = put.error === null ? null : asProblem(put.error);
	return (
		<Panel title="Roles">
			<form
				className={classes.form}
				onSubmit={(e) => {
					e.preventDefault();
					put.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<RoleChoice value={roles} error={problem?.at("/roles")} onChange={setRoles} />
				<div className={classes.buttons}>
					<span role="status">{put.isSuccess && same ? "Saved: they hold at once." : ""}</span>
					<Button type="submit" variant="default" disabled={same} loading={put.isPending}>
						Save the roles
					</Button>
				</div>
			</form>
		</Panel>
	);
}

function Details({ user, etag }: { user: Row; etag: string }) {
	const queries = useQueryClient();
	const [displayName, setDisplayName] = useState(user.display_name ?? "");
	const [email, setEmail] = useState(user.email ?? "");
	const [business, setBusiness] = useState(user.business_owner ?? "");
	const [technical, setTechnical] = useState(user.technical_owner ?? "");
	const isService = user.kind === "service";
	const change = useMutation({
		mutationFn: () =>
			api.patch("/v1/users/{id}", {
				path: { id: user.id },
				header: { "If-Match": etag },
				body: { display_name: displayName || null, ...(isService ? { business_owner: business || null, technical_owner: technical || null } : { email: email || null }) },
			}),
		onSuccess: () => refresh(queries),
		/* Somebody was faster: what he wrote is looked at first. */
		onError: (thrown) => {
			if (asProblem(thrown).status === 412)
				void refresh(queries);
		},
	});
	const problem = change.error === null ? null : asProblem(change.error);
	return (
		<Panel title="Change">
			<form
				className={classes.form}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					change.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<TextInput label="Shown as" value={displayName} error={problem?.at("/display_name")} onChange={(e) => setDisplayName(e.currentTarget.value)} />
				{isService ? (
					<>
						<PickUser label="Business owner" kind="user" value={business} error={problem?.at("/business_owner")} without={[technical]} onChange={setBusiness} />
						<PickUser label="Technical owner" kind="user" value={technical} error={problem?.at("/technical_owner")} without={[business]} onChange={setTechnical} />
					</>
				) : (
					<TextInput label="E-mail" type="email" value={email} error={problem?.at("/email")} onChange={(e) => setEmail(e.currentTarget.value)} />
				)}
				<div className={classes.buttons}>
					<span role="status">{change.isSuccess ? "Saved." : ""}</span>
					<Button type="submit" variant="default" loading={change.isPending}>
						Save
					</Button>
				</div>
			</form>
		</Panel>
	);
}

/** Disable or enable him. */
function Able({ user }: { user: Row }) {
	const queries = useQueryClient();
	const [asking, setAsking] = useState(false);
	const disabled = user.disabled_at !== null;
	const turn = useMutation({
		mutationFn: () => api.post(disabled ? "/v1/users/{id}/enable" : "/v1/users/{id}/disable", { path: { id: user.id } }),
		onSuccess: async () => {
			setAsking(false);
			await refresh(queries);
		},
	});
	const act = disabled ? "Enable" : "Disable";
	return (
		<>
			<Button variant="default" onClick={() => setAsking(true)}>
				{act}…
			</Button>
			{asking && (
				<Ask title={`${act} ${nameOf(user)}?`} act={act} danger={!disabled} pending={turn.isPending} problem={turn.error} onAct={() => turn.mutate()} close={() => setAsking(false)}>
					{disabled ? "Access comes back with the same roles and teams; sessions and tokens that have ended stay ended." : "All sessions and tokens end at once, in both modes. What is owned stays where it is; a hand-over moves it."}
				</Ask>
			)}
		</>
	);
}

function Reset({ user }: { user: Row }) {
	const [asking, setAsking] = useState(false);
	const make = useMutation({
		mutationFn: async () => (await api.post("/v1/users/{id}/password-reset", { path: { id: user.id } })).data,
		onSuccess: () => setAsking(false),
	});
	return (
		<>
			<Button variant="default" onClick={() => setAsking(true)}>
				Reset the password…
			</Button>
			{asking && (
				<Ask title={`Reset the password of ${nameOf(user)}?`} act="Make a one-time secret" pending={make.isPending} problem={make.error} onAct={() => make.mutate()} close={() => setAsking(false)}>
					You get a one-time secret to hand on. Whoever has it sets a new password, so give it to nobody else.
				</Ask>
			)}
			{make.data !== undefined && (
				<Secret title="One-time secret" label="One-time secret" secret={make.data.secret} close={() => make.reset()}>
					For <strong>{user.name}</strong>. It ends <Time at={make.data.expires_at} />, or when it was used.
				</Secret>
			)}
		</>
	);
}

function Actions({ user }: { user: Row }) {
	const may = useMay();
	const self = useActor().me.principal === user.id;
	const isUser = user.kind === "user";
	return (
		<>
			{isUser && !self && user.disabled_at === null && may("user.reset_password") && <Reset user={user} />}
			{!self && may("user.write") && <Able user={user} />}
			{isUser && !self && may("user.hand_over") && (
				<Link to="/people/$id/hand-over" params={{ id: user.id }}>
					<Button component="span" variant="default">
						Hand over…
					</Button>
				</Link>
			)}
		</>
	);
}

/** What is told of him elsewhere. */
function Links({ user }: { user: Row }) {
	const may = useMay();
	return (
		<Panel title="More">
			<ul className={classes.links}>
				{(may("token.create") || may("token.revoke")) && (
					<li>
						<Link to="/people/tokens" search={{ of: user.id }}>
							Tokens
						</Link>
					</li>
				)}
				{may("session.list") && user.kind === "user" && (
					<li>
						<Link to="/people/sessions" search={{ of: user.id }}>
							Sessions
						</Link>
					</li>
				)}
				{may("access.explain") && (
					<li>
						<Link to="/people/access" search={{ who: user.name }}>
							What may {nameOf(user)} do, and why?
						</Link>
					</li>
				)}
			</ul>
		</Panel>
	);
}

function Shown({ user, etag }: { user: Row; etag: string }) {
	const may = useMay();
	const mayWrite = may("user.write");
	useEffect(() => titlePage(nameOf(user)), [user]);
	return (
		<Page
			title={nameOf(user)}
			about={
				<>
					<Link to="/people">People</Link> · {user.kind === "user" ? "person" : "service"} · version {user.version} · changed <Time at={user.updated_at} />
				</>
			}
			actions={<Actions user={user} />}
		>
			<div className={classes.columns}>
				<Panel title={user.kind === "user" ? "Person" : "Service"}>
					<Facts
						rows={[
							["Login", user.name],
							["State", <Standing key="s" disabled={user.disabled_at !== null} />],
							...(user.email === undefined || user.kind === "service" ? [] : ([["E-mail", user.email ?? "none"]] as const)),
							["Roles", <Roles key="r" roles={user.roles} />],
							[
								"Teams",
								user.teams.length === 0
									? "none"
									: user.teams.map((t, i) => (
											<span key={t.id}>
												{i > 0 && ", "}
												<Link to="/people/teams/$id" params={{ id: t.id }}>
													{t.name}
												</Link>
												{t.is_lead && " (lead)"}
											</span>
										)),
							],
							...(user.kind === "service"
								? ([
										["Business owner", <Who key="b" id={user.business_owner} />],
										["Technical owner", <Who key="t" id={user.technical_owner} />],
									] as const)
								: []),
							["Made", <Time key="c" at={user.created_at} />],
							...(user.disabled_at === null ? [] : ([["Disabled", <Time key="d" at={user.disabled_at} />]] as const)),
						]}
					/>
				</Panel>
				{(may("access.explain") || may("session.list") || may("token.create") || may("token.revoke")) && <Links user={user} />}
				{mayWrite && <RolesPanel user={user} />}
				{mayWrite && <Details key={user.version} user={user} etag={etag} />}
			</div>
		</Page>
	);
}

export function User() {
	const { id } = route.useParams();
	const may = useMay();
	const mayRead = may("user.read");
	const user = useQuery({ ...userQuery(id), enabled: mayRead });
	if (!mayRead)
		return <NotYours title="User" what="see other users" />;
	if (user.isPending)
		return <PendingView />;
	if (user.isError)
		return (
			<Page title="User">
				<Trouble problem={user.error} again={() => void user.refetch()} />
			</Page>
		);
	return <Shown key={id} user={user.data.user} etag={user.data.etag} />;
}
