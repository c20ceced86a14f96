/*
 * After a change of page the focus goes to its heading, so that a screen reader says where one is. The heading may come later than the
 * page; once the person has done something else, it comes too late and leaves the focus where it is.
 */
let awaited = false;

/** The page has changed. */
export function focusHeading(): void {
	const heading = document.querySelector<HTMLElement>("main h1");
	awaited = heading === null;
	heading?.focus({ preventScroll: true });
}

/** A heading has come. */
export function takeFocus(heading: HTMLElement | null): void {
	if (awaited)
		heading?.focus({ preventScroll: true });
	awaited = false;
}

for (const name of ["keydown", "pointerdown"])
	window.addEventListener(name, () => (awaited = false), { capture: true });
