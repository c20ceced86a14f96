/* Where both modes stand: asked for on every page, told in the top bar and on Home. */
import { queryOptions } from "@tanstack/react-query";
import { consoleConfig } from "~/api/config";
import { core } from "~/api/core";
import { Problem, UNREACHABLE } from "~/api/problem";
import type { Ready } from "~/api/types";

const EVERY_MS = 15_000;

export const coreReadyQuery = queryOptions({
	queryKey: ["ready", "core"],
	queryFn: ({ signal }) => core.get<Ready>("/readyz", { signal }),
	refetchInterval: EVERY_MS,
	retry: false,
});

/* Asked without a token: whether the sandbox is there is no secret, and one that is away cannot check any. */
export const sandboxReadyQuery = queryOptions({
	queryKey: ["ready", "sandbox"],
	queryFn: async ({ signal }) => {
		const { sandbox } = await consoleConfig();
		if (sandbox === null)
			throw new Problem(0, UNREACHABLE, "No sandbox", "This console has no sandbox: console.sandbox_origin is not set in core.");
		try {
			const reply = await fetch(`${sandbox}/readyz`, { signal, credentials: "omit", cache: "no-store" });
			return (await reply.json()) as Ready;
		} catch {
			throw new Problem(0, UNREACHABLE, "The sandbox is away", "Mode 2 cannot be reached. Mode 1 goes on unharmed.");
		}
	},
	refetchInterval: EVERY_MS,
	retry: false,
});
