/* May somebody do something, and why? The question stands in the address, so that the answer can be handed on. */
import { useState } from "react";
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useActor, useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import type { CoreSchemas } from "~/api/client";
import { Empty, Facts, Page, Panel, State } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { api, sayRole } from "./data";
import { Rows, Tabs } from "./parts";
import classes from "./people.module.css";

const route = getRouteApi("/shell/people/access");
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];

type Explanation = CoreSchemas["schemas"]["Explanation"];

function Answer({ e }: { e: Explanation }) {
	const why = e.why.charAt(0).toUpperCase() + e.why.slice(1);
	return (
		<>
			<Panel title={e.allowed ? `Yes: ${e.principal.name} may` : `No: ${e.principal.name} may not`} aside={<State tone={e.allowed ? "good" : "bad"}>{e.allowed ? "allowed" : "refused"}</State>}>
				<Facts
					rows={[
						["Why", why],
						["Route", e.route === null ? "there is none like this" : <code key="r">{`${e.route.method} ${e.route.pattern}`}</code>],
						["Needs the right", e.route?.right == null ? "none" : <code key="n">{e.route.right}</code>],
						...(e.scope === null ? [] : ([["Which records", `reads ${e.scope.read}, writes ${e.scope.write}`]] as const)),
						["Fields", `reads ${e.classes.read.join(", ") || "none"}; writes ${e.classes.write.join(", ") || "none"}`],
						["Teams", e.principal.teams.join(", ") || "none"],
						["State", e.principal.disabled ? "disabled" : "active"],
						...(e.limit === null ? [] : ([["Quota", `${e.limit.left} of ${e.limit.quota} requests left in ${e.limit.window_s} s (${e.limit.policy})`]] as const)),
					]}
				/>
			</Panel>
			{e.roles.length > 0 && (
				<Rows label="Role by role" columns={["Role", "Gives it by"]}>
					{e.roles.map((r) => (
						<tr key={r.role}>
							<th scope="row">{sayRole(r.role)}</th>
							<td>{r.grants === null ? <span className="dimmed">does not give it</span> : <code>{r.grants}</code>}</td>
						</tr>
					))}
				</Rows>
			)}
		</>
	);
}

export function Access() {
	const { me } = useActor();
	const may = useMay();
	const others = may("access.explain");
	const search = route.useSearch();
	const navigate = route.useNavigate();
	const who = others ? (search.who ?? me.name) : me.name;
	const [name, setName] = useState(who);
	const [method, setMethod] = useState(search.method ?? "GET");
	const [path, setPath] = useState(search.path ?? "");
	const asked = search.path !== undefined;
	const question = { principal: who, method: search.method ?? "GET", path: search.path ?? "" };
	const answer = useQuery({
		queryKey: ["people", "access", question],
		queryFn: async ({ signal }) => (await api.get("/v1/access/explain", { query: question, signal })).data,
		enabled: asked,
	});
	return (
		<Page title="Access" about={others ? "May somebody do something, and why?" : "What may I do, and why?"}>
			<div className={classes.bar}>
				<Tabs />
			</div>
			<Panel>
				<form
					className={classes.bar}
					onSubmit={(e) => {
						e.preventDefault();
						void navigate({ search: { who: name, method, path: path.trim() } });
					}}
				>
					<TextInput className={classes.search ?? ""} label="Who" description="A login, or the name of a service" required disabled={!others} value={name} onChange={(e) => setName(e.currentTarget.value)} />
					<NativeSelect label="Does" value={method} data={METHODS} onChange={(e) => setMethod(e.currentTarget.value)} />
					<TextInput className={classes.search ?? ""} label="To" description="A path of the API" placeholder="/v1/people" required value={path} onChange={(e) => setPath(e.currentTarget.value)} />
					<Button type="submit">Explain</Button>
				</form>
			</Panel>
			{!asked ? (
				<Empty title="Ask about one request">Such as GET /v1/people, or POST /v1/changes. The answer names the right it needs and what each role gives.</Empty>
			) : answer.isPending ? (
				<PendingView />
			) : answer.isError ? (
				<Trouble problem={answer.error} again={() => void answer.refetch()} />
			) : (
				<Answer e={answer.data} />
			)}
		</Page>
	);
}
