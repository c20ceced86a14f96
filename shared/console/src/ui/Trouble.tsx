/* What went wrong, first in plain words and with what to do, then in core's own. */
import { useEffect, useState } from "react";
import { Problem, asProblem } from "~/api/problem";
import { ProblemNote } from "./parts";

const plain: Readonly<Record<number, readonly [title: string, advice: string]>> = {
	0: ["Core cannot be reached", "What you entered is still here. Try again in a moment."],
	403: ["Your roles do not allow this", "Somebody with the right to it can do it, or an operator can give you a role."],
	404: ["It is not there", "It never was, has been deleted, or is not among the records that you may see."],
	409: ["This does not fit what is there now", "Nothing was written."],
	410: ["This is gone for good", "It was erased at the person's wish and cannot come back."],
	412: ["Somebody else was faster", "The record has changed since you opened it. Nothing was written; look at it again."],
	428: ["The console lost track of the version", "Load the page again, then repeat it. Nothing was written."],
	422: ["Some of this is not right yet", "Nothing was written."],
	429: ["Too many requests", "You or your programs have asked for more than your quota."],
	500: ["Something went wrong inside core", "If it stays so, tell an operator the number of the request."],
	503: ["Core cannot answer just now", "What you entered is still here. Try again in a moment."],
	504: ["Core took too long", "Try again in a moment, or ask for less."],
};

function worded(problem: Problem): Problem {
	const [title, advice] = problem.code === "bad-cursor" ? ["This page of the list is no longer valid", "Begin again at its first page."] : (plain[problem.status] ?? []);
	if (title === undefined)
		return problem;
	const own = problem.detail === "" || problem.status === 0 ? "" : ` Core says: ${problem.detail}.`.replace(/([.?!])\.$/, "$1");
	/* A place that says no more than the whole is left out. */
	const places = problem.places.filter((p) => p.detail !== problem.detail);
	return new Problem(problem.status, problem.code, title, `${advice}${own}`, places, problem.requestId, problem.retryable, problem.members, problem.retryAfter);
}

/** Seconds until one may try again, counted down; 0: now. */
function useWait(problem: Problem): number {
	const [left, setLeft] = useState(problem.retryAfter ?? 0);
	useEffect(() => {
		const end = Date.now() + (problem.retryAfter ?? 0) * 1000;
		const tell = () => setLeft(Math.max(0, Math.ceil((end - Date.now()) / 1000)));
		tell();
		const timer = setInterval(tell, 500);
		return () => clearInterval(timer);
	}, [problem]);
	return left;
}

export function Trouble({ problem: thrown, again }: { problem: unknown; again?: () => void }) {
	const problem = asProblem(thrown);
	const wait = useWait(problem);
	return (
		<div>
			<ProblemNote problem={worded(problem)} {...(again === undefined || wait > 0 ? {} : { again })} />
			{wait > 0 && <p className="dimmed small">You can try again in {wait} s.</p>}
		</div>
	);
}
