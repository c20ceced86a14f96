/* Login and password, or by way of the identity provider if core has one. */
import { useEffect, useState } from "react";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { Problem } from "~/api/problem";
import { forgetAnswers, methodsQuery } from "~/api/query";
import { markRefused, markSignedIn, signIn } from "~/api/session";
import { ProblemNote } from "~/ui/parts";
import { Frame } from "./Frame";
import classes from "./Frame.module.css";

const here = getRouteApi("/sign-in");

/* The words of core, as in its event log. */
const REFUSED: Readonly<Record<string, string>> = {
	denied: "The sign-in was called off.",
	disabled: "Your user was disabled here. Ask an operator.",
	"no-role": "None of your groups has a role here. Ask an operator.",
	"other-subject": "Your login belongs to another account. Ask an operator.",
	provider: "The identity provider cannot be reached at the moment.",
	unknown: "There is no user of your login here. Ask an operator.",
};

function refusal(word: string): Problem {
	return new Problem(403, "refused", "You were not signed in", REFUSED[word] ?? "Begin to sign in again.");
}

export function SignIn() {
	const { next, refused } = here.useSearch();
	const router = useRouter();
	const queries = useQueryClient();
	const [login, setLogin] = useState("");
	const [password, setPassword] = useState("");
	const enter = useMutation({
		mutationFn: () => signIn(login, password),
		onSuccess: async () => {
			forgetAnswers(queries);
			router.history.push(`${router.basepath}${next ?? "/"}`);
		},
		onError: () => setPassword(""),
	});
	const methods = useQuery(methodsQuery);
	const oidc = methods.data?.oidc ?? null;
	useEffect(() => {
		if (refused !== undefined)
			markRefused();
	}, [refused]);
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
				{enter.error !== null ? (
					<ProblemNote problem={enter.error} />
				) : (
					refused !== undefined && <ProblemNote problem={refusal(refused)} />
				)}
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
				{oidc !== null && (
					<Button
						component="a"
						variant="default"
						href={`${oidc.start}?return_to=${encodeURIComponent(`${router.basepath}${next ?? "/"}`)}`}
						onClick={markSignedIn}
						fullWidth
					>
						Sign in with {oidc.name}
					</Button>
				)}
			</form>
		</Frame>
	);
}
