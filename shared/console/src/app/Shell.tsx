/*
 * The frame of every page after the sign-in: where one can go, where both modes stand, what waits, who one is.
 */
import { useEffect, useMemo, useState } from "react";
import { ActionIcon, Tooltip } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useRouter, useRouterState } from "@tanstack/react-router";
import { may } from "~/api/session";
import { Icon } from "~/ui/Icon";
import { useActor } from "./actor";
import { type Command, overlayStore, useCommands } from "./commands";
import { useKeys } from "./keys";
import { useLive } from "./live";
import { Modes } from "./Modes";
import { type Area, areas } from "./navigation";
import { Overlays } from "./Overlays";
import { ProfileMenu } from "./ProfileMenu";
import { noticesQuery } from "./waiting";
import classes from "./Shell.module.css";

const groups: readonly Area["group"][] = ["", "Mode 1", "Mode 2", "House"];

function useAreas(): readonly Area[] {
	const { me } = useActor();
	return useMemo(() => areas.filter((a) => a.rights.length === 0 || a.rights.some((r) => may(me, r))), [me]);
}

function useAreaCommands(mine: readonly Area[]): void {
	const router = useRouter();
	const commands = useMemo<readonly Command[]>(
		() =>
			mine.map((a) => ({
				id: `go ${a.to}`,
				label: a.label,
				group: "Go to",
				icon: a.icon,
				keys: ["g", a.key],
				run: () => void router.navigate({ to: a.to }),
			})),
		[mine, router],
	);
	useCommands(commands);
}

function Navigation({ mine }: { mine: readonly Area[] }) {
	return (
		<nav className={classes.nav} aria-label="Areas">
			{groups.map((group) => {
				const here = mine.filter((a) => a.group === group);
				if (here.length === 0)
					return null;
				return (
					<div key={group} className={classes.group}>
						{group !== "" && <h2 className={classes.groupName}>{group}</h2>}
						<ul>
							{here.map((a) => (
								<li key={a.to}>
									<Link to={a.to} className={classes.link} activeOptions={{ exact: a.to === "/" }}>
										<Icon name={a.icon} />
										{a.label}
									</Link>
								</li>
							))}
						</ul>
					</div>
				);
			})}
		</nav>
	);
}

function Bell() {
	const { data } = useQuery(noticesQuery);
	const open = data?.counts.open ?? 0;
	const unread = data?.counts.unread ?? 0;
	const label = open + unread === 0 ? "Notices: nothing waits for you" : `Notices: ${open} to do, ${unread} unread`;
	return (
		<Tooltip label={label}>
			<Link to="/" hash="waiting" className={classes.bell} aria-label={label}>
				<Icon name="bell" />
				{open + unread > 0 && <span className={classes.count}>{open > 0 ? open : unread}</span>}
			</Link>
		</Tooltip>
	);
}

export function Shell() {
	const mine = useAreas();
	const [open, setOpen] = useState(false);
	const path = useRouterState({ select: (s) => s.location.pathname });
	useKeys();
	useLive();
	useAreaCommands(mine);
	useEffect(() => setOpen(false), [path]);
	return (
		<div className={classes.shell} data-open={open || undefined}>
			<a href="#main" className={classes.skip}>
				Skip to the page
			</a>
			<header className={classes.top}>
				<ActionIcon
					className={classes.burger ?? ""}
					variant="subtle"
					color="gray"
					size="lg"
					aria-label="Areas"
					aria-expanded={open}
					aria-controls="areas"
					onClick={() => setOpen(!open)}
				>
					<Icon name={open ? "close" : "menu"} />
				</ActionIcon>
				<Link to="/" className={classes.brand}>
					<svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
						<path d="M2 25c5 0 5-18 10-18s5 18 10 18" fill="none" stroke="var(--mode-core)" strokeWidth="3.4" strokeLinecap="round" />
						<path d="M14 25c5 0 4-11 8-11s3 11 8 11" fill="none" stroke="var(--mode-sandbox)" strokeWidth="3.4" strokeLinecap="round" />
					</svg>
					Bimodal
				</Link>
				<button type="button" className={classes.search} onClick={() => overlayStore.set("palette")} aria-keyshortcuts="Control+K">
					<Icon name="search" size={16} />
					<span className={classes.searchText}>Search or jump to…</span>
					<kbd className={classes.kbd} aria-hidden="true">
						Ctrl K
					</kbd>
				</button>
				<div className={classes.right}>
					<Modes />
					<Bell />
					<ProfileMenu />
				</div>
			</header>
			<div className={classes.side} id="areas">
				<Navigation mine={mine} />
			</div>
			<main id="main" tabIndex={-1} className={classes.main}>
				<Outlet />
			</main>
			<Overlays />
		</div>
	);
}
