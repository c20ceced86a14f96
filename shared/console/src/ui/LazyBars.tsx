/* The bar chart, fetched when one is shown; its place is kept until then. */
import { Suspense, lazy } from "react";
import type { Bar } from "./Bars";
import classes from "./ui.module.css";

const Bars = lazy(async () => ({ default: (await import("./Bars")).Bars }));

export function LazyBars(props: { bars: readonly Bar[]; summary: string }) {
	return (
		<Suspense fallback={<div className={classes.bars} aria-busy="true" />}>
			<Bars {...props} />
		</Suspense>
	);
}
