/* Any one record of core, read-only: its members as names and values. The path here is that of the API behind /v1. */
import { useQuery } from "@tanstack/react-query";
import { useMatch } from "@tanstack/react-router";
import { core } from "~/api/core";
import { recordTitle } from "~/app/links";
import { PendingView } from "~/app/views";
import { Facts, Page, Panel, ProblemNote } from "~/ui/parts";
import { Time } from "~/ui/Time";
import classes from "./Record.module.css";

type Value = string | number | boolean | null | readonly Value[] | { readonly [name: string]: Value };

const MOMENT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/;

function Told({ value }: { value: Value }) {
	if (value === null || value === "")
		return <span className="dimmed">none</span>;
	if (typeof value === "boolean")
		return value ? "yes" : "no";
	if (typeof value === "string")
		return MOMENT.test(value) ? <Time at={value} /> : value;
	if (typeof value === "number")
		return value;
	return (
		<pre className={classes.json} tabIndex={0}>
			{JSON.stringify(value, null, "  ")}
		</pre>
	);
}

export function Record() {
	/* Its own match: while another page is on its way, the router's place is that one's already. */
	const path = useMatch({ strict: false, select: (m) => m.pathname });
	const kind = useMatch({ strict: false, select: (m) => m.staticData.title }) ?? "Record";
	const record = useQuery({ queryKey: ["record page", path], queryFn: ({ signal }) => core.get<{ readonly [name: string]: Value }>(`/v1${path}`, { signal }) });
	if (record.isPending)
		return <PendingView />;
	if (record.isError)
		return (
			<Page title={kind}>
				<ProblemNote problem={record.error} again={() => void record.refetch()} />
			</Page>
		);
	const title = recordTitle(record.data);
	return (
		<Page title={title === "without a name" ? kind : title} about={kind}>
			<Panel>
				<Facts rows={Object.entries(record.data).map(([name, value]) => [name.replaceAll("_", " "), <Told key={name} value={value} />] as const)} />
			</Panel>
		</Page>
	);
}
