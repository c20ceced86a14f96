/* The palette and the list of keys, loaded when they are first asked for. */
import { Suspense, lazy } from "react";
import { useStore } from "~/ui/store";
import { overlayStore } from "./commands";

const Palette = lazy(() => import("./Palette").then((m) => ({ default: m.Palette })));
const Keys = lazy(() => import("./KeysHelp").then((m) => ({ default: m.KeysHelp })));

export function Overlays() {
	const open = useStore(overlayStore);
	return (
		<Suspense fallback={null}>
			{open === "palette" && <Palette />}
			{open === "keys" && <Keys />}
		</Suspense>
	);
}
