/* A leaver: first what he owns and what would end, then one order that moves it all to his successor and ends his access. */
import { useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, getRouteApi } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { asProblem } from "~/api/problem";
import { Empty, Facts, Page, Panel } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type HandOver as Answer, type User, api, nameOf, refresh, userQuery } from "./data";
import { Ask, NotYours, PickUser, Who } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/$id/hand-over");

function words(name: string): string {
	const text = name.replaceAll("_", " ");
	return text.charAt(0).toUpperCase() + text.slice(1);
}

function Counts({ counts, none }: { counts: Readonly<Record<string, number>>; none: string }) {
	const rows = Object.entries(counts).filter(([, n]) => n > 0);
	if (rows.length === 0)
		return <p className="dimmed">{none}</p>;
	return <Facts rows={rows.map(([name, n]) => [words(name), n.toLocaleString("en")] as const)} />;
}

function Told({ answer }: { answer: Answer }) {
	const past = !answer.dry_run;
	return (
		<>
			<div className={classes.columns}>
				<Panel title={past ? "Was moved to the successor" : "Moves to the successor"}>
					<Counts counts={{ ...answer.owned, "teams led": answer.leads }} none="He owns nothing." />
				</Panel>
				<Panel title={past ? "Has ended" : "Ends at once"}>
					<Counts counts={answer.ended} none="Nothing of his is open." />
				</Panel>
			</div>
			{answer.tokens_seen > 0 && (
				<p>
					He has seen <strong>{answer.tokens_seen}</strong> {answer.tokens_seen === 1 ? "token" : "tokens"} of services that go on: rotate them.
				</p>
			)}
		</>
	);
}

function Twice({ answer }: { answer: Answer }) {
	return (
		<Panel title="This successor does not fit yet">
			<p>Business and technical owner of these would become one person. Give one side to somebody else first, or choose another successor.</p>
			<ul>
				{answer.one_person_twice.map((r) => (
					<li key={`${r.resource} ${r.record}`}>
						{words(r.resource)} <code>{r.record}</code>
					</li>
				))}
			</ul>
		</Panel>
	);
}

function Order({ leaver }: { leaver: User }) {
	const queries = useQueryClient();
	const [successor, setSuccessor] = useState("");
	const [reason, setReason] = useState("");
	const [asking, setAsking] = useState(false);
	const order = (dry: boolean) => async () =>
		(await api.post("/v1/users/{id}/hand-over", { path: { id: leaver.id }, query: { dry_run: dry }, body: { successor, reason: dry ? "preview" : reason } })).data;
	const look = useQuery({ queryKey: ["people", "hand-over", leaver.id, successor], queryFn: order(true), enabled: successor !== "", staleTime: 0 });
	const move = useMutation({
		mutationFn: order(false),
		onSuccess: async () => {
			setAsking(false);
			queries.removeQueries({ queryKey: ["people", "hand-over"] });
			await refresh(queries);
		},
	});
	if (move.data !== undefined)
		return (
			<>
				<p className={classes.said} role="status">
					{nameOf(leaver)} has no access any more. What he owned belongs to <Who id={move.data.successor} />.
				</p>
				<Told answer={move.data} />
			</>
		);
	const problem = move.error === null ? null : asProblem(move.error);
	const fits = look.data !== undefined && look.data.one_person_twice.length === 0;
	return (
		<>
			<Panel>
				<form
					className={`${classes.form} ${classes.narrow}`}
					noValidate
					onSubmit={(e) => {
						e.preventDefault();
						setAsking(true);
					}}
				>
					<PickUser label="Successor" kind="user" value={successor} without={[leaver.id]} error={problem?.at("/successor")} onChange={setSuccessor} />
					<TextInput label="Reason" description="It is kept with the record of the hand-over." required value={reason} error={problem?.at("/reason")} onChange={(e) => setReason(e.currentTarget.value)} />
					<div className={classes.buttons}>
						<Button type="submit" color="red.9" disabled={!fits || reason.trim() === ""}>
							Hand over…
						</Button>
					</div>
				</form>
			</Panel>
			{asking && (
				<Ask title={`Hand over everything of ${nameOf(leaver)}?`} act="Hand over and end access" danger pending={move.isPending} problem={move.error} onAct={() => move.mutate()} close={() => setAsking(false)}>
					He is signed out everywhere, his tokens end in both modes, and what he owned moves. This cannot be undone in one step.
				</Ask>
			)}
			{successor === "" ? (
				<Empty title="What would happen?">Choose a successor: what moves and what ends is shown here before anything is done.</Empty>
			) : look.isError ? (
				<Trouble problem={look.error} again={() => void look.refetch()} />
			) : look.data === undefined ? (
				<PendingView />
			) : (
				<>
					{!fits && <Twice answer={look.data} />}
					<Told answer={look.data} />
				</>
			)}
		</>
	);
}

export function HandOver() {
	const { id } = route.useParams();
	const may = useMay();
	const allowed = may("user.hand_over");
	const user = useQuery({ ...userQuery(id), enabled: allowed });
	if (!allowed)
		return <NotYours title="Hand-over" what="hand over what somebody owned" />;
	if (user.isPending)
		return <PendingView />;
	return (
		<Page
			title={user.isSuccess ? `Hand over from ${nameOf(user.data.user)}` : "Hand-over"}
			about={
				<Link to="/people/$id" params={{ id }}>
					Back to the person
				</Link>
			}
		>
			{user.isError ? <Trouble problem={user.error} again={() => void user.refetch()} /> : <Order leaver={user.data.user} />}
		</Page>
	);
}
