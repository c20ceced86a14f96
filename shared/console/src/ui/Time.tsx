import { useEffect, useState } from "react";
import { sayExact, sayRelative } from "./time";

const TICK_MS = 30_000;

/** A moment, told from now; the exact time is its title. */
export function Time({ at }: { at: string }) {
	const [now, setNow] = useState(() => Date.now());
	useEffect(() => {
		const timer = setInterval(() => setNow(Date.now()), TICK_MS);
		return () => clearInterval(timer);
	}, []);
	const when = new Date(at);
	return (
		<time dateTime={at} title={sayExact(when)}>
			{sayRelative(when, Math.max(now, Math.min(when.getTime(), Date.now())))}
		</time>
	);
}
