/* How I want to be told: by kind and channel, in which hours, on which days, at once or gathered. */
import { useState } from "react";
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { PendingView } from "~/app/views";
import { type CoreSchemas, coreClient } from "~/api/client";
import { core } from "~/api/core";
import { asProblem } from "~/api/problem";
import { Page, Panel } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import classes from "./notices.module.css";

type Choices = CoreSchemas["schemas"]["NoticeSettings"];
type Channel = "app" | "email" | "webhook";
type Day = NonNullable<Choices["days"]>[number];

const api = coreClient(core);
const KEY = ["notice-settings"];
const channels: readonly (readonly [Channel, string])[] = [
	["app", "Here"],
	["email", "E-mail"],
	["webhook", "Webhook"],
];
const days: readonly (readonly [Day, string])[] = [
	["mon", "Monday"],
	["tue", "Tuesday"],
	["wed", "Wednesday"],
	["thu", "Thursday"],
	["fri", "Friday"],
	["sat", "Saturday"],
	["sun", "Sunday"],
];
const HOURS_OF_DAY = 24;

function zones(own: string): readonly string[] {
	return [...new Set(["UTC", own, ...Intl.supportedValuesOf("timeZone")])].sort();
}

function sameChannels(a: readonly string[], b: readonly string[]): boolean {
	return [...a].sort().join() === [...b].sort().join();
}

function Form({ now }: { now: Choices }) {
	const queries = useQueryClient();
	const [zone, setZone] = useState(now.time_zone);
	const [limited, setLimited] = useState(now.hours !== null);
	const [from, setFrom] = useState(now.hours?.from ?? "08:00");
	const [to, setTo] = useState(now.hours?.to ?? "18:00");
	const [on, setOn] = useState<readonly string[]>(now.days ?? days.map(([d]) => d));
	const [digest, setDigest] = useState(now.digest === null ? "" : String(now.digest.hour));
	const [chosen, setChosen] = useState(() => new Map<string, readonly Channel[]>(now.kinds.map((k) => [k.name, k.channels])));
	const save = useMutation({
		mutationFn: async () =>
			(
				await api.put("/v1/me/notices", {
					body: {
						time_zone: zone,
						hours: limited ? { from, to } : null,
						days: on.length === days.length ? null : ([...on] as Day[]),
						digest: digest === "" ? null : { hour: Number(digest) },
						channels: Object.fromEntries(now.kinds.filter((k) => !sameChannels(chosen.get(k.name) ?? [], k.default)).map((k) => [k.name, [...(chosen.get(k.name) ?? [])]])),
					},
				})
			).data,
		onSuccess: (data) => queries.setQueryData(KEY, data),
	});
	const turn = (kind: string, channel: Channel, wanted: boolean) =>
		setChosen((all) => new Map(all).set(kind, wanted ? [...(all.get(kind) ?? []), channel] : (all.get(kind) ?? []).filter((c) => c !== channel)));
	const problem = save.error === null ? null : asProblem(save.error);
	return (
		<form
			className={classes.form}
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				save.mutate();
			}}
		>
			{problem !== null && <Trouble problem={problem} />}
			<Panel title="What, and by which way" flush>
				<div className={classes.scroll} role="region" aria-label="Kinds and channels" tabIndex={0}>
					<table className={classes.table}>
						<thead>
							<tr>
								<th scope="col">Kind</th>
								{channels.map(([c, label]) => (
									<th key={c} scope="col">
										{label}
									</th>
								))}
							</tr>
						</thead>
						<tbody>
							{now.kinds.map((k) => (
								<tr key={k.name}>
									<th scope="row">{k.label}</th>
									{channels.map(([c, label]) => (
										<td key={c}>
											<Checkbox aria-label={`${k.label}: ${label}`} checked={(chosen.get(k.name) ?? []).includes(c)} onChange={(e) => turn(k.name, c, e.currentTarget.checked)} />
										</td>
									))}
								</tr>
							))}
						</tbody>
					</table>
				</div>
			</Panel>
			<Panel title="When e-mail may come">
				<div className={classes.form}>
					<p className="dimmed">
						{now.email === null ? "You have no e-mail address here: an operator can enter one." : `To ${now.email}. Outside of these hours it waits; what stands here and webhooks do not.`}
					</p>
					<NativeSelect className={classes.short ?? ""} label="Time zone" value={zone} error={problem?.at("/time_zone")} data={zones(zone)} onChange={(e) => setZone(e.currentTarget.value)} />
					<Checkbox label="Only in certain hours" checked={limited} onChange={(e) => setLimited(e.currentTarget.checked)} />
					{limited && (
						<div className={classes.pair}>
							<TextInput label="From" type="time" value={from} error={problem?.at("/hours/from") ?? problem?.at("/hours")} onChange={(e) => setFrom(e.currentTarget.value)} />
							<TextInput label="To" type="time" value={to} error={problem?.at("/hours/to")} onChange={(e) => setTo(e.currentTarget.value)} />
						</div>
					)}
					<Checkbox.Group label="Days" error={problem?.at("/days")} value={[...on]} onChange={setOn}>
						<div className={classes.days}>
							{days.map(([d, label]) => (
								<Checkbox key={d} value={d} label={label} />
							))}
						</div>
					</Checkbox.Group>
					<NativeSelect
						className={classes.short ?? ""}
						label="At once or gathered"
						value={digest}
						error={problem?.at("/digest/hour")}
						data={[{ value: "", label: "At once" }, ...Array.from({ length: HOURS_OF_DAY }, (_, h) => ({ value: String(h), label: `Once a day, at ${String(h).padStart(2, "0")}:00` }))]}
						onChange={(e) => setDigest(e.currentTarget.value)}
					/>
					{(now.mails.waiting > 0 || now.mails.dead > 0) && (
						<p>
							{now.mails.waiting} on the way, {now.mails.dead} could not be delivered{now.mails.error === null ? "." : `: ${now.mails.error}.`}
						</p>
					)}
				</div>
			</Panel>
			<div className={classes.buttons}>
				<span role="status">{save.isSuccess ? "Saved." : ""}</span>
				<Button type="submit" loading={save.isPending}>
					Save
				</Button>
			</div>
		</form>
	);
}

export function Settings() {
	const settings = useQuery({ queryKey: KEY, queryFn: async ({ signal }) => (await api.get("/v1/me/notices", { signal })).data });
	return (
		<Page title="How I am told" about={<Link to="/notices">Notices</Link>}>
			{settings.isPending ? <PendingView /> : settings.isError ? <Trouble problem={settings.error} again={() => void settings.refetch()} /> : <Form now={settings.data} />}
		</Page>
	);
}
