/*
 * openapi.mjs — are these files valid OpenAPI documents? One line a finding; exit 1 if there is any.
 *
 *     node tests/lint/openapi.mjs shared/openapi/core.json …
 *
 * The linter is Redocly's, with its recommended rules but one, from the console's packages.
 */
import { createRequire } from "node:module";

const require = createRequire(new URL("../../shared/console/package.json", import.meta.url));
const { createConfig, lint } = require("@redocly/openapi-core");

// Off: a route that only leads elsewhere is good without a 2xx.
const config = await createConfig({ extends: ["recommended"], rules: { "operation-2xx-response": "off" } });
let found = 0;
for (const ref of process.argv.slice(2)) {
	for (const p of await lint({ ref, config })) {
		console.log(`${ref}: ${p.severity}: ${p.ruleId}: ${p.message} at ${p.location[0]?.pointer}`);
		found++;
	}
}
console.log(`${process.argv.length - 2} document(s), ${found} finding(s)`);
process.exit(found === 0 && process.argv.length > 2 ? 0 : 1);
