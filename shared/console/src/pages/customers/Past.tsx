/* The record as it was at a moment, beside what it holds now. Nothing can be written here. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { PendingView } from "~/app/views";
import type { Resource } from "~/api/description";
import { type Row, pastQuery } from "~/api/records";
import { asProblem } from "~/api/problem";
import { Icon } from "~/ui/Icon";
import { Empty } from "~/ui/parts";
import { sayExact } from "~/ui/time";
import { singular } from "./names";
import { Profile } from "./Profile";
import { Trouble } from "~/ui/Trouble";
import { Value } from "./Value";
import classes from "./customers.module.css";

/** `row`: as it is now; null: it is deleted. */
export function Past({ resource, row, id, asOf }: { resource: Resource; row: Row | null; id?: string; asOf: string }) {
	const router = useRouter();
	const record = row?.id ?? id ?? "";
	const past = useQuery(pastQuery(resource.name, record, asOf));
	const exact = sayExact(new Date(asOf));
	const now = () => void router.navigate({ to: "/customers/$resource/$id", params: { resource: resource.name, id: record }, search: {} });
	return (
		<>
			<div className={classes.past} role="status">
				<Icon name="history" />
				<span>
					As it was on <strong>{exact}</strong>
					{past.data !== undefined && `, version ${past.data.version}`}
				</span>
				<Button size="compact-sm" variant="default" onClick={now}>
					Back to now
				</Button>
			</div>
			{past.isPending ? (
				<PendingView />
			) : past.isError ? (
				asProblem(past.error).status === 404 ? (
					<Empty title={`There was no such ${singular(resource.name)} then`}>It was made later, or had been deleted by then.</Empty>
				) : (
					<Trouble problem={past.error} again={() => void past.refetch()} />
				)
			) : (
				<Profile
					resource={resource}
					row={past.data}
					title={`Values on ${exact}`}
					beside={(f, then) =>
						row === null || JSON.stringify(row[f.name]) === JSON.stringify(then) ? null : (
							<span className={`${classes.now} small`}>
								now <Value field={f} value={row[f.name]} />
							</span>
						)
					}
				/>
			)}
		</>
	);
}
