/*
 * What somebody would get now. Asked for all flags at once, as an application in a browser does: a single question would count as an
 * exposure, and looking is none.
 */
import { useState } from "react";
import { ActionIcon, Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { core } from "~/api/core";
import type { Json } from "~/api/records";
import { Icon } from "~/ui/Icon";
import { Empty, Facts, State, type Tone } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import type { Flag } from "./data";
import { sayValue } from "./words";
import { readValue } from "./values";
import classes from "./flags.module.css";

const reasons: Readonly<Record<string, string>> = {
	STATIC: "there is no rule: everybody gets this",
	TARGETING_MATCH: "a rule means exactly him",
	SPLIT: "a rule divides, and he falls into this part",
	DEFAULT: "no rule takes him in",
	DISABLED: "the flag gives no value now: the application's own default holds",
};

interface Answer {
	readonly key: string;
	readonly reason?: string;
	readonly variant?: string;
	readonly value?: Json;
	readonly errorCode?: string;
	readonly errorDetails?: string;
	readonly metadata?: { readonly [name: string]: Json };
}

const tones: Readonly<Record<string, Tone>> = { TARGETING_MATCH: "good", SPLIT: "good", DISABLED: "warn" };

function Given({ answer, fallback }: { answer: Answer; fallback: string }) {
	if (answer.errorCode !== undefined)
		return (
			<Empty title={answer.errorCode === "TARGETING_KEY_MISSING" ? "A rule divides, and nothing says who it is" : answer.errorCode}>{answer.errorDetails ?? fallback}</Empty>
		);
	return (
		<Facts
			rows={[
				["Value", answer.value === undefined ? <span className="dimmed">none</span> : <code>{sayValue(answer.value)}</code>],
				["Variant", answer.variant ?? <span className="dimmed">none</span>],
				[
					"Reason",
					<span key="reason">
						<State tone={tones[answer.reason ?? ""] ?? "plain"}>{answer.reason}</State> {reasons[answer.reason ?? ""]}
					</span>,
				],
				["Revision", String(answer.metadata?.revision ?? "")],
			]}
		/>
	);
}

export function Explain({ flag }: { flag: Flag }) {
	const [unit, setUnit] = useState("");
	const [rows, setRows] = useState<readonly { readonly name: string; readonly value: string }[]>([{ name: "", value: "" }]);
	const ask = useMutation({
		mutationFn: async (): Promise<Answer> => {
			const known = rows.filter((r) => r.name !== "").map((r) => [r.name, readValue(r.value)] as const);
			const context = { ...Object.fromEntries(known), ...(unit === "" ? {} : { targetingKey: unit }) };
			const { data } = await core.post<{ readonly flags: readonly Answer[] }>("/ofrep/v1/evaluate/flags", { context });
			return data.flags.find((f) => f.key === flag.key) ?? { key: flag.key, errorCode: "FLAG_NOT_FOUND", errorDetails: "The worker that was asked does not serve it." };
		},
	});
	const change = (i: number, part: { name?: string; value?: string }) => setRows(rows.map((r, j) => (j === i ? { ...r, ...part } : r)));
	return (
		<div className={classes.form}>
			<form
				className={classes.form}
				onSubmit={(e) => {
					e.preventDefault();
					ask.mutate();
				}}
			>
				<TextInput label="Targeting key" description="Who it is: an id or a pseudonym" autoComplete="off" maxLength={200} value={unit} onChange={(e) => setUnit(e.currentTarget.value)} />
				{rows.map((r, i) => (
					<div key={i} className={classes.pair}>
						<TextInput label="Attribute" aria-label={`Attribute ${i + 1}`} placeholder="country" autoComplete="off" value={r.name} onChange={(e) => change(i, { name: e.currentTarget.value })} />
						<TextInput label="Value" aria-label={`Value ${i + 1}`} placeholder="AT" autoComplete="off" value={r.value} onChange={(e) => change(i, { value: e.currentTarget.value })} />
						<ActionIcon variant="default" size="lg" aria-label={`Take out attribute ${i + 1}`} onClick={() => setRows(rows.filter((_, j) => j !== i))}>
							<Icon name="close" size={14} />
						</ActionIcon>
					</div>
				))}
				<div className={classes.buttons}>
					<Button variant="subtle" color="gray" leftSection={<Icon name="plus" size={14} />} onClick={() => setRows([...rows, { name: "", value: "" }])}>
						One more attribute
					</Button>
					<Button type="submit" variant="default" loading={ask.isPending}>
						Ask
					</Button>
				</div>
			</form>
			{ask.isError && <Trouble problem={ask.error} />}
			<div role="status">{ask.data !== undefined && <Given answer={ask.data} fallback="The flag cannot be evaluated." />}</div>
		</div>
	);
}
