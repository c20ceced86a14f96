/* Approve or reject a change, with a reason: what is approved are the bytes that were shown. Who wrote it, or decided before, is told why he may not. */
import { useState } from "react";
import { Button, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMay } from "~/app/actor";
import { Panel } from "~/ui/parts";
import { Trouble } from "~/ui/Trouble";
import { type Change, api, refresh } from "./data";
import classes from "./changes.module.css";

export function Decide({ change }: { change: Change }) {
	const may = useMay();
	const queries = useQueryClient();
	const [note, setNote] = useState("");
	const [sha256] = useState(change.sha256);
	const [unsaid, setUnsaid] = useState(false);
	const decide = useMutation({
		mutationFn: async (act: "approve" | "reject") =>
			act === "approve"
				? (await api.post("/v1/changes/{id}/approve", { path: { id: change.id }, body: { sha256, ...(note === "" ? {} : { note }) } })).data
				: (await api.post("/v1/changes/{id}/reject", { path: { id: change.id }, body: { note } })).data,
		onSuccess: () => setNote(""),
		onSettled: () => refresh(queries),
	});
	const mayApprove = may("change.approve") && change.state === "rehearsed";
	const mayReject = may("change.reject") && ["draft", "checked", "rehearsed", "approved", "failed"].includes(change.state);
	if (!mayApprove && !mayReject)
		return null;
	const reject = () => {
		setUnsaid(note.trim() === "");
		if (note.trim() !== "")
			decide.mutate("reject");
	};
	return (
		<Panel title="Decide">
			<form
				className={classes.form}
				onSubmit={(e) => {
					e.preventDefault();
					if (mayApprove)
						decide.mutate("approve");
					else
						reject();
				}}
			>
				{change.sha256 !== sha256 && (
					<p className={classes.warned} role="alert">
						The change was edited since you opened it. Load the page again and look at it before you decide.
					</p>
				)}
				{decide.error !== null && <Trouble problem={decide.error} />}
				<Textarea
					label="Reason"
					description="Its author reads it; needed to reject"
					rows={2}
					maxLength={2000}
					value={note}
					error={unsaid && note.trim() === "" ? "Say why it is rejected" : undefined}
					onChange={(e) => setNote(e.currentTarget.value)}
				/>
				<div className={classes.buttons}>
					{mayReject && (
						<Button variant="default" loading={decide.isPending && decide.variables === "reject"} onClick={reject}>
							Reject
						</Button>
					)}
					{mayApprove && (
						<Button type="submit" loading={decide.isPending && decide.variables === "approve"}>
							Approve
						</Button>
					)}
				</div>
			</form>
		</Panel>
	);
}

/** What an operator orders: to apply what was approved, or to take back what was applied. */
export function Orders({ change }: { change: Change }) {
	const may = useMay();
	const queries = useQueryClient();
	const order = useMutation({
		mutationFn: async (act: "apply" | "rollback" | "rehearse") => {
			const path = { id: change.id };
			if (act === "apply")
				return (await api.post("/v1/changes/{id}/apply", { path })).data;
			return (await (act === "rollback" ? api.post("/v1/changes/{id}/rollback", { path }) : api.post("/v1/changes/{id}/rehearse", { path }))).data;
		},
		onSettled: () => refresh(queries),
	});
	const [sure, setSure] = useState(false);
	const waits = change.intent !== null && (change.intent.state === "waiting" || change.intent.state === "running");
	const mayApply = may("change.apply") && change.state === "approved";
	const mayBack = may("change.rollback") && change.state === "applied" && change.kind === "schema";
	if (waits || (!mayApply && !mayBack))
		return null;
	const act = mayApply ? "apply" : "rollback";
	return (
		<Panel title={mayApply ? "Apply it" : "Roll it back"}>
			<div className={classes.form}>
				{order.error !== null && <Trouble problem={order.error} />}
				<p>{mayApply ? "It is run in core as it was rehearsed; the schema is another from then on." : "The way back that was rehearsed is run in core."}</p>
				<div className={classes.buttons}>
					{sure && (
						<Button variant="default" onClick={() => setSure(false)}>
							Cancel
						</Button>
					)}
					<Button
						{...(sure && act === "rollback" ? { color: "red.9" } : {})}
						variant={sure ? "filled" : "default"}
						loading={order.isPending}
						onClick={() => {
							if (sure)
								order.mutate(act);
							setSure(!sure);
						}}
					>
						{act === "apply" ? (sure ? "Yes, apply it" : "Apply…") : sure ? "Yes, roll it back" : "Roll back…"}
					</Button>
				</div>
			</div>
		</Panel>
	);
}
