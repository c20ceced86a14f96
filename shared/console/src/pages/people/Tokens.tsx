/* Tokens of programs: what begins them, what they may do, until when, last used; make one, rotate it with an overlap, revoke it. */
import { useState } from "react";
import { Button, Checkbox, Modal, NativeSelect, TextInput, Textarea } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useActor, useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { asProblem } from "~/api/problem";
import { Icon } from "~/ui/Icon";
import { Empty, Page, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Token, api, refresh, servicesQuery, tokensQuery } from "./data";
import { Ask, More, NotYours, PickUser, Rows, Secret, Tabs, Who } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/tokens");
const DAY_MS = 86_400_000;
const USUAL_DAYS = 90;
const HOUR_MINUTES = 60;

interface Made {
	readonly title: string;
	readonly token: string;
	readonly of: string;
}

/** The last second of a day, here. */
function endOf(day: string): string {
	const at = new Date(`${day}T23:59:59`);
	return Number.isNaN(at.getTime()) ? day : at.toISOString();
}

function dayFromNow(days: number): string {
	return new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
}

function New({ of, made, close }: { of: string; made: (m: Made) => void; close: () => void }) {
	const { me } = useActor();
	const queries = useQueryClient();
	const [whose, setWhose] = useState<"me" | "service">(of === "" || of === me.principal ? "me" : "service");
	const [service, setService] = useState(whose === "me" ? "" : of);
	const [audience, setAudience] = useState<"core" | "sandbox">("core");
	const [label, setLabel] = useState("");
	const [scopes, setScopes] = useState("");
	const [day, setDay] = useState(() => dayFromNow(USUAL_DAYS));
	const list = scopes.split(/[\s,]+/).filter((s) => s !== "");
	const make = useMutation({
		mutationFn: async () =>
			(
				await api.post("/v1/tokens", {
					body: {
						audience,
						expires_at: endOf(day),
						...(whose === "service" ? { principal: service } : {}),
						...(label === "" ? {} : { label }),
						...(list.length === 0 ? {} : { scopes: list }),
					},
				})
			).data,
		onSuccess: async (t) => {
			made({ title: "The token is made", token: t.token, of: t.principal_name });
			await refresh(queries);
		},
	});
	const problem = make.error === null ? null : asProblem(make.error);
	const wrongScope = problem?.places.find((p) => p.pointer?.startsWith("/scopes"))?.detail;
	return (
		<Modal opened onClose={close} title="New token" closeButtonProps={{ "aria-label": "Close" }}>
			<form
				className={classes.form}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					make.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<NativeSelect
					label="For"
					data-autofocus
					value={whose}
					data={[
						{ value: "me", label: "me" },
						{ value: "service", label: "a service" },
					]}
					onChange={(e) => setWhose(e.currentTarget.value as "me" | "service")}
				/>
				{whose === "service" && <PickUser label="Service" kind="service" value={service} error={problem?.at("/principal")} onChange={setService} />}
				<NativeSelect
					label="Opens"
					description="A token opens one of both modes, never the other."
					value={audience}
					error={problem?.at("/audience")}
					data={[
						{ value: "core", label: "Mode 1 · core" },
						{ value: "sandbox", label: "Mode 2 · sandbox" },
					]}
					onChange={(e) => setAudience(e.currentTarget.value as "core" | "sandbox")}
				/>
				<TextInput label="What it is for" value={label} error={problem?.at("/label")} onChange={(e) => setLabel(e.currentTarget.value)} />
				<Textarea
					label="Scopes"
					description="One a line, such as people.read or *.read. Empty: all that the roles give. None can give more than you have."
					autosize={false}
					rows={3}
					value={scopes}
					error={wrongScope}
					onChange={(e) => setScopes(e.currentTarget.value)}
				/>
				<TextInput label="Last day" type="date" required value={day} error={problem?.at("/expires_at")} onChange={(e) => setDay(e.currentTarget.value)} />
				<div className={classes.buttons}>
					<Button variant="default" onClick={close}>
						Cancel
					</Button>
					<Button type="submit" disabled={whose === "service" && service === ""} loading={make.isPending}>
						Create the token
					</Button>
				</div>
			</form>
		</Modal>
	);
}

function Rotate({ token, made, close }: { token: Token; made: (m: Made) => void; close: () => void }) {
	const queries = useQueryClient();
	const [overlap, setOverlap] = useState(String(HOUR_MINUTES));
	const rotate = useMutation({
		mutationFn: async () => (await api.post("/v1/tokens/{id}/rotate", { path: { id: token.id }, body: { overlap_minutes: Number(overlap) } })).data,
		onSuccess: async (t) => {
			made({ title: "The new token", token: t.token, of: t.principal_name });
			await refresh(queries);
		},
	});
	return (
		<Ask title={`Rotate ${token.prefix}…?`} act="Make the new token" pending={rotate.isPending} problem={rotate.error} onAct={() => rotate.mutate()} close={close}>
			<div className={classes.form}>
				<p>A new token with the same scopes takes its place. The old one goes on for a while, so that programs can change over.</p>
				<NativeSelect
					label="The old one goes on for"
					value={overlap}
					data={[
						{ value: "0", label: "no time: it ends at once" },
						{ value: String(HOUR_MINUTES), label: "an hour" },
						{ value: String(24 * HOUR_MINUTES), label: "a day" },
						{ value: String(7 * 24 * HOUR_MINUTES), label: "a week" },
					]}
					onChange={(e) => setOverlap(e.currentTarget.value)}
				/>
			</div>
		</Ask>
	);
}

function Revoke({ token, close }: { token: Token; close: () => void }) {
	const queries = useQueryClient();
	const revoke = useMutation({
		mutationFn: () => api.remove("/v1/tokens/{id}", { path: { id: token.id } }),
		onSuccess: async () => {
			close();
			await refresh(queries);
		},
	});
	return (
		<Ask title={`Revoke ${token.prefix}…?`} act="Revoke the token" danger pending={revoke.isPending} problem={revoke.error} onAct={() => revoke.mutate()} close={close}>
			What uses it stops at once. It cannot be taken back; rotate it if something still needs it.
		</Ask>
	);
}

function stateOf(t: Token) {
	if (t.revoked_at !== null)
		return <State tone="bad">revoked</State>;
	if (!t.live)
		return <State>ended</State>;
	return t.replaced_by !== null ? <State tone="warn">replaced, goes on</State> : <State tone="good">live</State>;
}

type Asking = { readonly act: "rotate" | "revoke"; readonly token: Token } | { readonly act: "new" } | null;

function Row({ token: t, ask }: { token: Token; ask: (a: Asking) => void }) {
	const may = useMay();
	const own = useActor().me.principal === t.principal;
	const services = useQuery({ ...servicesQuery, enabled: may("user.read") });
	const mayRotate = t.live && t.replaced_by === null && (own || services.data?.has(t.principal) === true);
	return (
		<tr role="row">
			<th scope="row" role="rowheader">
				<code>{t.prefix}…</code>
				<p className="dimmed small">{t.label === "" ? "nothing said" : t.label}</p>
			</th>
			<td role="cell">{own ? "me" : may("user.read") ? <Who id={t.principal} /> : t.principal_name}</td>
			<td role="cell">
				{t.audience}
				<p className="dimmed small">{t.scopes === null ? "as the roles" : t.scopes.join(", ")}</p>
			</td>
			<td role="cell">{stateOf(t)}</td>
			<td role="cell">
				<Time at={t.expires_at} />
				<p className="dimmed small">{t.last_used_at === null ? "never used" : <>used <Time at={t.last_used_at} /></>}</p>
			</td>
			<td role="cell">
				{mayRotate && (
					<Button size="compact-sm" variant="default" aria-label={`Rotate ${t.prefix}`} onClick={() => ask({ act: "rotate", token: t })}>
						Rotate…
					</Button>
				)}
				{t.live && (
					<Button size="compact-sm" variant="default" aria-label={`Revoke ${t.prefix}`} onClick={() => ask({ act: "revoke", token: t })}>
						Revoke…
					</Button>
				)}
			</td>
		</tr>
	);
}

export function Tokens() {
	const { me } = useActor();
	const may = useMay();
	const { of, ended = false } = route.useSearch();
	const navigate = route.useNavigate();
	const mayAll = may("token.create") || may("token.revoke");
	const mine = may("me.token");
	const list = useInfiniteQuery({ ...tokensQuery(of ?? (mayAll ? "all" : null), ended), enabled: mine });
	const [asking, setAsking] = useState<Asking>(null);
	const [shown, setShown] = useState<Made | null>(null);
	if (!mine)
		return <NotYours title="Tokens" what="have tokens" />;
	const tokens = list.data?.pages.flatMap((p) => p.data) ?? [];
	const made = (m: Made) => {
		setAsking(null);
		setShown(m);
	};
	const close = () => setAsking(null);
	return (
		<Page
			title="Tokens"
			about={of === undefined ? (mayAll ? "By which programs sign in" : "By which your programs sign in") : of === me.principal ? "My own" : <>Of <Who id={of} /></>}
			actions={
				<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAsking({ act: "new" })}>
					New token
				</Button>
			}
		>
			{asking?.act === "new" && <New of={of ?? ""} made={made} close={close} />}
			{asking?.act === "rotate" && <Rotate token={asking.token} made={made} close={close} />}
			{asking?.act === "revoke" && <Revoke token={asking.token} close={close} />}
			{shown !== null && (
				<Secret title={shown.title} label="The token" secret={shown.token} close={() => setShown(null)}>
					For <strong>{shown.of}</strong>. Put it where the program keeps its secrets.
				</Secret>
			)}
			<div className={classes.bar}>
				<Tabs />
				<Checkbox
					label="Show those that have ended"
					checked={ended}
					onChange={(e) => void navigate({ search: { ...(of === undefined ? {} : { of }), ...(e.currentTarget.checked ? { ended: true as const } : {}) }, replace: true })}
				/>
			</div>
			{list.isPending ? (
				<PendingView />
			) : list.isError ? (
				<Trouble problem={list.error} again={() => void list.refetch()} />
			) : tokens.length === 0 ? (
				<Empty title="There are no tokens">A program that uses the API signs in by a token. It is made here, and shown once.</Empty>
			) : (
				<div>
					<div className={classes.cards}>
						<Rows label="The list of tokens" columns={["Begins with", "Of", "Opens", "State", "Ends", "(Actions)"]}>
							{tokens.map((t) => (
								<Row key={t.id} token={t} ask={setAsking} />
							))}
						</Rows>
					</div>
					<More list={list} />
				</div>
			)}
		</Page>
	);
}
