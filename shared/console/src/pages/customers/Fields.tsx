/* The fields of a form, by class: what they take and how long it may be comes from the API's description. */
import { NativeSelect, TextInput, Textarea } from "@mantine/core";
import type { Field } from "~/api/description";
import type { Problem } from "~/api/problem";
import { byClass } from "./profile";
import type { Inputs } from "./form";
import { Picker } from "./Picker";
import classes from "./customers.module.css";

const LONG = 1000;

function Input({ field, value, set, error }: { field: Field; value: string; set: (text: string) => void; error: string | undefined }) {
	const common = { label: field.label, required: field.required, error };
	const typed = (e: React.ChangeEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>) => set(e.currentTarget.value);
	if (field.kind === "uuid" && field.reference !== null)
		return <Picker {...common} resource={field.reference} value={value} onChange={set} />;
	if (field.kind === "enum" || field.kind === "boolean") {
		const choices = field.kind === "enum" ? field.choices.map((c) => ({ value: c, label: c })) : [{ value: "true", label: "yes" }, { value: "false", label: "no" }];
		return <NativeSelect {...common} value={value} data={[{ value: "", label: "" }, ...choices]} onChange={typed} />;
	}
	if (field.kind === "json" || (field.kind === "text" && (field.maxLength ?? LONG) >= LONG))
		return <Textarea {...common} className={classes.wide ?? ""} rows={4} maxLength={field.maxLength ?? undefined} value={value} onChange={typed} />;
	if (field.kind === "timestamp")
		return <TextInput {...common} type="datetime-local" step={1} value={value} onChange={typed} />;
	if (field.kind === "date")
		return <TextInput {...common} type="date" value={value} onChange={typed} />;
	const numeric = field.kind === "integer" || field.kind === "decimal" ? { inputMode: "decimal" as const } : {};
	return <TextInput {...common} {...numeric} maxLength={field.maxLength ?? undefined} autoComplete="off" value={value} onChange={typed} />;
}

export function Fields({ fields, inputs, set, problem }: { fields: readonly Field[]; inputs: Inputs; set: (name: string, text: string) => void; problem: Problem | null }) {
	return byClass(fields).map(([name, those]) => (
		<fieldset key={name} className={classes.fieldset}>
			<legend>{name}</legend>
			<div className={classes.fields}>
				{those.map((f) => (
					<Input key={f.name} field={f} value={inputs[f.name] ?? ""} set={(text) => set(f.name, text)} error={problem?.at(`/${f.name}`)} />
				))}
			</div>
		</fieldset>
	));
}
