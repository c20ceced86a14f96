/* Login and password, or the way to the identity provider. */
import { useState } from "react";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { core } from "~/api/core";
import { markSignedIn, signIn } from "~/api/session";
import type { SignInMethods } from "~/api/types";
import { ProblemNote } from "~/ui/parts";
import { Frame } from "./Frame";
import classes from "./Frame.module.css";

const here = getRouteApi("/sign-in");

export function SignIn() {
	const { next } = here.useSearch();
	const router = useRouter();
	const queries = useQueryClient();
	const [login, setLogin] = useState("");
	const [password, setPassword] = useState("");
	const methods = useQuery({ queryKey: ["sign-in methods"], queryFn: ({ signal }) => core.get<SignInMethods>("/v1/session/methods", { signal }) });
	const after = `${router.basepath}${next ?? "/"}`;
	const enter = useMutation({
		mutationFn: () => signIn(login, password),
		onSuccess: async () => {
			queries.clear();
			router.history.push(after);
		},
		onError: () => setPassword(""),
	});
	return (
		<Frame
			title="Sign in"
			foot={
				<>
					Got a one-time secret? <Link to="/set-password">Set your password</Link>
				</>
			}
		>
			<form
				className={classes.form}
				onSubmit={(e) => {
					e.preventDefault();
					enter.mutate();
				}}
			>
				{enter.error !== null && <ProblemNote problem={enter.error} />}
				<TextInput
					label="Login"
					name="login"
					autoComplete="username"
					autoCapitalize="none"
					spellCheck={false}
					required
					autoFocus
					maxLength={200}
					value={login}
					onChange={(e) => setLogin(e.currentTarget.value)}
				/>
				<PasswordInput
					label="Password"
					name="password"
					autoComplete="current-password"
					required
					value={password}
					onChange={(e) => setPassword(e.currentTarget.value)}
					visibilityToggleButtonProps={{ "aria-label": "Show the password", tabIndex: 0, "aria-hidden": false }}
				/>
				<Button type="submit" loading={enter.isPending} fullWidth>
					Sign in
				</Button>
			</form>
			{methods.data?.oidc != null && (
				<Button
					component="a"
					href={`${methods.data.oidc.start}?return_to=${encodeURIComponent(after)}`}
					onClick={markSignedIn}
					variant="default"
					fullWidth
					mt="md"
				>
					Sign in with {methods.data.oidc.name}
				</Button>
			)}
		</Frame>
	);
}
