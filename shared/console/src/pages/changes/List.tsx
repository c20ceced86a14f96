/* All changes of the schema, the newest first; which of them wait for a decision. */
import { NativeSelect } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { More, NotYours, Rows, Who } from "~/pages/people/parts";
import { Empty, Page } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { changesQuery } from "./data";
import { states } from "./index";
import { Standing, sayState } from "./parts";
import classes from "./changes.module.css";

const route = getRouteApi("/shell/changes");

function Shown() {
	const { state } = route.useSearch();
	const navigate = route.useNavigate();
	const list = useInfiniteQuery(changesQuery(state));
	if (list.isPending)
		return <PendingView />;
	if (list.isError)
		return <Trouble problem={list.error} again={() => void list.refetch()} />;
	const changes = list.data.pages.flatMap((p) => p.data);
	return (
		<div className={classes.stack}>
			<div className={classes.bar}>
				<NativeSelect
					label="State"
					value={state ?? ""}
					data={[{ value: "", label: "All" }, ...states.filter((s) => s !== "checked").map((s) => ({ value: s, label: sayState(s) }))]}
					onChange={(e) => {
						const chosen = states.find((s) => s === e.currentTarget.value);
						void navigate({ search: chosen === undefined ? {} : { state: chosen }, replace: true });
					}}
				/>
			</div>
			{changes.length === 0 ? (
				<Empty title={state === undefined ? "There are no changes yet" : "No change is in this state"}>A change of core’s schema is filed with the command line or the API, and is rehearsed before anybody decides.</Empty>
			) : (
				<div>
					<Rows label="The list of changes" columns={["Change", "State", "Filed", "By", "Owners", "Approvals"]} busy={list.isPlaceholderData}>
						{changes.map((c) => (
							<tr key={c.id}>
								<th scope="row" className={classes.what}>
									<Link to="/changes/$id" params={{ id: c.id }}>
										{c.number} · {c.title}
									</Link>
								</th>
								<td>
									<Standing state={c.state} />
								</td>
								<td>
									<Time at={c.created_at} />
								</td>
								<td>
									<Who id={c.author} />
								</td>
								<td>{[c.business_owner, c.technical_owner].filter((o) => o !== null).join(", ")}</td>
								<td>{c.approvals}</td>
							</tr>
						))}
					</Rows>
					<More list={list} />
				</div>
			)}
		</div>
	);
}

export function List() {
	if (!useMay()("change.read"))
		return <NotYours title="Changes" what="see the changes" />;
	return (
		<Page title="Changes" about="Of core’s schema: rehearsed first, decided by somebody else than the author, applied by an operator">
			<Shown />
		</Page>
	);
}
