/* What is shown in a page's place: it loads, it failed, it is not there. */
import { Loader } from "@mantine/core";
import { Link, type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { Empty, Page, ProblemNote } from "~/ui/parts";
import classes from "./views.module.css";

export function PendingView() {
	return (
		<div className={classes.pending} role="status">
			<Loader size="sm" type="dots" />
			<span className="unseen">Loading</span>
		</div>
	);
}

export function ErrorView({ error, reset }: ErrorComponentProps) {
	const router = useRouter();
	return (
		<Page title="This page could not be shown">
			<ProblemNote
				problem={error}
				again={() => {
					reset();
					void router.invalidate();
				}}
			/>
		</Page>
	);
}

export function NotFoundView() {
	return (
		<Page title="Nothing here">
			<Empty title="There is no page at this address" action={<Link to="/">Go to Home</Link>}>
				It may have been removed, or the address is not whole.
			</Empty>
		</Page>
	);
}
