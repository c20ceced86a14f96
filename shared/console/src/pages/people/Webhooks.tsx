/* Webhooks: signed messages about my notices, or those of a team I am in, to a program elsewhere. */
import { useState } from "react";
import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useActor, useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import type { CoreSchemas } from "~/api/client";
import { asProblem } from "~/api/problem";
import { Icon } from "~/ui/Icon";
import { Empty, Page, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { api, refresh } from "./data";
import { Ask, NotYours, Rows, Secret, Tabs } from "./parts";
import classes from "./people.module.css";

type Webhook = CoreSchemas["schemas"]["Webhook"];

function New({ made, close }: { made: (secret: string) => void; close: () => void }) {
	const { me } = useActor();
	const queries = useQueryClient();
	const [url, setUrl] = useState("");
	const [description, setDescription] = useState("");
	const [team, setTeam] = useState("");
	const make = useMutation({
		mutationFn: async () =>
			(await api.post("/v1/webhooks", { body: { url, ...(description === "" ? {} : { description }), ...(team === "" ? {} : { team }) } })).data,
		onSuccess: async (w) => {
			made(w.secret);
			await refresh(queries);
		},
	});
	const problem = make.error === null ? null : asProblem(make.error);
	return (
		<Modal opened onClose={close} title="New webhook" closeButtonProps={{ "aria-label": "Close" }}>
			<form
				className={classes.form}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					make.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<TextInput label="Address" description="Where the messages go" placeholder="https://" required data-autofocus value={url} error={problem?.at("/url")} onChange={(e) => setUrl(e.currentTarget.value)} />
				<TextInput label="What it is for" value={description} error={problem?.at("/description")} onChange={(e) => setDescription(e.currentTarget.value)} />
				<NativeSelect
					label="Of"
					value={team}
					error={problem?.at("/team")}
					data={[{ value: "", label: "me" }, ...(me.teams ?? []).map((t) => ({ value: t.id, label: `the team ${t.name}` }))]}
					onChange={(e) => setTeam(e.currentTarget.value)}
				/>
				<div className={classes.buttons}>
					<Button variant="default" onClick={close}>
						Cancel
					</Button>
					<Button type="submit" loading={make.isPending}>
						Create the webhook
					</Button>
				</div>
			</form>
		</Modal>
	);
}

function Delete({ webhook, close }: { webhook: Webhook; close: () => void }) {
	const queries = useQueryClient();
	const remove = useMutation({
		mutationFn: () => api.remove("/v1/webhooks/{id}", { path: { id: webhook.id } }),
		onSuccess: async () => {
			close();
			await refresh(queries);
		},
	});
	return (
		<Ask title="Delete this webhook?" act="Delete the webhook" danger pending={remove.isPending} problem={remove.error} onAct={() => remove.mutate()} close={close}>
			<code>{webhook.url}</code> gets no more messages.
		</Ask>
	);
}

function Rotate({ webhook, made, close }: { webhook: Webhook; made: (secret: string) => void; close: () => void }) {
	const queries = useQueryClient();
	const rotate = useMutation({
		mutationFn: async () => (await api.post("/v1/webhooks/{id}/rotate", { path: { id: webhook.id }, body: {} })).data,
		onSuccess: async (w) => {
			made(w.secret);
			await refresh(queries);
		},
	});
	return (
		<Ask title="A new secret for this webhook?" act="Make the new secret" pending={rotate.isPending} problem={rotate.error} onAct={() => rotate.mutate()} close={close}>
			Messages are signed by both for a while, so that <code>{webhook.url}</code> can change over.
		</Ask>
	);
}

type Asking = { readonly act: "delete" | "rotate"; readonly webhook: Webhook } | { readonly act: "new" } | null;

function List({ ask }: { ask: (a: Asking) => void }) {
	const { me } = useActor();
	const queries = useQueryClient();
	const list = useQuery({ queryKey: ["people", "webhooks"], queryFn: async ({ signal }) => (await api.get("/v1/webhooks", { signal })).data.data });
	const able = useMutation({
		mutationFn: (w: Webhook) => api.patch("/v1/webhooks/{id}", { path: { id: w.id }, body: { enabled: !w.enabled } }),
		onSettled: () => refresh(queries),
	});
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	if (list.data.length === 0)
		return <Empty title="There are no webhooks">A webhook tells a program elsewhere what you or your team are told, each message signed.</Empty>;
	return (
		<div>
			{able.error !== null && <Trouble problem={able.error} />}
			<Rows label="The list of webhooks" columns={["Address", "For", "Of", "State", "Made", "(Actions)"]}>
				{list.data.map((w) => (
					<tr key={w.id}>
						<th scope="row">
							<code>{w.url}</code>
						</th>
						<td>{w.description === "" ? <span className="dimmed">nothing said</span> : w.description}</td>
						<td>{w.team === null ? "me" : (me.teams?.find((t) => t.id === w.team)?.name ?? "a team")}</td>
						<td>
							{!w.enabled ? <State tone="bad">off</State> : w.failing_since !== null ? <State tone="warn">fails</State> : <State tone="good">on</State>} {w.reason}
						</td>
						<td>
							<Time at={w.created_at} />
						</td>
						<td>
							<Button size="compact-sm" variant="default" aria-label={`${w.enabled ? "Switch off" : "Switch on"}: ${w.url}`} onClick={() => able.mutate(w)}>
								{w.enabled ? "Switch off" : "Switch on"}
							</Button>
							<Button size="compact-sm" variant="default" aria-label={`New secret: ${w.url}`} onClick={() => ask({ act: "rotate", webhook: w })}>
								New secret…
							</Button>
							<Button size="compact-sm" variant="default" aria-label={`Delete: ${w.url}`} onClick={() => ask({ act: "delete", webhook: w })}>
								Delete…
							</Button>
						</td>
					</tr>
				))}
			</Rows>
		</div>
	);
}

export function Webhooks() {
	const may = useMay();
	const [asking, setAsking] = useState<Asking>(null);
	const [secret, setSecret] = useState<string | null>(null);
	if (!may("webhook.write"))
		return <NotYours title="Webhooks" what="have webhooks" />;
	const close = () => setAsking(null);
	const made = (text: string) => {
		close();
		setSecret(text);
	};
	return (
		<Page
			title="Webhooks"
			about="What you and your teams are told, as signed messages to a program"
			actions={
				<Button leftSection={<Icon name="plus" size={16} />} onClick={() => setAsking({ act: "new" })}>
					New webhook
				</Button>
			}
		>
			{asking?.act === "new" && <New made={made} close={close} />}
			{asking?.act === "rotate" && <Rotate webhook={asking.webhook} made={made} close={close} />}
			{asking?.act === "delete" && <Delete webhook={asking.webhook} close={close} />}
			{secret !== null && (
				<Secret title="The secret of the webhook" label="The secret" secret={secret} close={() => setSecret(null)}>
					The receiver checks by it that a message is ours.
				</Secret>
			)}
			<div className={classes.bar}>
				<Tabs />
			</div>
			<List ask={setAsking} />
		</Page>
	);
}
