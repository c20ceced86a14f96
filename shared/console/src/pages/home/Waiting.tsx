/* What is to be done, then what is new; each leads to its record. */
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { noticesQuery } from "~/app/waiting";
import { core } from "~/api/core";
import type { Notice } from "~/api/types";
import { Icon } from "~/ui/Icon";
import { Moments } from "~/ui/Moments";
import { Empty, Panel, ProblemNote } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { sayMoments } from "~/ui/time";
import classes from "./Home.module.css";

function useRead() {
	const queries = useQueryClient();
	return useMutation({
		mutationFn: (id: string | null) => core.post(id === null ? "/v1/notices/read-all" : `/v1/notices/${id}/read`),
		onSettled: () => queries.invalidateQueries({ queryKey: noticesQuery.queryKey }),
	});
}

function Entry({ notice, onRead }: { notice: Notice; onRead: () => void }) {
	return (
		<li className={notice.task ? classes.task : undefined}>
			<Icon name={notice.task ? "check" : "bell"} />
			<div className={classes.noticeText}>
				<Link to={notice.link} onClick={onRead}>
					<Moments text={notice.title} />
				</Link>
				{notice.body !== "" && (
					<div className="dimmed">
						<Moments text={notice.body} />
					</div>
				)}
				<div className="dimmed small">
					{notice.task ? "to do · " : ""}
					<Time at={notice.at} />
				</div>
			</div>
			{!notice.task && (
				<Button size="compact-sm" variant="subtle" color="gray" onClick={onRead} aria-label={`Mark as read: ${sayMoments(notice.title)}`}>
					Mark as read
				</Button>
			)}
		</li>
	);
}

export function Waiting() {
	const notices = useQuery(noticesQuery);
	const read = useRead();
	const all = [...(notices.data?.tasks ?? []), ...(notices.data?.news ?? [])];
	const aside =
		(notices.data?.news.length ?? 0) > 1 ? (
			<Button size="compact-sm" variant="subtle" loading={read.isPending && read.variables === null} onClick={() => read.mutate(null)}>
				Mark all as read
			</Button>
		) : undefined;
	return (
		<div id="waiting">
			<Panel title="Waits for you" aside={aside} flush>
				{notices.error !== null && (
					<div className={classes.pad}>
						<ProblemNote problem={notices.error} again={() => void notices.refetch()} />
					</div>
				)}
				{notices.isSuccess && all.length === 0 && <Empty title="Nothing waits for you">Changes to approve, flags that expire and what happened to your own work appear here.</Empty>}
				{all.length > 0 && (
					<ul className={classes.waiting}>
						{all.map((n) => (
							<Entry key={n.id} notice={n} onRead={() => n.read_at === null && read.mutate(n.id)} />
						))}
					</ul>
				)}
				{notices.data?.more === true && <p className={`${classes.pad} dimmed small`}>The fifty newest of each are shown.</p>}
				<p className={`${classes.pad} small`}>
					<Link to="/notices">All notices</Link>
				</p>
			</Panel>
		</div>
	);
}
