/* The console's own icons: strokes on a 20 × 20 grid. They always stand beside a text or inside a control that has a name. */

const paths = {
	account: "M10 10.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M3.5 17c.6-3 3.2-4.5 6.5-4.5s5.9 1.5 6.5 4.5",
	alert: "M10 3 2.5 16.5h15zM10 8v4M10 14.2v.1",
	arrow: "M4 10h12M11 5l5 5-5 5",
	auto: "M10 3a7 7 0 1 0 0 14zM10 3a7 7 0 0 1 0 14",
	back: "M16 10H4M9 5l-5 5 5 5",
	bell: "M5 13.5V9a5 5 0 0 1 10 0v4.5l1.5 1.5h-13zM8.5 17.5h3",
	building: "M4 17V3.5h7V17M11 8h5v9M2.5 17h15M6.5 7h2M6.5 10h2M6.5 13h2M13.5 11v.1M13.5 14v.1",
	change: "M4 6h9M10 3l3 3-3 3M16 14H7M10 11l-3 3 3 3",
	check: "M4 10.5 8 14.5 16 5.5",
	chevron: "M7 4l6 6-6 6",
	close: "M5 5l10 10M15 5 5 15",
	deal: "M3 8h14l-1.5 8.5h-11zM7 8V5.5A3 3 0 0 1 13 5.5V8",
	down: "M4 7l6 6 6-6",
	filter: "M3 5h14M6 10h8M8.5 15h3",
	flag: "M5 17.5V3.5M5 4h9.5l-2 3.5 2 3.5H5",
	flask: "M8 3h4M8.5 3v5L4 16.5h12L11.5 8V3M6 13h8",
	help: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M8 8a2 2 0 1 1 2.6 1.9c-.4.2-.6.5-.6 1v.6M10 13.7v.1",
	history: "M3.5 10a6.5 6.5 0 1 0 2-4.7L3.5 7M3.5 3.5V7H7M10 6.5V10l2.5 1.5",
	home: "M3 9.5 10 3.5l7 6M5 8v8.5h10V8M8.5 16.5V12h3v4.5",
	key: "M7 13a3.5 3.5 0 1 1 3.2-4.9L17 8v3h-2v2h-2v-2h-2.7A3.5 3.5 0 0 1 7 13M6.5 9.5v.1",
	menu: "M3 5.5h14M3 10h14M3 14.5h14",
	moon: "M16 11.8A6.5 6.5 0 0 1 8.2 4 6.5 6.5 0 1 0 16 11.8",
	more: "M4.5 10v.1M10 10v.1M15.5 10v.1",
	people: "M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2 16.5c.5-3 2.700-4.500 5.500-4.500s5 1.500 5.500 4.500M13 3.800a3 3 0 0 1 0 5.500M15 12.300c1.700.6 2.700 2 3 4.200",
	plus: "M10 4v12M4 10h12",
	search: "M9 14.500A5.500 5.500 0 1 0 9 3.500a5.500 5.500 0 0 0 0 11M13 13l4 4",
	settings: "M3 6h7M14 6h3M12 4v4M3 14h3M10 14h7M8 12v4",
	"sign-out": "M8 3.500H4v13h4M8 10h9M13.500 6.500 17 10l-3.500 3.500",
	sun: "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6M10 2v2M10 16v2M2 10h2M16 10h2M4.300 4.300l1.500 1.500M14.200 14.200l1.500 1.500M4.300 15.700l1.500-1.500M14.200 5.800l1.500-1.500",
	trash: "M4 6h12M8 6V3.500h4V6M5.500 6l.8 10.500h7.400L14.500 6M8.500 9v5M11.500 9v5",
	ticket: "M3 5.500h14v3a1.500 1.500 0 0 0 0 3v3H3v-3a1.500 1.500 0 0 0 0-3zM12 5.500v9",
	warning: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14M10 6.500v4.500M10 13.500v.1",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
	return (
		<svg
			width={size}
			height={size}
			viewBox="0 0 20 20"
			fill="none"
			stroke="currentColor"
			strokeWidth={1.6}
			strokeLinecap="round"
			strokeLinejoin="round"
			aria-hidden="true"
			focusable="false"
		>
			<path d={paths[name]} />
		</svg>
	);
}
