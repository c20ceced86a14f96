/*
 * The areas of the console in their order: what the navigation, the palette and the keys "g" + letter offer. An area is shown to those
 * who have one of its rights. A new page adds its line here and its routes in router.tsx.
 */
import type { IconName } from "~/ui/Icon";

export interface Area {
	readonly label: string;
	readonly to: string;
	readonly icon: IconName;
	/** Pressed after "g". */
	readonly key: string;
	/** One of these; none: everybody. */
	readonly rights: readonly string[];
	/** Heading it stands under. */
	readonly group: "" | "Mode 1" | "Mode 2" | "House";
}

export const areas: readonly Area[] = [
	{ label: "Home", to: "/", icon: "home", key: "h", rights: [], group: "" },
	{ label: "Customers", to: "/customers", icon: "account", key: "c", rights: ["people.read", "organizations.read"], group: "Mode 1" },
	{ label: "Flags", to: "/flags", icon: "flag", key: "f", rights: ["flag.read"], group: "Mode 1" },
	{ label: "Changes", to: "/changes", icon: "change", key: "s", rights: ["change.approve", "change.apply", "change.reject"], group: "Mode 1" },
	{ label: "People", to: "/people", icon: "people", key: "p", rights: ["user.read", "team.read"], group: "House" },
];
