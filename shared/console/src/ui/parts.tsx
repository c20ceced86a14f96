/* Small parts that every page is made of, so that pages look alike without trying. */
import { type ReactNode, useEffect, useRef } from "react";
import { Button } from "@mantine/core";
import { asProblem } from "~/api/problem";
import { Icon } from "./Icon";
import { takeFocus } from "./focus";
import classes from "./ui.module.css";

/** A page: one heading (where the focus goes when it opens), what it is about, what can be done. */
export function Page({ title, about, actions, children }: { title: ReactNode; about?: ReactNode; actions?: ReactNode; children: ReactNode }) {
	const heading = useRef<HTMLHeadingElement>(null);
	useEffect(() => takeFocus(heading.current), []);
	return (
		<div className={classes.page}>
			<div className={classes.head}>
				<div>
					<h1 ref={heading} tabIndex={-1}>
						{title}
					</h1>
					{about !== undefined && <p className="dimmed">{about}</p>}
				</div>
				{actions !== undefined && <div className={classes.actions}>{actions}</div>}
			</div>
			{children}
		</div>
	);
}

/** A framed part of a page with its own heading. `flush`: no space around the children, for tables and lists. */
export function Panel({ title, aside, flush, children }: { title?: ReactNode; aside?: ReactNode; flush?: boolean; children: ReactNode }) {
	return (
		<section className={`${classes.panel} ${flush ? classes.flush : ""}`}>
			{title !== undefined && (
				<div className={classes.panelHead}>
					<h2>{title}</h2>
					{aside}
				</div>
			)}
			<div className={classes.panelBody}>{children}</div>
		</section>
	);
}

/** There is nothing: what would be here, and how it comes to be. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
	return (
		<div className={classes.empty}>
			<strong>{title}</strong>
			{children !== undefined && <p>{children}</p>}
			{action}
		</div>
	);
}

/** What went wrong, in the daemon's own words. */
export function ProblemNote({ problem: thrown, again }: { problem: unknown; again?: () => void }) {
	const problem = asProblem(thrown);
	return (
		<div className={`${classes.problem} ${problem.isUnreachable ? classes.quiet : ""}`} role="alert">
			<Icon name="alert" />
			<div className={classes.problemText}>
				<strong>{problem.title}</strong>
				{problem.detail !== "" && problem.detail !== problem.title && <p>{problem.detail}</p>}
				{problem.places.some((p) => p.detail !== problem.detail) && (
					<ul>
						{problem.places.map((p) => (
							<li key={`${p.pointer ?? p.name}`}>
								<code>{p.pointer ?? p.name}</code> {p.detail}
							</li>
						))}
					</ul>
				)}
				{problem.requestId !== null && problem.status >= 500 && <p className="dimmed small mono">request {problem.requestId}</p>}
				{again !== undefined && (
					<div>
						<Button size="compact-sm" variant="default" mt={6} onClick={again}>
							Try again
						</Button>
					</div>
				)}
			</div>
		</div>
	);
}

export type Tone = "good" | "warn" | "bad" | "plain";

function toneClass(tone: Tone): string {
	return tone === "plain" ? "" : (classes[tone] ?? "");
}

/** A light: never by colour alone, the text says it too. */
export function Light({ tone, children }: { tone: Tone; children: ReactNode }) {
	return <span className={`${classes.dot} ${toneClass(tone)}`}>{children}</span>;
}

/** The state of a record, as a small label. */
export function State({ tone = "plain", children }: { tone?: Tone; children: ReactNode }) {
	return <span className={`${classes.state} ${toneClass(tone)}`}>{children}</span>;
}

/** Names and values. */
export function Facts({ rows }: { rows: readonly (readonly [name: string, value: ReactNode])[] }) {
	return (
		<dl className={classes.facts}>
			{rows.flatMap(([name, value]) => [<dt key={`${name}?`}>{name}</dt>, <dd key={name}>{value}</dd>])}
		</dl>
	);
}
