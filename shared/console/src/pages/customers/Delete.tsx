/* Delete a record, after one question that says what goes along. */
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { core } from "~/api/core";
import type { Resource } from "~/api/description";
import { asProblem } from "~/api/problem";
import { type Row, recordQuery, recordUrl, refresh } from "~/api/records";
import { plural, singular } from "./names";
import { Trouble } from "~/ui/Trouble";
import classes from "./customers.module.css";

export function Delete({ resource, row, etag, title, close }: { resource: Resource; row: Row; etag: string; title: string; close: () => void }) {
	const queries = useQueryClient();
	const remove = useMutation({
		mutationFn: () => core.remove(recordUrl(resource.name, row.id), { ifMatch: etag }),
		onSuccess: async () => {
			close();
			await Promise.all([queries.resetQueries({ queryKey: recordQuery(resource.name, row.id).queryKey }), refresh(queries)]);
		},
		/* Somebody was faster: what he wrote is looked at first. */
		onError: (thrown) => {
			if (asProblem(thrown).status === 412)
				void queries.invalidateQueries({ queryKey: ["record", resource.name, row.id] });
		},
	});
	return (
		<Modal opened onClose={close} title={`Delete “${title}”?`} closeButtonProps={{ "aria-label": "Close" }}>
			<div className={classes.editor}>
				{remove.error !== null && <Trouble problem={remove.error} />}
				<p>
					{resource.name === "people" ? "Consents, interactions and cases go along. " : ""}
					The {singular(resource.name)} is no longer in {plural(resource.name).toLowerCase()} then, but its history stays, and it can be restored from its address.
				</p>
				<div className={classes.buttons}>
					<Button variant="default" data-autofocus onClick={close}>
						Keep it
					</Button>
					<Button color="red.9" loading={remove.isPending} onClick={() => remove.mutate()}>
						Delete the {singular(resource.name)}
					</Button>
				</div>
			</div>
		</Modal>
	);
}
