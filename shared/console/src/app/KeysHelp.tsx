/* The list of keys, and whether those without Ctrl act. */
import { Modal, Switch } from "@mantine/core";
import { useStore } from "~/ui/store";
import { allCommands, overlayStore } from "./commands";
import { setSingleKeys, singleKeys } from "./keys";
import classes from "./KeysHelp.module.css";

function Keys({ keys }: { keys: readonly string[] }) {
	return (
		<span className={classes.keys}>
			{keys.map((k, i) => (
				<kbd key={i}>{k}</kbd>
			))}
		</span>
	);
}

export function KeysHelp() {
	const on = useStore(singleKeys);
	const rows = [
		{ id: "palette", label: "Search and commands", keys: ["Ctrl", "K"] },
		{ id: "slash", label: "Search and commands", keys: ["/"] },
		{ id: "help", label: "This list", keys: ["?"] },
		...allCommands().filter((c) => c.keys !== undefined),
	];
	return (
		<Modal opened onClose={() => overlayStore.set("none")} title="Keyboard shortcuts" closeButtonProps={{ "aria-label": "Close" }}>
			<table className={classes.table}>
				<thead className="unseen">
					<tr>
						<th scope="col">What</th>
						<th scope="col">Keys</th>
					</tr>
				</thead>
				<tbody>
					{rows.map((r) => (
						<tr key={r.id}>
							<td>{r.label}</td>
							<td>
								<Keys keys={r.keys ?? []} />
							</td>
						</tr>
					))}
				</tbody>
			</table>
			<Switch
				mt="md"
				checked={on}
				onChange={(e) => setSingleKeys(e.currentTarget.checked)}
				label="Keys without Ctrl"
				description="Switch them off if your speech or input software types letters by itself."
			/>
		</Modal>
	);
}
