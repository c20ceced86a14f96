/* The whole of a customer on one call: profile, consents, what is open, the last interactions; each value with its source and time. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { PendingView } from "~/app/views";
import { type Resource, describeQuery } from "~/api/description";
import { type Json, type Part, type Row, type SetBy, wholeQuery } from "~/api/records";
import { Empty, Panel, State, type Tone } from "~/ui/parts";
import { plural, singular, titleOf } from "./names";
import { Profile } from "./Profile";
import { Trouble } from "~/ui/Trouble";
import { Source, Value } from "./Value";
import classes from "./customers.module.css";

const whole: Readonly<Record<string, string>> = { people: "person_id", organizations: "organization_id" };

interface Shown {
	readonly part: "consents" | "people" | "opportunities" | "cases" | "interactions";
	readonly title: string;
	readonly none: string;
	/** Field told as a small label, and those beside the name. */
	readonly state: string | null;
	readonly aside: readonly string[];
	/** Filters beside the customer's own of the whole list. */
	readonly filter: Readonly<Record<string, string>>;
}

const parts: readonly Shown[] = [
	{ part: "consents", title: "Consents", none: "No consent was asked for yet", state: "state", aside: ["at", "source"], filter: {} },
	{ part: "people", title: "People", none: "Nobody of this organization is known", state: "stage", aside: ["email"], filter: {} },
	{ part: "opportunities", title: "Open opportunities", none: "Nothing is being sold to them", state: "stage", aside: ["amount", "currency"], filter: { stage: "in.(prospecting,engaging)" } },
	{ part: "cases", title: "Open cases", none: "No case is open", state: "status", aside: ["priority", "opened_at"], filter: { status: "in.(open,pending)" } },
	{ part: "interactions", title: "Last interactions", none: "There has been no contact yet", state: "kind", aside: ["direction", "channel", "at"], filter: {} },
];

const tones: Readonly<Record<string, Tone>> = { granted: "good", withdrawn: "bad", open: "warn", pending: "warn" };

function setBy(value: Json | undefined): SetBy | null {
	return value !== null && typeof value === "object" && "at" in value ? (value as unknown as SetBy) : null;
}

function Line({ resource, row, shown }: { resource: Resource; row: Row; shown: Shown }) {
	const source = setBy(row._set);
	const state = shown.state === null ? undefined : row[shown.state];
	return (
		<li>
			<span className={classes.lineText}>
				<Link to="/customers/$resource/$id" params={{ resource: resource.name, id: row.id }} search={{}}>
					{titleOf(resource, row).text}
				</Link>
				<span className={`${classes.aside} dimmed small`}>
					{shown.aside.map((name) => {
						const field = resource.field(name);
						return field === undefined || row[name] === null || row[name] === undefined ? null : (
							<span key={name}>
								<Value field={field} value={row[name]} />
							</span>
						);
					})}
				</span>
				{source !== null && (
					<span className="dimmed small">
						written <Source {...source} />
					</span>
				)}
			</span>
			{typeof state === "string" && <State tone={tones[state] ?? "plain"}>{state}</State>}
		</li>
	);
}

function Lines({ shown, part, reference, id, resource }: { shown: Shown; part: Part; reference: string; id: string; resource: Resource }) {
	const may = useMay();
	const search = { [reference]: id };
	return (
		<Panel
			flush
			title={shown.title}
			aside={
				may(`${shown.part}.write`) && (
					<Link className="small" to="/customers/$resource/new" params={{ resource: shown.part }} search={search} aria-label={`Add: ${singular(shown.part)}`}>
						Add
					</Link>
				)
			}
		>
			{part.data.length === 0 ? (
				<Empty title={shown.none} />
			) : (
				<ul className={classes.lines}>
					{part.data.map((row) => (
						<Line key={row.id} resource={resource} row={row} shown={shown} />
					))}
				</ul>
			)}
			{part.more && (
				<p className={classes.foot}>
					<Link to="/customers/$resource" params={{ resource: shown.part }} search={{ [reference]: `eq.${id}`, ...shown.filter }}>
						All {plural(shown.part).toLowerCase()}
					</Link>
				</p>
			)}
		</Panel>
	);
}

function WholeOf({ resource, id, reference }: { resource: Resource; id: string; reference: string }) {
	const all = useQuery(describeQuery);
	const answer = useQuery(wholeQuery(resource.name, id));
	if (answer.isPending)
		return <PendingView />;
	if (answer.isError)
		return <Trouble problem={answer.error} again={() => void answer.refetch()} />;
	const { profile, values } = answer.data;
	return (
		<div className={classes.whole}>
			<Profile
				resource={resource}
				row={profile}
				beside={(f) => {
					const source = values[f.name];
					return source === undefined ? null : <Source {...source} />;
				}}
			/>
			<div className={classes.parts}>
				{parts.map((shown) => {
					const part = answer.data[shown.part];
					const described = all.data?.get(shown.part);
					return part === undefined || described === undefined ? null : (
						<Lines key={shown.part} shown={shown} part={part} reference={reference} id={id} resource={described} />
					);
				})}
			</div>
		</div>
	);
}

export function Overview({ resource, row }: { resource: Resource; row: Row }) {
	const reference = whole[resource.name];
	return reference === undefined ? <Profile resource={resource} row={row} title="Values" /> : <WholeOf resource={resource} id={row.id} reference={reference} />;
}
