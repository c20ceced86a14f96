/* What happens to a flag by itself, in the order of time: its ramps with each step, what they wait for, and what is planned for a moment. */
import { useState } from "react";
import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMay } from "~/app/actor";
import { Panel, State, type Tone } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Flag, type Ramp, type Schedule, api, rampsQuery, refresh, schedulesQuery } from "./data";
import { sayShare } from "./words";
import classes from "./flags.module.css";

const states: Readonly<Record<Ramp["state"], Tone>> = { running: "good", held: "warn", done: "plain", cancelled: "plain" };
const waits: Readonly<Record<Ramp["waits_for"][number], string>> = {
	time: "the time",
	sample: "enough who have met it",
	judgement: "the guardrails’ judgement",
	approval: "an approval",
	resume: "somebody who lets it go on",
};
const planned: Readonly<Record<Schedule["state"], Tone>> = { waiting: "warn", done: "good", failed: "bad", cancelled: "plain" };

const orders = ["approve", "hold", "resume", "back", "cancel"] as const;
type Order = (typeof orders)[number];
const words: Readonly<Record<Order, string>> = { approve: "Approve the step", hold: "Hold", resume: "Let it go on", back: "Back by one step", cancel: "End the ramp" };

function fits(ramp: Ramp, order: Order): boolean {
	if (ramp.state !== "running" && ramp.state !== "held")
		return false;
	if (order === "approve")
		return ramp.waits_for.includes("approval");
	if (order === "hold")
		return ramp.state === "running";
	return order !== "resume" || ramp.state === "held";
}

async function perform(ramp: Ramp, order: Order, said: string): Promise<unknown> {
	const path = { key: ramp.flag, id: ramp.id };
	const body = said === "" ? {} : { comment: said };
	if (order === "hold")
		return api.post("/v1/flags/{key}/ramps/{id}/hold", { path, body: { reason: said } });
	if (order === "approve")
		return api.post("/v1/flags/{key}/ramps/{id}/approve", { path, body });
	if (order === "resume")
		return api.post("/v1/flags/{key}/ramps/{id}/resume", { path, body });
	return order === "back" ? api.post("/v1/flags/{key}/ramps/{id}/back", { path, body }) : api.post("/v1/flags/{key}/ramps/{id}/cancel", { path, body });
}

function Orders({ ramp }: { ramp: Ramp }) {
	const may = useMay();
	const queries = useQueryClient();
	const [asked, setAsked] = useState<Order | null>(null);
	const [said, setSaid] = useState("");
	const order = useMutation({
		mutationFn: (what: Order) => perform(ramp, what, said),
		onSuccess: () => close(),
		onSettled: () => refresh(queries),
	});
	const close = () => {
		setAsked(null);
		setSaid("");
		order.reset();
	};
	const mine = orders.filter((o) => fits(ramp, o) && (may("flag.toggle") || (o === "hold" && may("flag.disable"))));
	return (
		<div className={classes.orders}>
			{mine.map((o) => (
				<Button key={o} size="compact-sm" variant="default" onClick={() => setAsked(o)}>
					{words[o]}…
				</Button>
			))}
			<Modal opened={asked !== null} onClose={close} title={asked === null ? "" : `${words[asked]}?`} closeButtonProps={{ "aria-label": "Close" }}>
				<form
					className={classes.form}
					onSubmit={(e) => {
						e.preventDefault();
						if (asked !== null)
							order.mutate(asked);
					}}
				>
					{order.error !== null && <Trouble problem={order.error} />}
					<TextInput label="Why" data-autofocus required={asked === "hold"} autoComplete="off" maxLength={2000} value={said} onChange={(e) => setSaid(e.currentTarget.value)} />
					<div className={classes.buttons}>
						<Button variant="default" onClick={close}>
							Cancel
						</Button>
						<Button type="submit" loading={order.isPending}>
							{asked !== null && words[asked]}
						</Button>
					</div>
				</form>
			</Modal>
		</div>
	);
}

function Step({ step, n, now }: { step: Ramp["steps"][number]; n: number; now: number }) {
	const when = step.begun_at ?? step.planned_at;
	return (
		<li data-made={n <= now || undefined} aria-current={n === now ? "step" : undefined}>
			<strong>{sayShare(step.coverage)}</strong>
			<span className="dimmed small">
				{step.begun_at !== null ? "since " : n < now ? "passed over" : step.planned_at !== null ? "not before " : "when its turn comes"}
				{when !== null && (step.begun_at !== null || n >= now) && <Time at={when} />}
			</span>
		</li>
	);
}

function OneRamp({ ramp }: { ramp: Ramp }) {
	return (
		<section className={classes.ramp} aria-label={`Ramp of ${ramp.rule ?? `rule ${ramp.place + 1}`}`}>
			<p>
				<strong>Ramp of {ramp.rule ?? `rule ${ramp.place + 1}`}</strong> <State tone={states[ramp.state]}>{ramp.state}</State>{" "}
				<span className="dimmed">
					at {sayShare(ramp.coverage)}, begun by {ramp.started_by_name ?? "somebody"} <Time at={ramp.started_at} />
				</span>
			</p>
			<ol className={classes.steps}>
				{ramp.steps.map((s, i) => (
					<Step key={i} step={s} n={i + 1} now={ramp.step} />
				))}
			</ol>
			{ramp.waits_for.length > 0 && <p className="dimmed">Waits for {ramp.waits_for.map((w) => waits[w]).join(", ")}.</p>}
			{ramp.held !== null && (
				<p className={classes.warned}>
					Held <Time at={ramp.held.at} /> {ramp.held.by === null ? "by itself" : `by ${ramp.held.by_name ?? "somebody"}`}: {ramp.held.reason}
				</p>
			)}
			{ramp.guardrails.length > 0 && (
				<ul className={classes.plain} aria-label="Guardrails">
					{ramp.guardrails.map((g) => (
						<li key={g.metric}>
							{g.metric.replaceAll("_", " ")}:{" "}
							{(g.judged ?? []).length === 0
								? "not judged yet"
								: (g.judged ?? []).map((j) => `${j.variation ?? "all"} ${j.state.replaceAll("_", " ")} (${sayShare(j.share)} against ${sayShare(j.against)})`).join(", ")}
						</li>
					))}
				</ul>
			)}
			<Orders ramp={ramp} />
		</section>
	);
}

function sayAction(s: Schedule): string {
	if (s.action === "coverage")
		return `${s.rule ?? `Rule ${(s.place ?? 0) + 1}`} takes in ${sayShare(s.coverage ?? 0)}`;
	return { enable: "Is turned on", disable: "Is turned off", publish: "A draft is published" }[s.action];
}

function Schedules({ all }: { all: readonly Schedule[] }) {
	const may = useMay();
	const queries = useQueryClient();
	const off = useMutation({
		mutationFn: (s: Schedule) => api.remove("/v1/flags/{key}/schedules/{id}", { path: { key: s.flag, id: s.id } }),
		onSettled: () => refresh(queries),
	});
	return (
		<>
			{off.error !== null && <Trouble problem={off.error} />}
			<ol className={classes.plain} aria-label="Planned">
				{all.map((s) => (
					<li key={s.id}>
						<Time at={s.at} />: {sayAction(s)} <State tone={planned[s.state]}>{s.state}</State>{" "}
						<span className="dimmed">
							planned by {s.made_by_name ?? "somebody"}
							{s.comment !== "" && `: ${s.comment}`}
							{s.note !== "" && ` (${s.note})`}
						</span>{" "}
						{s.state === "waiting" && may("flag.write") && (
							<Button size="compact-xs" variant="default" aria-label={`Call off: ${sayAction(s)}`} loading={off.isPending && off.variables.id === s.id} onClick={() => off.mutate(s)}>
								Call off
							</Button>
						)}
					</li>
				))}
			</ol>
		</>
	);
}

export function Plans({ flag }: { flag: Flag }) {
	const ramps = useQuery(rampsQuery(flag.key));
	const schedules = useQuery(schedulesQuery(flag.key));
	const all = ramps.data ?? [];
	const moments = [...(schedules.data ?? [])].sort((a, b) => a.at.localeCompare(b.at));
	if (all.length === 0 && moments.length === 0)
		return null;
	return (
		<Panel title="What happens by itself">
			<div className={classes.form}>
				{all.map((r) => (
					<OneRamp key={r.id} ramp={r} />
				))}
				{moments.length > 0 && <Schedules all={moments} />}
			</div>
		</Panel>
	);
}
