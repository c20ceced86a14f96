/* One rule in fields: who is meant, and what they get. */
import { ActionIcon, Button, NativeSelect, TextInput } from "@mantine/core";
import { Icon } from "~/ui/Icon";
import { type Draft, type FieldsDraft, type Row, choices } from "./draft";
import { sayUnits } from "./words";
import classes from "./flags.module.css";

interface Props {
	/** "rule 2" */
	readonly name: string;
	readonly draft: Draft;
	readonly rule: FieldsDraft;
	readonly change: (part: Partial<FieldsDraft>) => void;
}

const fresh: Row = { attribute: "", operator: "", typed: "" };

function Who({ name, draft, rule, change }: Props) {
	const set = (i: number, part: Partial<Row>) => change({ rows: rule.rows.map((r, j) => (j === i ? { ...r, ...part } : r)) });
	return (
		<>
			<NativeSelect
				label="Who is meant"
				value={rule.who}
				data={[
					{ value: "everybody", label: `all ${sayUnits(draft.unit)}` },
					{ value: "all", label: "those of whom all of this holds" },
					{ value: "any", label: "those of whom any of this holds" },
				]}
				onChange={(e) => {
					const who = e.currentTarget.value as FieldsDraft["who"];
					change({ who, rows: who === "everybody" || rule.rows.length > 0 ? rule.rows : [fresh] });
				}}
			/>
			{rule.who !== "everybody" && (
				<>
					{rule.rows.map((r, i) => (
						<div key={i} className={classes.triple}>
							<TextInput aria-label={`Attribute ${i + 1} of ${name}`} placeholder="country" autoComplete="off" value={r.attribute} onChange={(e) => set(i, { attribute: e.currentTarget.value })} />
							<NativeSelect
								aria-label={`Comparison ${i + 1} of ${name}`}
								value={r.operator}
								data={choices.map(([value, label]) => ({ value, label }))}
								onChange={(e) => set(i, { operator: e.currentTarget.value })}
							/>
							<TextInput
								aria-label={`Value ${i + 1} of ${name}`}
								placeholder={r.operator === "$in" || r.operator === "$nin" ? "AT, CH" : ""}
								autoComplete="off"
								disabled={r.operator === "$exists"}
								value={r.typed}
								onChange={(e) => set(i, { typed: e.currentTarget.value })}
							/>
							<ActionIcon variant="default" size="lg" aria-label={`Take out condition ${i + 1} of ${name}`} disabled={rule.rows.length < 2} onClick={() => change({ rows: rule.rows.filter((_, j) => j !== i) })}>
								<Icon name="close" size={14} />
							</ActionIcon>
						</div>
					))}
					<div>
						<Button size="compact-sm" variant="subtle" leftSection={<Icon name="plus" size={14} />} onClick={() => change({ rows: [...rule.rows, fresh] })}>
							One more condition
						</Button>
					</div>
				</>
			)}
		</>
	);
}

export function RuleFields(props: Props) {
	const { name, draft, rule, change } = props;
	const keys = draft.variations.map((v) => v.key);
	const even = () => Object.fromEntries(keys.map((k) => [k, String(Number((100 / keys.length).toFixed(4)))]));
	return (
		<div className={classes.form}>
			<Who {...props} />
			<div className={classes.gets}>
				<TextInput label="Share, %" aria-label={`Share, %, of ${name}`} inputMode="decimal" autoComplete="off" value={rule.share} onChange={(e) => change({ share: e.currentTarget.value })} />
				<NativeSelect
					label="Of them"
					aria-label={`Of them, by ${name}`}
					value={rule.what}
					data={[
						{ value: "one", label: "get one variation" },
						{ value: "split", label: "are divided" },
					]}
					onChange={(e) => change(e.currentTarget.value === "split" ? { what: "split", weights: even() } : { what: "one" })}
				/>
				{rule.what === "one" && <NativeSelect label="Variation" aria-label={`Variation of ${name}`} value={rule.variation} data={keys} onChange={(e) => change({ variation: e.currentTarget.value })} />}
			</div>
			{rule.what === "split" && (
				<div className={classes.gets}>
					{keys.map((k) => (
						<TextInput
							key={k}
							label={`${k}, %`}
							aria-label={`${k}, %, by ${name}`}
							inputMode="decimal"
							autoComplete="off"
							value={rule.weights[k] ?? "0"}
							onChange={(e) => change({ weights: { ...rule.weights, [k]: e.currentTarget.value } })}
						/>
					))}
				</div>
			)}
		</div>
	);
}
