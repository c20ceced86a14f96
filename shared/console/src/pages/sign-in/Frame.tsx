/* The one narrow column of the pages before the sign-in. */
import type { ReactNode } from "react";
import classes from "./Frame.module.css";

export function Frame({ title, children, foot }: { title: string; children: ReactNode; foot: ReactNode }) {
	return (
		<main id="main" tabIndex={-1} className={classes.frame}>
			<div className={classes.card}>
				<div className={classes.brand} aria-hidden="true">
					<svg width="30" height="30" viewBox="0 0 32 32" focusable="false">
						<path d="M2 25c5 0 5-18 10-18s5 18 10 18" fill="none" stroke="var(--mode-core)" strokeWidth="3" strokeLinecap="round" />
						<path d="M14 25c5 0 4-11 8-11s3 11 8 11" fill="none" stroke="var(--mode-sandbox)" strokeWidth="3" strokeLinecap="round" />
					</svg>
					Bimodal
				</div>
				<h1 tabIndex={-1}>{title}</h1>
				{children}
				<p className={classes.foot}>{foot}</p>
			</div>
		</main>
	);
}
