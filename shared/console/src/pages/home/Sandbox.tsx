/* Mode 2: is the sandbox there, how old is its copy, which hypotheses run. When it is away, this panel says so, and nothing else changes. */
import { useQuery } from "@tanstack/react-query";
import { useMay } from "~/app/actor";
import { sandboxReadyQuery } from "~/app/modes";
import { sandbox } from "~/api/sandbox";
import type { HypothesisRow, Page, SandboxFeed } from "~/api/types";
import { Empty, Light, Panel, ProblemNote, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { sayDuration } from "~/ui/time";
import classes from "./Home.module.css";

const SHOWN = 6;
const EVERY_MS = 15_000;

function Hypotheses({ rows }: { rows: readonly HypothesisRow[] }) {
	const live = rows.filter((h) => h.deployed);
	if (live.length === 0)
		return <Empty title="No hypothesis runs">An innovation team starts one with a feature package: “bimodal feature init”.</Empty>;
	return (
		<>
			<h3 className={classes.sub}>Hypotheses</h3>
			<ul className={classes.rows}>
				{live.slice(0, SHOWN).map((h) => (
					<li key={h.slug}>
						<span className={classes.name} title={h.title}>
							{h.title}
						</span>
						<State tone={h.verdict === null ? "plain" : "good"}>{h.verdict ?? h.state}</State>
						<span className={classes.aside}>
							ends <Time at={h.expires_at} />
						</span>
					</li>
				))}
			</ul>
		</>
	);
}

export function Sandbox() {
	const may = useMay();
	const ready = useQuery(sandboxReadyQuery);
	const up = ready.isSuccess;
	const feed = useQuery({
		queryKey: ["sandbox", "feed"],
		queryFn: ({ signal }) => sandbox.get<SandboxFeed>("/v1/feed", { signal }),
		enabled: up && may("feed.read"),
		refetchInterval: EVERY_MS,
	});
	const features = useQuery({
		queryKey: ["sandbox", "features"],
		queryFn: ({ signal }) => sandbox.get<Page<HypothesisRow>>("/v1/features", { query: { limit: 100 }, signal }),
		enabled: up && may("feature.read"),
		refetchInterval: EVERY_MS,
	});
	const problem = ready.error ?? feed.error ?? features.error;
	const lag = feed.data?.lag_ms;
	return (
		<div className={`${classes.mode} ${classes.two}`}>
			<Panel
				title="Mode 2 · sandbox"
				aside={
					ready.isError ? (
						<Light tone="bad">away</Light>
					) : ready.data === undefined ? undefined : (
						<Light tone={ready.data.status === "ready" ? "good" : "warn"}>{ready.data.status}</Light>
					)
				}
				flush
			>
				{problem !== null && (
					<div className={classes.pad}>
						<ProblemNote problem={problem} again={() => void ready.refetch()} />
					</div>
				)}
				{up && (
					<dl className={classes.figures}>
						<div className={classes.figure}>
							<dt>Instance</dt>
							<dd>{ready.data.instance}</dd>
						</div>
						{may("feed.read") && (
							<div className={classes.figure}>
								<dt>Copy is behind by</dt>
								<dd>{feed.data?.resyncing === true ? "copying anew" : lag === null || lag === undefined ? "–" : sayDuration(lag)}</dd>
							</div>
						)}
						{may("feature.read") && (
							<div className={classes.figure}>
								<dt>Hypotheses</dt>
								<dd>{features.data?.data.filter((h) => h.deployed).length ?? "–"}</dd>
							</div>
						)}
					</dl>
				)}
				{up && features.data !== undefined && <Hypotheses rows={features.data.data} />}
			</Panel>
		</div>
	);
}
