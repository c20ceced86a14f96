/* Make a flag: what for, who answers for it, until when, and what it does. */
import { useRef, useState } from "react";
import { Button, Checkbox, NativeSelect, Select, TextInput, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useActor, useMay } from "~/app/actor";
import { core } from "~/api/core";
import { newKey } from "~/api/daemon";
import { asProblem } from "~/api/problem";
import { Page, Panel } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Turned, api, refresh } from "./data";
import { Editor, begin, faultsOf, finish } from "./Editor";
import { NotYours } from "./parts";
import classes from "./flags.module.css";

const PAUSE_MS = 200;
const SHOWN = 20;
const DAYS = 30;

const fresh = { unit: "person", variations: [{ key: "off", value: false }, { key: "on", value: true }], rules: [], default: "off" };

interface OwnerProps {
	readonly label: string;
	readonly description: string;
	readonly value: string;
	readonly error: string | undefined;
	readonly onChange: (name: string) => void;
}

/** A person by a part of his name; flags know owners by their names. */
function Owner({ label, description, value, error, onChange }: OwnerProps) {
	const [words, setWords] = useState("");
	const [settled] = useDebouncedValue(words.trim(), PAUSE_MS);
	const found = useQuery({
		queryKey: ["flag people", "found", settled],
		queryFn: async ({ signal }) => (await api.get("/v1/users", { query: { state: "active", kind: "user", limit: SHOWN, ...(settled === "" ? {} : { q: settled }) }, signal })).data.data,
		placeholderData: keepPreviousData,
	});
	const data = (found.data ?? []).map((u) => ({ value: u.name, label: u.display_name === null || u.display_name === u.name ? u.name : `${u.display_name} (${u.name})` }));
	if (value !== "" && !data.some((d) => d.value === value))
		data.push({ value, label: value });
	return (
		<Select
			label={label}
			description={description}
			error={error}
			required
			searchable
			placeholder="Type a part of the name"
			data={data}
			value={value === "" ? null : value}
			onChange={(name) => onChange(name ?? "")}
			onSearchChange={(text) => setWords(data.some((d) => d.label === text) ? "" : text)}
			filter={({ options }) => options}
			nothingFoundMessage="Nobody has such a name"
		/>
	);
}

/** "2026-05-01": a day of here. */
function dayOf(at: Date): string {
	return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

/** The end of a day as core writes moments. */
function endOf(day: string): string {
	const at = new Date(`${day}T23:59:59`);
	return Number.isNaN(at.getTime()) ? day : at.toISOString();
}

function useMake(body: { readonly key: string }) {
	const router = useRouter();
	const queries = useQueryClient();
	/* A try that got no answer may have made it: the same key finds it again. */
	const once = useRef({ of: "", is: "" });
	return useMutation({
		mutationFn: async () => {
			const of = JSON.stringify(body);
			if (once.current.of !== of)
				once.current = { of, is: newKey() };
			return core.post<Turned>("/v1/flags", body, { idempotencyKey: once.current.is });
		},
		onSuccess: async () => {
			await refresh(queries);
			await router.navigate({ to: "/flags/$key", params: { key: body.key }, search: {}, replace: true });
		},
	});
}

function Form() {
	const { me } = useActor();
	const router = useRouter();
	const [key, setKey] = useState("");
	const [kind, setKind] = useState("release");
	const [purpose, setPurpose] = useState("");
	const [business, setBusiness] = useState(me.name);
	const [technical, setTechnical] = useState("");
	const [day, setDay] = useState(() => dayOf(new Date(Date.now() + DAYS * 86_400_000)));
	const [enabled, setEnabled] = useState(false);
	const [edited, setEdited] = useState(() => begin(fresh));
	const [tried, setTried] = useState(false);
	const { document, faults } = finish(edited);
	const make = useMake({ key, kind, purpose, business_owner: business, technical_owner: technical, expires_at: endOf(day), document, enabled } as { key: string });
	const problem = make.error === null ? null : asProblem(make.error);
	return (
		<form
			className={classes.form}
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				setTried(true);
				make.reset();
				if (faults.length === 0)
					make.mutate();
			}}
		>
			{problem !== null && <Trouble problem={problem} />}
			<Panel title="What it is for">
				<div className={`${classes.form} ${classes.narrow}`}>
					<TextInput
						label="Key"
						description="What applications ask for: small letters, digits, dots and dashes. It does not change later."
						required
						autoComplete="off"
						value={key}
						error={problem?.at("/key")}
						onChange={(e) => setKey(e.currentTarget.value)}
					/>
					<Textarea label="Purpose" description="What somebody else should know in a year" required rows={2} value={purpose} error={problem?.at("/purpose")} onChange={(e) => setPurpose(e.currentTarget.value)} />
					<NativeSelect
						label="Kind"
						value={kind}
						error={problem?.at("/kind")}
						data={[
							{ value: "release", label: "release: something new comes to more and more" },
							{ value: "experiment", label: "experiment: variations are compared, for 90 days at most" },
						]}
						onChange={(e) => setKind(e.currentTarget.value)}
					/>
					<Owner label="Business owner" description="Who says what it is for" value={business} error={problem?.at("/business_owner")} onChange={setBusiness} />
					<Owner label="Technical owner" description="Who is called when it fails" value={technical} error={problem?.at("/technical_owner")} onChange={setTechnical} />
					<TextInput label="Expires" description="At the end of this day it goes off by itself" type="date" required value={day} error={problem?.at("/expires_at")} onChange={(e) => setDay(e.currentTarget.value)} />
				</div>
			</Panel>
			<Editor
				edited={edited}
				faults={[...(tried ? faults : []), ...faultsOf(problem)]}
				change={(next) => {
					make.reset();
					setEdited(next);
				}}
			/>
			<Checkbox label="Turn it on at once" checked={enabled} onChange={(e) => setEnabled(e.currentTarget.checked)} />
			<div className={classes.buttons}>
				<Button variant="default" onClick={() => router.history.back()}>
					Cancel
				</Button>
				<Button type="submit" loading={make.isPending}>
					Create the flag
				</Button>
			</div>
		</form>
	);
}

export function New() {
	const may = useMay();
	if (!may("flag.write"))
		return <NotYours title="New flag" what="make flags" />;
	return (
		<Page title="New flag" about="Who gets something new, and until when">
			<Form />
		</Page>
	);
}
