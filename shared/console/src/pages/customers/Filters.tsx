/* The filters of a list, one chip each; a new one is put together of a field, a comparison that makes sense for it, and a value. */
import { type Ref, useImperativeHandle, useState } from "react";
import { Button, Checkbox, NativeSelect, Popover, TextInput, Textarea } from "@mantine/core";
import type { Field, Resource } from "~/api/description";
import { Icon } from "~/ui/Icon";
import { type Asked, type Filter, type Op, needsValue, opWords, opsOf } from "./filters";
import { Picker } from "./Picker";
import { fromLocal, toLocal } from "./moment";
import { useTitles } from "./Value";
import classes from "./customers.module.css";

export interface FiltersHandle {
	add(): void;
}

const FILTERS_MAX = 16;

function ValueInput({ field, op, values, set }: { field: Field; op: Op; values: readonly string[]; set: (values: readonly string[]) => void }) {
	const value = values[0] ?? "";
	if (field.kind === "enum" && op === "in")
		return (
			<Checkbox.Group label="Values" value={[...values]} onChange={set}>
				<div className={classes.choice}>
					{field.choices.map((c) => (
						<Checkbox key={c} size="sm" value={c} label={c} />
					))}
				</div>
			</Checkbox.Group>
		);
	if (field.kind === "enum")
		return <NativeSelect label="Value" value={value} data={["", ...field.choices]} required onChange={(e) => set([e.currentTarget.value])} />;
	if (op === "in")
		return <Textarea label="Values" description="One a line" autosize={false} rows={4} required value={values.join("\n")} onChange={(e) => set(e.currentTarget.value.split("\n"))} />;
	if (field.kind === "uuid" && field.reference !== null)
		return <Picker label="Value" resource={field.reference} value={value} onChange={(id) => set([id])} />;
	if (field.kind === "timestamp")
		return <TextInput label="Value" type="datetime-local" step={1} required value={toLocal(value)} onChange={(e) => set([fromLocal(e.currentTarget.value)])} />;
	const type = field.kind === "date" ? "date" : "text";
	const numeric = field.kind === "integer" || field.kind === "decimal" ? { inputMode: "decimal" as const } : {};
	return <TextInput label="Value" type={type} {...numeric} required value={value} onChange={(e) => set([e.currentTarget.value])} />;
}

function Editor({ resource, filter, done }: { resource: Resource; filter: Filter | null; done: (f: Filter) => void }) {
	const fields = resource.fields.filter((f) => f.filterable);
	const [name, setName] = useState(filter?.field ?? fields[0]?.name ?? "");
	const field = resource.field(name);
	const [op, setOp] = useState<Op>(filter?.op ?? (field === undefined ? "eq" : (opsOf(field)[0] ?? "eq")));
	const [values, setValues] = useState<readonly string[]>(filter?.values ?? []);
	if (field === undefined)
		return <p>There is no field to filter by.</p>;
	const clean = values.map((v) => (op === "in" ? v.trim() : v)).filter((v) => v !== "");
	const complete = !needsValue(op) || clean.length > 0;
	const pick = (next: string) => {
		setName(next);
		const other = resource.field(next);
		setOp(other === undefined ? "eq" : (opsOf(other)[0] ?? "eq"));
		setValues([]);
	};
	return (
		<form
			className={classes.editor}
			onSubmit={(e) => {
				e.preventDefault();
				if (complete)
					done({ field: name, op, values: needsValue(op) ? clean : [] });
			}}
		>
			<NativeSelect label="Field" data-autofocus value={name} data={fields.map((f) => ({ value: f.name, label: f.label }))} onChange={(e) => pick(e.currentTarget.value)} />
			<NativeSelect
				label="Comparison"
				value={op}
				data={opsOf(field).map((o) => ({ value: o, label: opWords(o, field.kind) }))}
				onChange={(e) => setOp(e.currentTarget.value as Op)}
			/>
			{needsValue(op) && <ValueInput key={`${name} ${op}`} field={field} op={op} values={values} set={setValues} />}
			<Button type="submit" disabled={!complete}>
				{filter === null ? "Add the filter" : "Change the filter"}
			</Button>
		</form>
	);
}

function ChipText({ filter, field }: { filter: Filter; field: Field | undefined }) {
	const titles = useTitles(field?.reference ?? null, field?.kind === "uuid" ? filter.values : []);
	return (
		<>
			{field?.label ?? filter.field} <span className="dimmed">{opWords(filter.op, field?.kind)}</span>
			{needsValue(filter.op) && <strong> {filter.values.map((v) => titles.get(v) ?? v).join(", ")}</strong>}
		</>
	);
}

export function Filters({ resource, asked, change, ref }: { resource: Resource; asked: Asked; change: (next: Asked) => void; ref: Ref<FiltersHandle> }) {
	/* Which is being edited; -1: a new one. */
	const [open, setOpen] = useState<number | null>(null);
	useImperativeHandle(ref, () => ({ add: () => setOpen(-1) }), []);
	const put = (at: number, filter: Filter | null) => {
		setOpen(null);
		const filters = [...asked.filters];
		filters.splice(at === -1 ? filters.length : at, at === -1 ? 0 : 1, ...(filter === null ? [] : [filter]));
		change({ ...asked, filters });
	};
	const editor = (at: number, target: React.ReactNode) => (
		<Popover opened={open === at} onChange={(now) => !now && setOpen(null)} position="bottom-start" trapFocus returnFocus shadow="md" width={280}>
			<Popover.Target>{target}</Popover.Target>
			<Popover.Dropdown>
				<Editor resource={resource} filter={at === -1 ? null : (asked.filters[at] ?? null)} done={(f) => put(at, f)} />
			</Popover.Dropdown>
		</Popover>
	);
	return (
		<div className={classes.filters} role="group" aria-label="Filters">
			{asked.filters.map((f, i) => {
				const field = resource.field(f.field);
				const said = `${field?.label ?? f.field} ${opWords(f.op, field?.kind)} ${f.values.join(", ")}`;
				return (
					<span key={`${i} ${said}`} className={classes.chip}>
						{editor(
							i,
							<button type="button" className={classes.chipText} onClick={() => setOpen(open === i ? null : i)}>
								<ChipText filter={f} field={field} />
							</button>,
						)}
						<button type="button" className={classes.chipAway} aria-label={`Remove the filter: ${said}`} onClick={() => put(i, null)}>
							<Icon name="close" size={13} />
						</button>
					</span>
				);
			})}
			{asked.filters.length < FILTERS_MAX &&
				editor(
					-1,
					<Button size="compact-md" variant="subtle" leftSection={<Icon name="filter" size={15} />} onClick={() => setOpen(open === -1 ? null : -1)}>
						Add a filter
					</Button>,
				)}
			{asked.filters.length > 1 && (
				<Button size="compact-md" variant="subtle" color="gray" onClick={() => change({ ...asked, filters: [] })}>
					Clear all
				</Button>
			)}
		</div>
	);
}
