/* What waits for me, what happened to mine, what is done: the newest first, each with the way to its record. */
import { Button } from "@mantine/core";
import { infiniteQueryOptions, useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { PendingView } from "~/app/views";
import { type CoreSchemas, coreClient } from "~/api/client";
import { core } from "~/api/core";
import { Icon } from "~/ui/Icon";
import { Moments } from "~/ui/Moments";
import { Empty, Page, Panel, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { sayMoments } from "~/ui/time";
import { Trouble } from "~/ui/Trouble";
import { type Show, shows } from "./index";
import classes from "./notices.module.css";

type Notice = CoreSchemas["schemas"]["Notice"];

const route = getRouteApi("/shell/notices");
const api = coreClient(core);
const ROWS = 50;

const kinds: Readonly<Record<Show, { readonly label: string; readonly state: "open" | "all"; readonly fits: (n: Notice) => boolean; readonly none: string; readonly how: string }>> = {
	waiting: { label: "Waits for me", state: "open", fits: () => true, none: "Nothing waits for you", how: "Changes to approve and the like appear here until they are done, by you or by somebody else." },
	mine: { label: "Happened to mine", state: "all", fits: (n) => !n.task, none: "Nothing happened to yours", how: "What others do to your flags, changes and tokens appears here." },
	done: { label: "Done", state: "all", fits: (n) => n.done_at !== null, none: "Nothing is done yet", how: "What waited for you and is done stays here for a while." },
};

/* The key begins as live hints say it. */
const inboxQuery = (state: "open" | "all") =>
	infiniteQueryOptions({
		queryKey: ["notices", "inbox", state],
		queryFn: async ({ signal, pageParam }) => (await api.get("/v1/notices", { query: { state, limit: ROWS, ...(pageParam === null ? {} : { after: pageParam }) }, signal })).data,
		initialPageParam: null as string | null,
		getNextPageParam: (last) => last.page.next,
	});

function useRead() {
	const queries = useQueryClient();
	return useMutation({
		mutationFn: async (id: string | null) => {
			if (id === null)
				await api.post("/v1/notices/read-all");
			else
				await api.post("/v1/notices/{id}/read", { path: { id } });
		},
		onSettled: () => queries.invalidateQueries({ queryKey: ["notices"] }),
	});
}

function Entry({ notice: n, read }: { notice: Notice; read: () => void }) {
	const unread = n.read_at === null;
	return (
		<li data-unread={unread || undefined}>
			<Icon name={n.task ? "check" : "bell"} />
			<div className={classes.text}>
				<Link to={n.link} onClick={() => unread && read()}>
					<Moments text={n.title} />
				</Link>{" "}
				{unread && <State tone="warn">unread</State>}
				{n.body !== "" && (
					<div className="dimmed">
						<Moments text={n.body} />
					</div>
				)}
				<div className="dimmed small">
					<Time at={n.at} />
					{n.done_at !== null && (
						<>
							{" "}
							· done <Time at={n.done_at} />
						</>
					)}
				</div>
			</div>
			{unread && (
				<Button size="compact-sm" variant="subtle" color="gray" aria-label={`Mark as read: ${sayMoments(n.title)}`} onClick={read}>
					Mark as read
				</Button>
			)}
		</li>
	);
}

function List({ show }: { show: Show }) {
	const kind = kinds[show];
	const list = useInfiniteQuery(inboxQuery(kind.state));
	const read = useRead();
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const all = list.data.pages.flatMap((p) => p.data);
	const fit = all.filter(kind.fits);
	const counts = list.data.pages[0]?.counts;
	return (
		<>
			{read.error !== null && <Trouble problem={read.error} />}
			<Panel
				title={kind.label}
				flush
				aside={
					(counts?.unread ?? 0) > 0 && (
						<Button size="compact-sm" variant="subtle" loading={read.isPending && read.variables === null} onClick={() => read.mutate(null)}>
							Mark all {counts?.unread} as read
						</Button>
					)
				}
			>
				{fit.length === 0 ? (
					<Empty title={list.hasNextPage ? `None among the newest ${all.length}` : kind.none}>{list.hasNextPage ? "Look further back below." : kind.how}</Empty>
				) : (
					<ul className={classes.entries}>
						{fit.map((n) => (
							<Entry key={n.id} notice={n} read={() => read.mutate(n.id)} />
						))}
					</ul>
				)}
			</Panel>
			{list.hasNextPage && (
				<div className={classes.more}>
					<Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
						Look further back
					</Button>
				</div>
			)}
		</>
	);
}

export function Inbox() {
	const { show = "waiting" } = route.useSearch();
	return (
		<Page title="Notices" about="What waits for you, and what happened to yours" actions={<Link to="/notices/settings">How I am told…</Link>}>
			<nav className={classes.tabs} aria-label="Which notices">
				{shows.map((s) => (
					<Link key={s} to="/notices" search={s === "waiting" ? {} : { show: s }} activeOptions={{ exact: true, includeSearch: true }} aria-current={s === show ? "page" : undefined}>
						{kinds[s].label}
					</Link>
				))}
			</nav>
			<List key={show} show={show} />
		</Page>
	);
}
