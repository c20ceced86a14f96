/* One flag: what it does in words, what it gives, who answers for it, what it was; on, off and gone at once. */
import { useEffect, useMemo } from "react";
import { Button } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, getRouteApi, useRouter } from "@tanstack/react-router";
import { useMay } from "~/app/actor";
import { type Command, useCommands } from "~/app/commands";
import { titlePage } from "~/app/pages";
import { PendingView } from "~/app/views";
import { Facts, Page, Panel, State } from "~/ui/parts";
import { Time } from "~/ui/Time";
import { Trouble } from "~/ui/Trouble";
import { type Flag as Row, type Revision, flagQuery, revisionsQuery } from "./data";
import { type Doc, isMembers, readDoc } from "./document";
import { differences } from "./differ";
import { Explain } from "./Explain";
import { Drafted } from "./Drafted";
import { History } from "./History";
import { Changed, Expiry, NotYours, Rows, Standing, Tree, Who } from "./parts";
import { Plans } from "./Plans";
import { Requests } from "./Requests";
import { ActButtons, Published, saySandbox, useActs, useSwitching } from "./Switching";
import { Uses } from "./Uses";
import { sayUnits, sayValue, tellRule } from "./words";
import classes from "./flags.module.css";

const route = getRouteApi("/shell/flags/$key");

function Rules({ doc }: { doc: Doc }) {
	return (
		<>
			<ol className={classes.rules}>
				{doc.rules.map((rule, i) => {
					const told = tellRule(doc, rule);
					return (
						<li key={i} data-passed={!told.active || undefined}>
							<p>
								{told.sentence}
								{told.who.length === 0 ? "." : ":"} {told.name !== undefined && <State>{told.name}</State>} {!told.active && <State tone="warn">passed over</State>}
							</p>
							<Tree all={told.who} />
							<Tree all={told.notes} />
						</li>
					);
				})}
			</ol>
			<p className={classes.otherwise}>
				{doc.rules.length === 0 ? `All ${sayUnits(doc.unit)} get` : "Everybody else gets"} <strong>{doc.fallback}</strong>.
			</p>
		</>
	);
}

function kindOf(value: unknown): string {
	return isMembers(value as never) ? "object" : typeof value;
}

function Variations({ doc }: { doc: Doc }) {
	return (
		<Rows label="The variations" columns={["Variation", "Type", "Value"]}>
			{doc.variations.map((v) => (
				<tr key={v.key}>
					<th scope="row">
						{v.key} {v.key === doc.fallback && <State>default</State>}
					</th>
					<td>{kindOf(v.value)}</td>
					<td className={classes.value}>
						<code>{sayValue(v.value)}</code>
					</td>
				</tr>
			))}
		</Rows>
	);
}

function About({ flag, doc }: { flag: Row; doc: Doc }) {
	const { applied, sandbox } = flag;
	return (
		<Facts
			rows={[
				["Business owner", flag.business_owner],
				["Technical owner", flag.technical_owner],
				["Kind", flag.kind],
				["Divides", sayUnits(doc.unit)],
				["Ends", <Expiry key="ends" flag={flag} />],
				[
					"Made",
					<span key="made">
						<Time at={flag.created_at} /> by <Who id={flag.created_by} />
					</span>,
				],
				["Served in core by", `${applied.workers} of ${applied.of} workers${applied.missing.length > 0 ? `; not yet: ${applied.missing.join(", ")}` : ""}`],
				["Served in the sandbox by", saySandbox(sandbox)],
			]}
		/>
	);
}

function Shown({ flag }: { flag: Row }) {
	const may = useMay();
	const router = useRouter();
	const switching = useSwitching();
	const acts = useActs()(flag);
	const { published } = route.useSearch();
	const revisions = useInfiniteQuery(revisionsQuery(flag.key)).data?.pages[0]?.data ?? [];
	const before = revisions.find((r) => r.revision < flag.revision);
	const back = (to: Revision) =>
		switching.ask(flag, "rollback", {
			to: to.revision,
			told: (
				<>
					<p>Its rules become a new revision; {flag.enabled ? "the flag is on: it acts at once" : "the flag stays off"}. What that changes:</p>
					<Changed all={differences(flag, { enabled: flag.enabled, document: to.document })} />
				</>
			),
		});
	const doc = readDoc(flag.document);
	useEffect(() => titlePage(flag.key), [flag.key]);
	const mayRevise = may("flag.write") && flag.archived_at === null;
	const revise = () => void router.navigate({ to: "/flags/$key/revise", params: { key: flag.key } });
	const turn = acts.find((a) => a === "enable" || a === "disable");
	useCommands(
		useMemo<readonly Command[]>(
			() => [
				...(acts.includes("kill") ? [{ id: "flag kill", label: "Kill this flag", group: "This page", icon: "flag" as const, keys: ["x"], run: () => switching.ask(flag, "kill") }] : []),
				...(turn === undefined ? [] : [{ id: "flag turn", label: turn === "enable" ? "Turn this flag on" : "Turn this flag off", group: "This page", icon: "flag" as const, keys: ["t"], run: () => switching.ask(flag, turn) }]),
				...(mayRevise ? [{ id: "flag revise", label: "Edit the rules of this flag", group: "This page", icon: "change" as const, keys: ["e"], run: revise }] : []),
			],
			[flag, turn, acts.length, mayRevise, router],
		),
	);
	return (
		<Page
			title={flag.key}
			about={
				<>
					<Link to="/flags" search={{}}>
						Flags
					</Link>{" "}
					· revision {flag.revision} <Standing flag={flag} /> {flag.protected && <State tone="warn">protected</State>}
				</>
			}
			actions={
				<>
					{mayRevise && (
						<Button variant="default" onClick={revise}>
							Edit the rules
						</Button>
					)}
					<ActButtons flag={flag} acts={acts} ask={switching.ask} size="sm" />
				</>
			}
		>
			{switching.view}
			{published !== undefined && published === flag.revision && !switching.view && (
				<Published flag={flag} revision={published} undo={mayRevise && before !== undefined ? () => back(before) : null} close={() => void router.navigate({ to: "/flags/$key", params: { key: flag.key }, search: {}, replace: true, resetScroll: false })} />
			)}
			{flag.draft !== null && <Drafted flag={flag} draft={flag.draft} />}
			<Requests flag={flag} />
			<p className={classes.lead}>{flag.purpose}</p>
			<div className={classes.columns}>
				<Panel title="What it does">
					<Rules doc={doc} />
				</Panel>
				<Panel title="About it">
					<About flag={flag} doc={doc} />
				</Panel>
			</div>
			<div className={classes.columns}>
				<Panel title="What it gives" flush>
					<Variations doc={doc} />
				</Panel>
				<Panel title="Who gets what?">
					<Explain flag={flag} />
				</Panel>
			</div>
			<Plans flag={flag} />
			<Uses flag={flag} />
			<History flag={flag} back={mayRevise ? back : null} />
		</Page>
	);
}

export function Flag() {
	const { key } = route.useParams();
	const may = useMay();
	const mayRead = may("flag.read");
	const flag = useQuery({ ...flagQuery(key), enabled: mayRead });
	if (!mayRead)
		return <NotYours title="Flag" what="see the flags" />;
	if (flag.isPending)
		return <PendingView />;
	if (flag.isError)
		return (
			<Page title="Flag">
				<Trouble problem={flag.error} again={() => void flag.refetch()} />
			</Page>
		);
	return <Shown key={key} flag={flag.data} />;
}
