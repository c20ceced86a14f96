/* A password by a one-time secret, which an operator or the installation has made. Its link may carry it behind "#". */
import { useState } from "react";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { asProblem } from "~/api/problem";
import { setPassword } from "~/api/session";
import { Empty, ProblemNote } from "~/ui/parts";
import { Frame } from "./Frame";
import classes from "./Frame.module.css";

function secretOfLink(): string {
	return new URLSearchParams(window.location.hash.slice(1)).get("secret") ?? "";
}

export function SetPassword() {
	const [secret, setSecret] = useState(secretOfLink);
	const [password, setNew] = useState("");
	const [again, setAgain] = useState("");
	const set = useMutation({ mutationFn: () => setPassword(secret.trim(), password) });
	const differs = again !== "" && again !== password;
	const problem = set.error === null ? null : asProblem(set.error);
	if (set.isSuccess)
		return (
			<Frame title="Your password is set" foot={null}>
				<Empty title="Now sign in with it" action={<Link to="/sign-in">To the sign-in</Link>}>
					The secret has been used up. Sessions you may have had elsewhere have ended.
				</Empty>
			</Frame>
		);
	return (
		<Frame
			title="Set your password"
			foot={
				<>
					Know your password? <Link to="/sign-in">Sign in</Link>
				</>
			}
		>
			<form
				className={classes.form}
				onSubmit={(e) => {
					e.preventDefault();
					if (again === password)
						set.mutate();
				}}
			>
				{problem !== null && <ProblemNote problem={problem} />}
				<TextInput
					label="One-time secret"
					description="You have it from an operator. It works once."
					name="secret"
					autoComplete="one-time-code"
					spellCheck={false}
					required
					value={secret}
					error={problem?.at("/secret")}
					onChange={(e) => setSecret(e.currentTarget.value)}
				/>
				<PasswordInput
					label="New password"
					description="At least 12 characters. A few words are good."
					name="new-password"
					autoComplete="new-password"
					required
					value={password}
					error={problem?.at("/password")}
					onChange={(e) => setNew(e.currentTarget.value)}
				/>
				<PasswordInput
					label="The same again"
					name="again"
					autoComplete="new-password"
					required
					value={again}
					error={differs ? "This is not the same." : undefined}
					onChange={(e) => setAgain(e.currentTarget.value)}
				/>
				<Button type="submit" loading={set.isPending} disabled={differs} fullWidth>
					Set the password
				</Button>
			</form>
		</Frame>
	);
}
