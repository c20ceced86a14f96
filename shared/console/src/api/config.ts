/* What core says about this console, once a page. */
import { core } from "./core";
import type { ConsoleConfig } from "./types";

let asked: Promise<ConsoleConfig> | null = null;

export function consoleConfig(): Promise<ConsoleConfig> {
	asked ??= core.get<ConsoleConfig>("/console/config.json").catch((thrown: unknown) => {
		asked = null;
		throw thrown;
	});
	return asked;
}
