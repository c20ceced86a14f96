/* Which columns a list shows: those of the fields that the reader may see. */
import { Button, Checkbox, Popover } from "@mantine/core";
import type { Resource } from "~/api/description";
import { Icon } from "~/ui/Icon";
import type { Asked } from "./filters";
import { namingFields, usualColumns } from "./names";
import classes from "./customers.module.css";

export function Columns({ resource, asked, change }: { resource: Resource; asked: Asked; change: (next: Asked) => void }) {
	const usual = usualColumns(resource);
	const chosen = asked.columns ?? usual;
	const own = new Set(namingFields(resource).map((f) => f.name));
	const choice = resource.fields.filter((f) => !own.has(f.name) || own.size > 1);
	const turn = (name: string, on: boolean) => {
		const next = on ? resource.fields.map((f) => f.name).filter((n) => n === name || chosen.includes(n)) : chosen.filter((n) => n !== name);
		change({ ...asked, columns: next.length === 0 ? ["id"] : next });
	};
	return (
		<Popover position="bottom-end" trapFocus returnFocus shadow="md" width={260}>
			<Popover.Target>
				<Button variant="default" leftSection={<Icon name="settings" size={16} />}>
					Columns
				</Button>
			</Popover.Target>
			<Popover.Dropdown>
				<div className={classes.choice}>
					{choice.map((f) => (
						<Checkbox key={f.name} size="sm" label={f.label} checked={chosen.includes(f.name)} onChange={(e) => turn(f.name, e.currentTarget.checked)} />
					))}
				</div>
				<Button fullWidth mt="sm" size="compact-sm" variant="subtle" disabled={asked.columns === null} onClick={() => change({ ...asked, columns: null })}>
					The usual columns
				</Button>
			</Popover.Dropdown>
		</Popover>
	);
}
