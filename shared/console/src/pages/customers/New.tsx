/* Make a record of any resource; the address may bring values along (?person_id=…). */
import { useRef, useState } from "react";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { PendingView } from "~/app/views";
import { core } from "~/api/core";
import { newKey } from "~/api/daemon";
import { type Resource, describeQuery } from "~/api/description";
import { asProblem } from "~/api/problem";
import { type Row, refresh } from "~/api/records";
import { Empty, Page, Panel } from "~/ui/parts";
import { Fields } from "./Fields";
import { type Inputs, bodyOf, inputsOf, writableFields } from "./form";
import { singular } from "./names";
import { Trouble } from "~/ui/Trouble";
import classes from "./customers.module.css";

const route = getRouteApi("/shell/customers/$resource/new");

function Form({ resource }: { resource: Resource }) {
	const search = route.useSearch();
	const router = useRouter();
	const queries = useQueryClient();
	const fields = writableFields(resource);
	const [inputs, setInputs] = useState<Inputs>(() => {
		const given = fields.flatMap((f) => (typeof search[f.name] === "string" ? [[f.name, search[f.name]]] : []));
		return { ...inputsOf(resource, null), ...(Object.fromEntries(given) as Inputs) };
	});
	const key = useRef(newKey());
	const make = useMutation({
		mutationFn: async () => {
			const filled = fields.filter((f) => (inputs[f.name] ?? "") !== "");
			return (await core.post<Row>(`/v1/${resource.name}`, bodyOf(filled, inputs), { idempotencyKey: key.current })).data;
		},
		onSuccess: async (row) => {
			await refresh(queries);
			await router.navigate({ to: "/customers/$resource/$id", params: { resource: resource.name, id: row.id }, search: {}, replace: true });
		},
	});
	const problem = make.error === null ? null : asProblem(make.error);
	return (
		<Panel>
			<form
				className={classes.form}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					make.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<Fields
					fields={fields}
					inputs={inputs}
					problem={problem}
					set={(name, text) => {
						key.current = newKey();
						setInputs((now) => ({ ...now, [name]: text }));
					}}
				/>
				<div className={`${classes.buttons} ${classes.ending}`}>
					<Button variant="default" onClick={() => router.history.back()}>
						Cancel
					</Button>
					<Button type="submit" loading={make.isPending}>
						Create the {singular(resource.name)}
					</Button>
				</div>
			</form>
		</Panel>
	);
}

export function New() {
	const { resource: name } = route.useParams();
	const all = useQuery(describeQuery);
	if (all.isPending)
		return <PendingView />;
	const resource = all.data?.get(name);
	return (
		<Page title={`New ${singular(name)}`}>
			{all.isError ? (
				<Trouble problem={all.error} again={() => void all.refetch()} />
			) : resource === undefined || writableFields(resource).length === 0 ? (
				<Empty title={`You cannot make a ${singular(name)}`}>Your roles do not include writing these records, or there is no such kind.</Empty>
			) : (
				<Form key={name} resource={resource} />
			)}
		</Page>
	);
}
