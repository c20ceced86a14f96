/*
 * Change a record. Only what was changed is sent, for the version that was read. If somebody else was faster (412), nothing is written:
 * his values stand beside mine, field by field, and what is chosen is sent for his version.
 */
import { useRef, useState } from "react";
import { Button, Radio } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { core } from "~/api/core";
import { newKey } from "~/api/daemon";
import type { Field, Resource } from "~/api/description";
import { Problem, asProblem } from "~/api/problem";
import { type HistoryEntry, type Row, recordUrl, refresh } from "~/api/records";
import type { Page } from "~/api/types";
import { Panel } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Fields } from "./Fields";
import { type Inputs, bodyOf, changedFields, fromInput, inputsOf, writableFields } from "./form";
import { Trouble } from "~/ui/Trouble";
import { Value } from "./Value";
import classes from "./customers.module.css";

/** What I began with, and the version it is of. */
interface Base {
	readonly row: Row;
	readonly etag: string;
}

interface Conflict {
	readonly theirs: Base;
	readonly by: HistoryEntry | null;
	/** Both changed it, to different values. */
	readonly disputed: readonly Field[];
	/** Only they did. */
	readonly taken: readonly Field[];
}

async function meet(resource: Resource, id: string, base: Inputs, mine: Inputs): Promise<Conflict> {
	const url = recordUrl(resource.name, id);
	const [{ data, etag }, history] = await Promise.all([core.read<Row>(url), core.get<Page<HistoryEntry>>(`${url}/history`, { query: { limit: 1 } })]);
	const theirs = inputsOf(resource, data);
	const other = changedFields(resource, base, theirs);
	const own = new Set(changedFields(resource, base, mine).map((f) => f.name));
	return {
		theirs: { row: data, etag: etag ?? "*" },
		by: history.data[0] ?? null,
		disputed: other.filter((f) => own.has(f.name) && mine[f.name] !== theirs[f.name]),
		taken: other.filter((f) => !own.has(f.name)),
	};
}

function Choice({ field, mine, theirs, before, chosen, choose }: { field: Field; mine: string; theirs: Row; before: Row; chosen: string; choose: (v: string) => void }) {
	return (
		<tr>
			<th scope="row">{field.label}</th>
			<td>
				<Value field={field} value={before[field.name] ?? null} />
			</td>
			<td colSpan={2}>
				<Radio.Group label={`${field.label}: which value?`} labelProps={{ className: "unseen" }} value={chosen} onChange={choose}>
					<div className={classes.either}>
						<Radio value="theirs" label={<Value field={field} value={theirs[field.name] ?? null} />} />
						<Radio value="mine" label={<Value field={field} value={fromInput(field, mine)} />} />
					</div>
				</Radio.Group>
			</td>
		</tr>
	);
}

function Settle({ conflict, base, inputs, settle, pending, cancel }: { conflict: Conflict; base: Base; inputs: Inputs; settle: (mine: ReadonlySet<string>) => void; pending: boolean; cancel: () => void }) {
	const [chosen, setChosen] = useState<Readonly<Record<string, string>>>({});
	const { by, disputed, taken, theirs } = conflict;
	const complete = disputed.every((f) => chosen[f.name] !== undefined);
	return (
		<section className={classes.conflict} role="alertdialog" aria-labelledby="conflict" aria-describedby="conflict-why">
			<h2 id="conflict" tabIndex={-1} ref={(h) => h?.focus()}>
				Somebody else changed this while you were writing
			</h2>
			<p id="conflict-why">
				{by !== null && (
					<>
						<strong>{by.actor.name ?? by.actor.id}</strong> saved version {by.version} <Time at={by.at} />.{" "}
					</>
				)}
				Nothing of yours is written yet. {disputed.length > 0 ? "For these fields you both have a value: choose which stays." : "You changed other fields, so both can stay."}
			</p>
			{disputed.length > 0 && (
				<div className={classes.scroll} role="region" aria-label="Fields that both changed" tabIndex={0}>
					<table className={classes.table}>
						<thead>
							<tr>
								<th scope="col">Field</th>
								<th scope="col">Before</th>
								<th scope="col">Theirs</th>
								<th scope="col">Mine</th>
							</tr>
						</thead>
						<tbody>
							{disputed.map((f) => (
								<Choice
									key={f.name}
									field={f}
									before={base.row}
									theirs={theirs.row}
									mine={inputs[f.name] ?? ""}
									chosen={chosen[f.name] ?? ""}
									choose={(v) => setChosen((now) => ({ ...now, [f.name]: v }))}
								/>
							))}
						</tbody>
					</table>
				</div>
			)}
			{taken.length > 0 && (
				<p>
					Also theirs, and kept:{" "}
					{taken.map((f, i) => (
						<span key={f.name}>
							{i > 0 && ", "}
							{f.label} <Value field={f} value={theirs.row[f.name] ?? null} />
						</span>
					))}
				</p>
			)}
			<div className={classes.buttons}>
				<Button variant="default" onClick={cancel}>
					Drop my changes
				</Button>
				<Button loading={pending} disabled={!complete} onClick={() => settle(new Set(disputed.filter((f) => chosen[f.name] === "mine").map((f) => f.name)))}>
					Save what I chose
				</Button>
			</div>
		</section>
	);
}

interface Sent {
	readonly base: Base;
	readonly inputs: Inputs;
}

export function Edit({ resource, row, etag, done }: { resource: Resource; row: Row; etag: string; done: () => void }) {
	const queries = useQueryClient();
	const [base, setBase] = useState<Base>({ row, etag });
	const [inputs, setInputs] = useState(() => inputsOf(resource, row));
	const [conflict, setConflict] = useState<Conflict | null>(null);
	const key = useRef(newKey());
	const began = inputsOf(resource, base.row);
	const save = useMutation({
		mutationFn: async (sent: Sent) => {
			const before = inputsOf(resource, sent.base.row);
			const fields = changedFields(resource, before, sent.inputs);
			if (fields.length === 0)
				return null;
			try {
				await core.patch<Row>(recordUrl(resource.name, row.id), bodyOf(fields, sent.inputs), sent.base.etag, { idempotencyKey: key.current });
				return null;
			} catch (thrown) {
				if (!(thrown instanceof Problem) || thrown.status !== 412)
					throw thrown;
				return await meet(resource, row.id, before, sent.inputs);
			}
		},
		onSuccess: async (met) => {
			if (met !== null) {
				key.current = newKey();
				setConflict(met);
				return;
			}
			await refresh(queries);
			done();
		},
	});
	const settle = (mine: ReadonlySet<string>) => {
		if (conflict === null)
			return;
		const theirs = inputsOf(resource, conflict.theirs.row);
		const own = new Set(changedFields(resource, began, inputs).map((f) => f.name));
		const disputed = new Set(conflict.disputed.map((f) => f.name));
		const kept = writableFields(resource).flatMap((f) => (own.has(f.name) && (!disputed.has(f.name) || mine.has(f.name)) ? [[f.name, inputs[f.name] ?? ""]] : []));
		const merged = { ...theirs, ...(Object.fromEntries(kept) as Inputs) };
		setBase(conflict.theirs);
		setInputs(merged);
		setConflict(null);
		save.mutate({ base: conflict.theirs, inputs: merged });
	};
	const changed = changedFields(resource, began, inputs);
	const problem = save.error === null ? null : asProblem(save.error);
	if (conflict !== null)
		return <Settle conflict={conflict} base={base} inputs={inputs} settle={settle} pending={save.isPending} cancel={done} />;
	return (
		<Panel title="Edit">
			<form
				className={classes.form}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					save.mutate({ base, inputs });
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<Fields
					fields={writableFields(resource)}
					inputs={inputs}
					problem={problem}
					set={(name, text) => {
						key.current = newKey();
						setInputs((now) => ({ ...now, [name]: text }));
					}}
				/>
				<div className={`${classes.buttons} ${classes.ending}`}>
					<span className="dimmed small" role="status">
						{changed.length === 0 ? "Nothing changed yet" : `Changed: ${changed.map((f) => f.label).join(", ")}`}
					</span>
					<Button variant="default" onClick={done}>
						Cancel
					</Button>
					<Button type="submit" loading={save.isPending} disabled={changed.length === 0}>
						Save
					</Button>
				</div>
			</form>
		</Panel>
	);
}
