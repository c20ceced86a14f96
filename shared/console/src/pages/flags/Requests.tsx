/* What is asked of a protected flag: somebody else than the author agrees to exactly that, or refuses with a reason. */
import { useState } from "react";
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useActor, useMay } from "~/app/actor";
import { Panel } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Flag, type Request, api, refresh, requestsQuery } from "./data";
import { differences } from "./differ";
import { Changed } from "./parts";
import classes from "./flags.module.css";

const wanted: Readonly<Record<Request["kind"], string>> = {
	revise: "New rules",
	publish: "To publish the draft",
	rollback: "To roll it back",
	enable: "To turn it on",
	unprotect: "That one person may change it again",
};

type Act = "approve" | "reject" | "withdraw";

function One({ flag, request: r }: { flag: Flag; request: Request }) {
	const { me } = useActor();
	const may = useMay();
	const queries = useQueryClient();
	const [said, setSaid] = useState("");
	const [unsaid, setUnsaid] = useState(false);
	const decide = useMutation({
		mutationFn: async (act: Act): Promise<unknown> => {
			const path = { id: r.id };
			if (act === "approve")
				return api.post("/v1/flag-requests/{id}/approve", { path, body: { sha256: r.sha256, ...(said === "" ? {} : { note: said }) } });
			return act === "reject" ? api.post("/v1/flag-requests/{id}/reject", { path, body: { reason: said } }) : api.post("/v1/flag-requests/{id}/withdraw", { path, body: said === "" ? {} : { comment: said } });
		},
		onSettled: () => refresh(queries),
	});
	const own = r.author === me.principal;
	const mayDecide = !own && may("flag.approve");
	const run = (act: Act) => {
		setUnsaid(act === "reject" && said.trim() === "");
		if (act !== "reject" || said.trim() !== "")
			decide.mutate(act);
	};
	return (
		<section className={classes.form} aria-label={wanted[r.kind]}>
			<p>
				<strong>{wanted[r.kind]}</strong>{" "}
				<span className="dimmed">
					asked for by {r.author_name ?? "somebody"} <Time at={r.filed_at} />
					{r.comment !== "" && `: ${r.comment}`}
				</span>
			</p>
			{r.document !== null && <Changed all={differences(flag, { enabled: flag.enabled, document: r.document })} />}
			{r.current !== r.base && <p className={classes.warned}>It starts from revision {r.base}, and the flag is at {r.current}: it is void, and is to be asked for again.</p>}
			{decide.error !== null && <Trouble problem={decide.error} />}
			{(own || mayDecide) && (
				<>
					<TextInput label="Reason" autoComplete="off" maxLength={2000} value={said} error={unsaid && said.trim() === "" ? "Say why it is rejected" : undefined} onChange={(e) => setSaid(e.currentTarget.value)} />
					<div className={classes.buttons}>
						{own ? (
							<Button variant="default" loading={decide.isPending} onClick={() => run("withdraw")}>
								Take it back
							</Button>
						) : (
							<>
								<Button variant="default" loading={decide.isPending && decide.variables === "reject"} onClick={() => run("reject")}>
									Reject
								</Button>
								<Button loading={decide.isPending && decide.variables === "approve"} onClick={() => run("approve")}>
									Approve
								</Button>
							</>
						)}
					</div>
				</>
			)}
		</section>
	);
}

export function Requests({ flag }: { flag: Flag }) {
	const requests = useQuery(requestsQuery(flag.key));
	const all = requests.data ?? [];
	if (all.length === 0)
		return null;
	return (
		<Panel title="Waits for a second person">
			<div className={classes.form}>
				{all.map((r) => (
					<One key={r.id} flag={flag} request={r} />
				))}
			</div>
		</Panel>
	);
}
