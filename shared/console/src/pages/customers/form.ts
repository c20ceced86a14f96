/* Values of a record as a form has them, all texts, and back as the API takes them. */
import type { Field, Resource } from "~/api/description";
import type { Json, Row } from "~/api/records";
import { fromLocal, toLocal } from "./moment";

export type Inputs = Readonly<Record<string, string>>;

export function toInput(field: Field, value: Json | undefined): string {
	if (value === null || value === undefined)
		return "";
	if (field.kind === "timestamp")
		return toLocal(String(value));
	return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** As the API takes it; "" clears the field. Text that is no value of its kind goes as it is: core says what is wrong with it, and where. */
export function fromInput(field: Field, text: string): Json {
	if (text === "")
		return null;
	switch (field.kind) {
		case "integer":
			return /^[+-]?\d{1,15}$/.test(text.trim()) ? Number(text) : text;
		case "decimal":
			/* As text, so that no digit is lost. */
			return text.trim().replace(",", ".");
		case "boolean":
			return text === "true";
		case "timestamp":
			return fromLocal(text);
		case "json":
			try {
				return JSON.parse(text) as Json;
			} catch {
				return text;
			}
		default:
			return text;
	}
}

export function inputsOf(resource: Resource, row: Row | null): Inputs {
	return Object.fromEntries(writableFields(resource).map((f) => [f.name, toInput(f, row?.[f.name])]));
}

export function writableFields(resource: Resource): readonly Field[] {
	return resource.fields.filter((f) => f.writable);
}

/** The fields that `inputs` has other values for than `base`. */
export function changedFields(resource: Resource, base: Inputs, inputs: Inputs): readonly Field[] {
	return writableFields(resource).filter((f) => (inputs[f.name] ?? "") !== (base[f.name] ?? ""));
}

export function bodyOf(fields: readonly Field[], inputs: Inputs): Record<string, Json> {
	return Object.fromEntries(fields.map((f) => [f.name, fromInput(f, inputs[f.name] ?? "")]));
}
