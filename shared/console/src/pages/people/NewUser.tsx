/* Make a user, and at once the one-time secret by which he sets his password; or a service with its two owners. */
import { useRef, useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { core } from "~/api/core";
import { newKey } from "~/api/daemon";
import { asProblem } from "~/api/problem";
import { Page, Panel } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type User, api, refresh } from "./data";
import { NotYours, PickUser, RoleChoice, Secret } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/new");

interface Made {
	readonly user: User;
	/** null: a service has none, or it could not be made. */
	readonly secret: string | null;
}

function Form({ isService }: { isService: boolean }) {
	const may = useMay();
	const router = useRouter();
	const queries = useQueryClient();
	const [name, setName] = useState("");
	const [displayName, setDisplayName] = useState("");
	const [email, setEmail] = useState("");
	const [business, setBusiness] = useState("");
	const [technical, setTechnical] = useState("");
	const [roles, setRoles] = useState<readonly string[]>([]);
	/* A try that got no answer may have made him: the same key finds him again. */
	const key = useRef({ of: "", is: "" });
	const make = useMutation({
		mutationFn: async (): Promise<Made> => {
			const body = {
				name,
				...(displayName === "" ? {} : { display_name: displayName }),
				...(email === "" || isService ? {} : { email }),
				...(isService ? { kind: "service", business_owner: business || null, technical_owner: technical || null } : {}),
				roles,
			};
			const of = JSON.stringify(body);
			if (key.current.of !== of)
				key.current = { of, is: newKey() };
			const { data } = await core.post<User>("/v1/users", body, { idempotencyKey: key.current.is });
			if (isService || !may("user.reset_password"))
				return { user: data, secret: null };
			const secret = await api.post("/v1/users/{id}/password-reset", { path: { id: data.id } }).then(
				(r) => r.data.secret,
				/* He is made; on his page the secret can be made again. */
				() => null,
			);
			return { user: data, secret };
		},
		onSuccess: async (made) => {
			await refresh(queries);
			if (made.secret === null)
				await open(made.user.id);
		},
	});
	const open = (id: string) => router.navigate({ to: "/people/$id", params: { id }, replace: true });
	const made = make.data;
	const problem = make.error === null ? null : asProblem(make.error);
	return (
		<Panel>
			{made?.secret != null && (
				<Secret title={`${made.user.name} is made`} label="One-time secret" secret={made.secret} close={() => void open(made.user.id)}>
					Give this one-time secret to <strong>{made.user.name}</strong>. The sign-in page leads on from there: “Got a one-time secret? Set your password”.
				</Secret>
			)}
			<form
				className={`${classes.form} ${classes.narrow}`}
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					make.mutate();
				}}
			>
				{problem !== null && <Trouble problem={problem} />}
				<TextInput
					label={isService ? "Name" : "Login"}
					description="Small letters, digits, dots and dashes. It does not change later."
					required
					autoComplete="off"
					value={name}
					error={problem?.at("/name")}
					onChange={(e) => setName(e.currentTarget.value)}
				/>
				<TextInput label="Shown as" autoComplete="off" value={displayName} error={problem?.at("/display_name")} onChange={(e) => setDisplayName(e.currentTarget.value)} />
				{isService ? (
					<>
						<PickUser label="Business owner" description="Who says what it is for" kind="user" value={business} error={problem?.at("/business_owner")} without={[technical]} onChange={setBusiness} />
						<PickUser label="Technical owner" description="Who is called when it fails" kind="user" value={technical} error={problem?.at("/technical_owner")} without={[business]} onChange={setTechnical} />
					</>
				) : (
					<TextInput label="E-mail" type="email" autoComplete="off" value={email} error={problem?.at("/email")} onChange={(e) => setEmail(e.currentTarget.value)} />
				)}
				<RoleChoice value={roles} error={problem?.at("/roles")} onChange={setRoles} />
				<div className={classes.buttons}>
					<Button variant="default" onClick={() => router.history.back()}>
						Cancel
					</Button>
					<Button type="submit" loading={make.isPending}>
						Create the {isService ? "service" : "user"}
					</Button>
				</div>
			</form>
		</Panel>
	);
}

export function NewUser() {
	const may = useMay();
	const isService = route.useSearch().kind === "service";
	if (!may("user.write"))
		return <NotYours title="New user" what="make users" />;
	return (
		<Page title={isService ? "New service" : "New user"} about={isService ? "A program with access of its own, and the two people who answer for it" : "He gets a one-time secret and sets his own password by it"}>
			<Form key={String(isService)} isService={isService} />
		</Page>
	);
}
