/* What one write changed, field by field: before and after. */
import type { Resource } from "~/api/description";
import { labelOf } from "~/api/description";
import type { HistoryEntry } from "~/api/records";
import { Hidden, Value } from "./Value";
import classes from "./customers.module.css";

const told: Readonly<Record<string, string>> = {
	create: "created it",
	update: "changed it",
	delete: "deleted it",
	restore: "restored it",
	erase: "erased what it held",
	resolve: "looked behind the pseudonym",
};

export function opWords(op: string): string {
	return told[op] ?? op.replaceAll("_", " ");
}

export function Changes({ resource, entry }: { resource: Resource; entry: HistoryEntry }) {
	const rows = Object.entries(entry.changes);
	if (entry.erased)
		return <p className="dimmed small">What was written then has been erased.</p>;
	return (
		<>
			{rows.length > 0 && (
				<dl className={classes.changes}>
					{rows.map(([name, { before, after }]) => {
						const field = resource.field(name) ?? { kind: "text" as const, reference: null, label: labelOf(name) };
						return (
							<div key={name}>
								<dt>{field.label}</dt>
								<dd>
									{entry.op === "update" && (
										<>
											<del>
												<Value field={field} value={before} />
											</del>
											<span className="dimmed" aria-hidden="true">
												{" → "}
											</span>
										</>
									)}
									{entry.op === "delete" ? (
										<del>
											<Value field={field} value={before} />
										</del>
									) : (
										<ins>
											<Value field={field} value={after} />
										</ins>
									)}
								</dd>
							</div>
						);
					})}
				</dl>
			)}
			{entry.hidden && (
				<p className="small">
					<Hidden /> <span className="dimmed">Fields that your roles do not include changed, too.</span>
				</p>
			)}
		</>
	);
}
