/* Choose a record of another resource by what one knows of it. */
import { useState } from "react";
import { Select } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { core } from "~/api/core";
import type { SearchResults } from "~/api/types";
import { recordTitle } from "~/app/links";
import { useTitles } from "./Value";

const SEARCH_FROM = 2;
const PAUSE_MS = 200;
const SHOWN = 10;

interface Props {
	readonly label: string;
	readonly resource: string;
	/** An id, or "". */
	readonly value: string;
	readonly onChange: (id: string) => void;
	readonly error?: string | undefined;
	readonly required?: boolean;
}

export function Picker({ label, resource, value, onChange, error, required = false }: Props) {
	const [words, setWords] = useState("");
	const [settled] = useDebouncedValue(words.trim(), PAUSE_MS);
	const titles = useTitles(resource, value === "" ? [] : [value]);
	const found = useQuery({
		queryKey: ["search", settled, SHOWN],
		queryFn: ({ signal }) => core.get<SearchResults>("/v1/search", { query: { q: settled, limit: SHOWN }, signal }),
		enabled: settled.length >= SEARCH_FROM,
		placeholderData: keepPreviousData,
	});
	const hits = found.data?.results.find((r) => r.resource === resource)?.data ?? [];
	const data = hits.map((row) => ({ value: String(row.id), label: recordTitle(row) }));
	if (value !== "" && !data.some((d) => d.value === value))
		data.push({ value, label: titles.get(value) ?? value });
	return (
		<Select
			label={label}
			required={required}
			error={error}
			placeholder="Type to search"
			searchable
			clearable={!required}
			clearButtonProps={{ size: "md", "aria-label": `Empty: ${label}`, "aria-hidden": false, tabIndex: 0 }}
			data={data}
			value={value === "" ? null : value}
			onChange={(id) => onChange(id ?? "")}
			onSearchChange={setWords}
			filter={({ options }) => options}
			nothingFoundMessage={settled.length < SEARCH_FROM ? "Type two letters or more" : "Nothing found"}
		/>
	);
}
