/*
 * Colours and sizes, in one place: Mantine's theme, and the variables it resolves to. vite.config.ts writes them into the style sheet at
 * build, so this file must not import anything that needs a page. Every pair of text and ground has a contrast of 4.5 : 1 at least.
 */
import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from "@mantine/core";

/* Mode 1: a steady blue. Mode 2: a warm amber. */
const steady: MantineColorsTuple = ["#eef2ff", "#dfe6fb", "#bccaf3", "#96abea", "#758fe2", "#5a77d9", "#4863c8", "#3a51ad", "#2e428f", "#253574"];
const swift: MantineColorsTuple = ["#fff6e8", "#fdeacc", "#f9d39a", "#f4ba64", "#efa338", "#d98817", "#b56c08", "#8f5300", "#734300", "#573200"];

/* What Mantine draws on in the dark: the grounds below, in its own ten steps. */
const dark: MantineColorsTuple = ["#dfe3ec", "#c3c9d6", "#a0a8b8", "#8b93a5", "#3d4657", "#262c39", "#1d222d", "#171b24", "#10131a", "#0c0f15"];

export const theme = createTheme({
	colors: { steady, swift, dark },
	primaryColor: "steady",
	primaryShade: { light: 7, dark: 6 },
	defaultRadius: "md",
	cursorType: "pointer",
	fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif",
	fontFamilyMonospace: "ui-monospace, 'SFMono-Regular', 'Cascadia Mono', 'Noto Sans Mono', 'Liberation Mono', monospace",
	headings: {
		fontWeight: "600",
		sizes: {
			h1: { fontSize: "1.375rem", lineHeight: "1.3" },
			h2: { fontSize: "1rem", lineHeight: "1.4" },
			h3: { fontSize: "0.875rem", lineHeight: "1.4" },
		},
	},
	components: {
		/* Locking the page's scroll would need a <style> element, which our Content-Security-Policy refuses. */
		/* The header of a dialog is no banner of the page. */
		Modal: { defaultProps: { attributes: { header: { role: "none" } }, lockScroll: false, centered: true, transitionProps: { duration: 120 } } },
		/* Its <header> is the dialog's, not the page's. */
		ModalHeader: { defaultProps: { role: "none" } },
		Drawer: { defaultProps: { attributes: { header: { role: "none" } }, lockScroll: false, transitionProps: { duration: 120 } } },
		Button: { defaultProps: { size: "sm" } },
		/* That a field is needed is told to those who hear the page by its own attribute. */
		InputWrapper: { defaultProps: { withAsterisk: false } },
		Menu: { defaultProps: { withInitialFocusPlaceholder: false, shadow: "md", transitionProps: { duration: 80 } } },
		Tooltip: { defaultProps: { openDelay: 300, withArrow: true, events: { hover: true, focus: true, touch: false } } },
	},
});

export const resolver: CSSVariablesResolver = () => ({
	variables: {},
	light: {
		"--mantine-color-text": "#1c2333",
		"--mantine-color-dimmed": "#586174",
		"--mantine-color-placeholder": "#6b7385",
		"--mantine-color-body": "#ffffff",
		"--mantine-color-error": "#b42318",
		"--mantine-color-anchor": "#3a51ad",
		"--ground": "#f6f7f9",
		"--raised": "#ffffff",
		"--sunken": "#eef0f4",
		"--line": "#dfe3ea",
		"--line-strong": "#c3c9d4",
		"--good": "#1a7f4b",
		"--warn": "#9a5b00",
		"--bad": "#b42318",
		"--mode-core": "#3a51ad",
		"--mode-sandbox": "#8f5300",
		"--focus": "#3a51ad",
	},
	dark: {
		"--mantine-color-text": "#dfe3ec",
		"--mantine-color-dimmed": "#a0a8b8",
		"--mantine-color-placeholder": "#8b93a5",
		"--mantine-color-body": "#171b24",
		"--mantine-color-default": "#1d222d",
		"--mantine-color-default-hover": "#262c39",
		"--mantine-color-default-border": "#343c4c",
		"--mantine-color-error": "#ff9b8f",
		"--mantine-color-anchor": "#9db2ff",
		"--ground": "#10131a",
		"--raised": "#171b24",
		"--sunken": "#0c0f15",
		"--line": "#272d3a",
		"--line-strong": "#3d4657",
		"--good": "#5fcf94",
		"--warn": "#f4ba64",
		"--bad": "#ff9b8f",
		"--mode-core": "#9db2ff",
		"--mode-sandbox": "#f4ba64",
		"--focus": "#9db2ff",
	},
});

/** Where the choice of light and dark is kept; public/scheme.js reads it before the first paint. */
export const SCHEME_KEY = "bimodal.scheme";
