/* Who one is: light and dark, the account, the way out. */
import { useMemo } from "react";
import { ActionIcon, Menu, useMantineColorScheme } from "@mantine/core";
import { useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { forgetAnswers } from "~/api/query";
import { signOut } from "~/api/session";
import { Icon, type IconName } from "~/ui/Icon";
import { useActor } from "./actor";
import { type Command, overlayStore, useCommands } from "./commands";
import classes from "./ProfileMenu.module.css";

const schemes: readonly { value: "light" | "dark" | "auto"; label: string; icon: IconName }[] = [
	{ value: "light", label: "Light", icon: "sun" },
	{ value: "dark", label: "Dark", icon: "moon" },
	{ value: "auto", label: "As the system", icon: "auto" },
];

function useSignOut(): () => void {
	const router = useRouter();
	const queries = useQueryClient();
	return () => {
		/* The pages go first: as long as they are there, they would ask again for what is cleared. */
		void signOut()
			.then(() => router.navigate({ to: "/sign-in", search: {} }))
			.then(() => forgetAnswers(queries));
	};
}

export function ProfileMenu() {
	const { me } = useActor();
	const leave = useSignOut();
	/* Mantine would stop transitions with a <style> element, which our Content-Security-Policy refuses. */
	const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
	const router = useRouter();
	const commands = useMemo<readonly Command[]>(
		() => [
			...schemes.map((s) => ({
				id: `scheme ${s.value}`,
				label: `Colours: ${s.label.toLowerCase()}`,
				group: "Console",
				icon: s.icon,
				words: "theme dark light mode",
				run: () => setColorScheme(s.value),
			})),
			{ id: "keys", label: "Keyboard shortcuts", group: "Console", icon: "help", words: "keys help", run: () => overlayStore.set("keys") },
			{ id: "account", label: "My account and sessions", group: "Go to", icon: "account", keys: ["g", "a"], run: () => void router.navigate({ to: "/account" }) },
			{ id: "sign-out", label: "Sign out", group: "Console", icon: "sign-out", words: "log out leave", run: leave },
		],
		[router, setColorScheme],
	);
	useCommands(commands);
	const name = me.display_name ?? me.name;
	return (
		<Menu position="bottom-end" width={240}>
			<Menu.Target>
				<ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Signed in as ${name}`}>
					<Icon name="account" />
				</ActionIcon>
			</Menu.Target>
			<Menu.Dropdown>
				<Menu.Label className={classes.who ?? ""}>
					<strong>{name}</strong>
					<span>{me.roles.length === 0 ? "no role" : me.roles.join(", ").replaceAll("_", " ")}</span>
				</Menu.Label>
				<Menu.Divider />
				<Menu.Item leftSection={<Icon name="account" size={16} />} component={Link} to="/account">
					My account and sessions
				</Menu.Item>
				<Menu.Item leftSection={<Icon name="help" size={16} />} onClick={() => overlayStore.set("keys")}>
					Keyboard shortcuts
				</Menu.Item>
				<Menu.Divider />
				<Menu.Label>Colours</Menu.Label>
				{schemes.map((s) => (
					<Menu.Item
						key={s.value}
						leftSection={<Icon name={s.icon} size={16} />}
						rightSection={colorScheme === s.value ? <Icon name="check" size={16} /> : null}
						aria-current={colorScheme === s.value}
						onClick={() => setColorScheme(s.value)}
					>
						{s.label}
					</Menu.Item>
				))}
				<Menu.Divider />
				<Menu.Item leftSection={<Icon name="sign-out" size={16} />} onClick={leave}>
					Sign out
				</Menu.Item>
			</Menu.Dropdown>
		</Menu>
	);
}
