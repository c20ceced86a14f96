import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { convertCssVariables, defaultCssVariablesResolver, mergeMantineTheme, DEFAULT_THEME } from "@mantine/core";
import { defineConfig, type Plugin } from "vite";
import { resolver, theme } from "./src/app/theme";

/*
 * The variables of the theme as a style sheet. Mantine would write them into a <style> element at run time, which our
 * Content-Security-Policy refuses (style-src 'self').
 */
function themeVariables(): Plugin {
	const id = "virtual:theme.css";
	return {
		name: "theme-variables",
		resolveId: (source) => (source === id ? id : null),
		load(loaded) {
			if (loaded !== id)
				return null;
			const merged = mergeMantineTheme(DEFAULT_THEME, theme);
			const base = defaultCssVariablesResolver(merged);
			const own = resolver(merged);
			return convertCssVariables(
				{
					variables: { ...base.variables, ...own.variables },
					dark: { ...base.dark, ...own.dark },
					light: { ...base.light, ...own.light },
				},
				":root",
			);
		},
	};
}

/* Beside each text file its compressed forms, so that core never compresses anything. */
function precompressed(): Plugin {
	const least = 1024;
	let folder = "";
	const walk = (dir: string): string[] =>
		readdirSync(dir).flatMap((name) => {
			const path = join(dir, name);
			return statSync(path).isDirectory() ? walk(path) : [path];
		});
	return {
		name: "precompressed",
		apply: "build",
		configResolved(config) {
			folder = config.build.outDir;
		},
		closeBundle() {
			for (const path of walk(folder)) {
				if (!/\.(js|css|html|svg|json)$/.test(path))
					continue;
				const bytes = readFileSync(path);
				if (bytes.length < least)
					continue;
				writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
				writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
			}
		},
	};
}

export default defineConfig({
	base: "/console/",
	resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
	plugins: [react(), themeVariables(), precompressed()],
	build: {
		outDir: process.env.CONSOLE_OUT ?? "dist",
		emptyOutDir: true,
		target: "es2022",
		/* A module that is preloaded by script is an inline script in old browsers only; ours know the link. */
		modulePreload: { polyfill: false },
		/* Nothing as a data: URL: every file has its own name and its own place in the cache. */
		assetsInlineLimit: 0,
		reportCompressedSize: false,
		chunkSizeWarningLimit: 1200,
	},
});
