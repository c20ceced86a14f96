/* What a flag was: each revision with what it changed, and any two beside each other. */
import { Button, NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { PendingView } from "~/app/views";
import { Empty, Panel } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Flag, type Revision, revisionsQuery } from "./data";
import { differences } from "./differ";
import { Changed, Rows, Who } from "./parts";
import classes from "./flags.module.css";

const route = getRouteApi("/shell/flags/$key");

function Compare({ revisions }: { revisions: readonly Revision[] }) {
	const search = route.useSearch();
	const navigate = route.useNavigate();
	const names = revisions.map((r) => ({ value: String(r.revision), label: `Revision ${r.revision}` }));
	const newest = revisions[0];
	const to = revisions.find((r) => r.revision === search.to) ?? newest;
	const from = revisions.find((r) => r.revision === search.from);
	const turn = (change: { from?: number; to?: number }) => void navigate({ search: { ...search, ...change }, replace: true, resetScroll: false });
	return (
		<div className={classes.compare}>
			<div className={classes.bar}>
				<NativeSelect
					label="Compare"
					value={from === undefined ? "" : String(from.revision)}
					data={[{ value: "", label: "Choose a revision" }, ...names]}
					onChange={(e) => (e.currentTarget.value === "" ? void navigate({ search: {}, replace: true, resetScroll: false }) : turn({ from: Number(e.currentTarget.value) }))}
				/>
				<NativeSelect label="With" value={String(to?.revision ?? "")} data={names} onChange={(e) => turn({ to: Number(e.currentTarget.value) })} />
			</div>
			{from !== undefined && to !== undefined && <Changed all={differences(from, to)} />}
		</div>
	);
}

/** `back`: offer the way to this revision, with what that changes. */
export function History({ flag, back }: { flag: Flag; back: ((to: Revision) => void) | null }) {
	const list = useInfiniteQuery(revisionsQuery(flag.key));
	const navigate = route.useNavigate();
	const compare = (from: number) => void navigate({ search: (was) => ({ ...was, from, to: flag.revision }), replace: true, resetScroll: false });
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const revisions = list.data.pages.flatMap((p) => p.data);
	if (revisions.length === 0)
		return <Empty title="There are no revisions" />;
	return (
		<Panel title="What it was" flush>
			{revisions.length > 1 && <Compare revisions={revisions} />}
			<Rows label="The revisions" columns={["Revision", "When", "By", "What changed", "Why", ...(back === null ? [] : ["(Actions)"])]}>
				{revisions.map((r, i) => {
					const before = revisions[i + 1];
					return (
						<tr key={r.revision}>
							<th scope="row">
								{r.revision} {r.revision === flag.revision && <span className="dimmed">now</span>}
							</th>
							<td>
								<Time at={r.at} />
							</td>
							<td>
								<Who id={r.actor} />
							</td>
							<td className={classes.wide}>{before !== undefined ? <Changed all={differences(before, r)} /> : <span className="dimmed">{list.hasNextPage ? "see further back" : "the first one"}</span>}</td>
							<td className={classes.wide}>{r.comment}</td>
							{back !== null && (
								<td className={classes.acts}>
									{r.revision !== flag.revision && (
										<>
											<Button size="compact-sm" variant="default" aria-label={`Compare revision ${r.revision} with the present one`} onClick={() => compare(r.revision)}>
												Compare
											</Button>
											<Button size="compact-sm" variant="default" aria-label={`Roll back to revision ${r.revision}`} onClick={() => back(r)}>
												Roll back…
											</Button>
										</>
									)}
								</td>
							)}
						</tr>
					);
				})}
			</Rows>
			{list.hasNextPage && (
				<div className={classes.more}>
					<Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
						Further back
					</Button>
				</div>
			)}
		</Panel>
	);
}
