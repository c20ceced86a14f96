/*
 * After a change of page the focus goes to its heading, so that a screen reader says where one is. The heading may come later than the
 * page; once the person has done something else, it comes too late and leaves the focus where it is.
 */
let awaited = false;

export function awaitHeading(): void {
	awaited = true;
}

export function takeFocus(heading: HTMLElement | null): void {
	if (awaited)
		heading?.focus({ preventScroll: true });
}

for (const name of ["keydown", "pointerdown"])
	window.addEventListener(name, () => (awaited = false), { capture: true });
