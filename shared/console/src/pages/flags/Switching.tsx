/*
 * Turning a flag on and off, the kill, and the way back to an earlier revision: a question that Enter answers, then who serves it, counted
 * up as the workers answer, and the undo in the same place.
 */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button, Modal, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMay } from "~/app/actor";
import { Icon } from "~/ui/Icon";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { sayDuration } from "~/ui/time";
import { type Flag, type FlagRow, type Request, type Turned, api, flagQuery, isRequest, refresh } from "./data";
import classes from "./flags.module.css";

export type Turn = "enable" | "disable" | "kill" | "archive";
export type Act = Turn | "rollback" | "publish";

const POLL_MS = 300;
const SLOW_POLL_MS = 5_000;
const PATIENCE_MS = 30_000;

interface Wording {
	readonly ask: string;
	readonly act: string;
	readonly what: string;
	readonly doing: string;
	readonly done: string;
	/** What takes it back; a revision is taken back by the one before it. */
	readonly undo: Act | null;
}

const wording: Readonly<Record<Act, Wording>> = {
	enable: { ask: "Turn on", act: "Turn on", what: "Its rules decide who gets what, for every application that asks.", doing: "is being turned on", done: "is on", undo: "disable" },
	disable: { ask: "Turn off", act: "Turn off", what: "It gives no value any more: the applications fall back to what their code says.", doing: "is being turned off", done: "is off", undo: "enable" },
	kill: { ask: "Kill", act: "Kill", what: "It is turned off at once, everywhere. Its owners are told.", doing: "is being killed", done: "is killed", undo: "enable" },
	archive: {
		ask: "Archive",
		act: "Archive",
		what: "It is served no more, and cannot be brought back: applications that still ask fall back to what their code says. What it was can still be read.",
		doing: "is being archived",
		done: "is archived",
		undo: null,
	},
	rollback: { ask: "Roll back", act: "Roll back", what: "", doing: "is being rolled back", done: "is rolled back", undo: "rollback" },
	publish: { ask: "Publish", act: "Publish", what: "", doing: "is being published", done: "is published", undo: "rollback" },
};

interface Asked {
	readonly key: string;
	readonly act: Act;
	/** The revision that was there. */
	readonly before: number;
	/** Of "rollback": to this revision. */
	readonly to?: number;
	/** What the question shows besides. */
	readonly told?: ReactNode;
	readonly at: number;
}

function Question({ asked, pending, problem, run, close }: { asked: Asked; pending: boolean; problem: unknown; run: (comment: string) => void; close: () => void }) {
	const words = wording[asked.act];
	const [comment, setComment] = useState("");
	return (
		<Modal opened onClose={close} title={`${words.ask} ${asked.key}${asked.to === undefined ? "" : ` to revision ${asked.to}`}?`} closeButtonProps={{ "aria-label": "Close" }}>
			<form
				className={classes.form}
				onSubmit={(e) => {
					e.preventDefault();
					run(comment);
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				{words.what !== "" && <p>{words.what}</p>}
				{asked.told}
				{asked.act !== "archive" && (
					<TextInput label="Why" description="Stands with the revision; may stay empty" autoComplete="off" maxLength={2000} value={comment} onChange={(e) => setComment(e.currentTarget.value)} />
				)}
				<div className={classes.buttons}>
					<Button variant="default" onClick={close}>
						Cancel <kbd className={classes.kbd}>Esc</kbd>
					</Button>
					<Button type="submit" data-autofocus loading={pending} {...(asked.act === "kill" || asked.act === "archive" ? { color: "red.9" } : {})}>
						{words.act} <kbd className={classes.kbd}>Enter</kbd>
					</Button>
				</div>
			</form>
		</Modal>
	);
}

function sayCore(applied: Flag["applied"], ms: number | undefined): string {
	return `applied by ${applied.workers} of ${applied.of} workers${ms !== undefined && applied.workers === applied.of ? ` in ${sayDuration(ms)}` : ""}`;
}

export function saySandbox(sandbox: Flag["sandbox"]): string {
	if (sandbox.of === 0)
		return "no worker: it is away";
	return `${sandbox.workers} of ${sandbox.of} workers`;
}

/** Who may show the old value until it asks again. */
function Untold({ applications: { streams, without_stream: untold } }: { applications: NonNullable<Turned["applications"]> }) {
	if (untold.length === 0)
		return <p className="dimmed">{streams === 0 ? "No application has asked lately." : `Every application that asked lately is told by its stream (${streams}).`}</p>;
	return (
		<>
			<p>Told by no stream, until they ask again:</p>
			<ul className={classes.plain} aria-label="Applications that are not told">
				{untold.map((a) => (
					<li key={`${a.principal} ${a.client} ${a.asks}`}>
						<strong>{a.name ?? `…${a.principal.slice(-8)}`}</strong> with {a.client}, asked last <Time at={a.last_at} />
						{a.every_ms !== null && `, about every ${sayDuration(a.every_ms)}`}
					</li>
				))}
			</ul>
		</>
	);
}

interface ReportProps {
	readonly asked: Asked;
	/** null: not answered yet. */
	readonly turned: Pick<Turned, "revision" | "applied" | "sandbox" | "applications"> | null;
	readonly undo: (() => void) | null;
	readonly close: () => void;
}

/** What a change has come to: asked again until everybody serves it. */
function Report({ asked, turned, undo, close }: ReportProps) {
	const box = useRef<HTMLDivElement>(null);
	const flag = useQuery({
		...flagQuery(asked.key),
		staleTime: 0,
		refetchInterval: ({ state: { data } }) => {
			const over = turned !== null && data !== undefined && data.revision >= turned.revision && data.applied.workers === data.applied.of && data.sandbox.acknowledged;
			return over ? false : Date.now() - asked.at < PATIENCE_MS ? POLL_MS : SLOW_POLL_MS;
		},
	});
	useEffect(() => {
		if (turned !== null)
			box.current?.focus({ preventScroll: true });
	}, [turned]);
	/* Of another revision than ours nothing is told. */
	const now = flag.data !== undefined && flag.data.revision > asked.before ? flag.data : null;
	const told = now ?? turned;
	const whole = told !== null && told.applied.of > 0 && told.applied.workers === told.applied.of;
	const moved = turned !== null && now !== null && now.revision !== turned.revision;
	return (
		<div ref={box} tabIndex={-1} className={classes.report} data-whole={whole || undefined}>
			<Icon name={whole ? "check" : "history"} />
			<div role="status">
				<strong>
					{asked.key} {turned === null ? wording[asked.act].doing : wording[asked.act].done}
					{asked.to !== undefined && ` to revision ${asked.to}`}
				</strong>
				<p>
					{told === null ? "The workers are asked…" : `Revision ${told.revision} ${sayCore(told.applied, moved ? undefined : turned?.applied.ms)}; in the sandbox by ${saySandbox(told.sandbox)}.`}
					{told !== null && told.applied.missing.length > 0 && ` Not yet: ${told.applied.missing.join(", ")}.`}
					{moved && " Somebody has changed it since."}
				</p>
				{turned?.applications !== undefined && <Untold applications={turned.applications} />}
			</div>
			<div className={classes.reportButtons}>
				{undo !== null && !moved && (
					<Button size="compact-sm" variant="default" onClick={undo}>
						Undo
					</Button>
				)}
				<Button size="compact-sm" variant="subtle" color="gray" aria-label="Close the report" onClick={close}>
					<Icon name="close" size={14} />
				</Button>
			</div>
		</div>
	);
}

/** Nothing has changed yet: the flag is protected. */
export function Filed({ what, close }: { what: string; close: () => void }) {
	return (
		<div className={classes.report}>
			<Icon name="people" />
			<div role="status">
				<strong>{what} waits for a second person</strong>
				<p>The flag is protected: nothing has changed. Somebody else who may change it approves or rejects it on the flag’s page.</p>
			</div>
			<div className={classes.reportButtons}>
				<Button size="compact-sm" variant="subtle" color="gray" aria-label="Close the report" onClick={close}>
					<Icon name="close" size={14} />
				</Button>
			</div>
		</div>
	);
}

async function perform({ key, act, to }: Asked, comment: string): Promise<Turned | Request> {
	const call = { path: { key }, body: comment === "" ? {} : { comment } };
	if (act === "rollback")
		return (await api.post("/v1/flags/{key}/rollback", { ...call, body: { ...call.body, revision: to ?? 0 } })).data;
	if (act === "archive")
		return (await api.remove("/v1/flags/{key}", { path: { key } })).data;
	if (act === "enable")
		return (await api.post("/v1/flags/{key}/enable", call)).data;
	return (await (act === "kill" ? api.post("/v1/flags/{key}/kill", call) : api.post("/v1/flags/{key}/disable", call))).data;
}

interface Switching {
	/** Begins with the question; of "rollback", which revision, and what that changes. */
	readonly ask: (flag: FlagRow, act: Exclude<Act, "publish">, back?: { readonly to: number; readonly told: ReactNode }) => void;
	/** To stand where the flag is shown. */
	readonly view: ReactNode;
}

export function useSwitching(): Switching {
	const may = useMay();
	const queries = useQueryClient();
	const [asked, setAsked] = useState<Asked | null>(null);
	/* The question is answered: from here on the report stands. */
	const [ran, setRan] = useState(false);
	const turn = useMutation({
		mutationFn: (call: { asked: Asked; comment: string }) => perform(call.asked, call.comment),
		onError: () => setRan(false),
		onSettled: () => refresh(queries),
	});
	const close = () => {
		setAsked(null);
		setRan(false);
		turn.reset();
	};
	const begin = (what: Omit<Asked, "at">): Asked => {
		turn.reset();
		setRan(false);
		const begun = { ...what, at: Date.now() };
		setAsked(begun);
		return begun;
	};
	const run = (what: Asked, comment: string) => {
		setRan(true);
		turn.mutate({ asked: what, comment });
	};
	const answer = turn.data;
	const filed = answer !== undefined && isRequest(answer);
	const turned = answer === undefined || isRequest(answer) ? null : answer;
	const back = asked === null ? null : wording[asked.act].undo;
	const mayUndo = back !== null && turned !== null && (back === "rollback" ? may("flag.write") : may("flag.toggle") || (back === "disable" && may("flag.disable")));
	const undo = () => {
		if (asked === null || turned === null || back === null)
			return;
		run(begin({ key: asked.key, act: back, before: turned.revision, ...(back === "rollback" ? { to: asked.before } : {}) }), `undo of revision ${turned.revision}`);
	};
	return {
		ask: (flag, act, more = undefined) => void begin({ key: flag.key, act, before: act === "archive" ? flag.revision - 1 : flag.revision, ...more }),
		view: asked !== null && (
			<>
				{ran && filed ? (
					<Filed what={asked.key} close={close} />
				) : ran ? (
					<Report key={asked.at} asked={asked} turned={turned} undo={mayUndo ? undo : null} close={close} />
				) : (
					<Question asked={asked} pending={turn.isPending} problem={turn.error} run={(comment) => run(asked, comment)} close={close} />
				)}
			</>
		),
	};
}

/** What was published on another page of the console: who serves it. */
export function Published({ flag, revision, undo, close }: { flag: Flag; revision: number; undo: (() => void) | null; close: () => void }) {
	const [at] = useState(() => Date.now());
	const { applied, sandbox } = flag;
	return <Report asked={{ key: flag.key, act: "publish", before: revision - 1, at }} turned={{ revision, applied, sandbox }} undo={undo} close={close} />;
}

/** What can be done to a flag now by the actor. */
export function useActs(): (flag: FlagRow) => readonly Turn[] {
	const may = useMay();
	const mayTurn = may("flag.toggle");
	const mayStop = mayTurn || may("flag.disable");
	const mayEnd = may("flag.write");
	return (flag) => {
		if (flag.archived_at !== null)
			return [];
		if (flag.enabled)
			return mayStop ? ["disable", "kill"] : [];
		return [...(mayTurn && !flag.expired ? (["enable"] as const) : []), ...(mayEnd ? (["archive"] as const) : [])];
	};
}

export function ActButtons({ flag, acts, ask, size }: { flag: FlagRow; acts: readonly Turn[]; ask: Switching["ask"]; size: "sm" | "compact-sm" }) {
	return (
		<>
			{acts.map((act) => (
				<Button
					key={act}
					size={size}
					variant={act === "kill" ? "outline" : "default"}
					{...(act === "kill" ? { className: classes.kill ?? "" } : {})}
					aria-label={`${wording[act].act}: ${flag.key}`}
					onClick={() => ask(flag, act)}
				>
					{wording[act].act}
				</Button>
			))}
		</>
	);
}
