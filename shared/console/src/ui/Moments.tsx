/* Text that core has written a moment into, such as that of a notice: the moment as people say it, here; the exact one is its title. */
import { Fragment } from "react";
import { cutMoments, sayClock, sayExact, sayRelative } from "./time";

export function Moments({ text }: { text: string }) {
	return (
		<>
			{cutMoments(text).map((part, i) =>
				typeof part === "string" ? (
					<Fragment key={i}>{part}</Fragment>
				) : (
					<time key={i} dateTime={part.toISOString()} title={sayExact(part)}>
						{sayClock(part)} ({sayRelative(part)})
					</time>
				),
			)}
		</>
	);
}
