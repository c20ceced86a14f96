-- flag.core_only(document): true if the rules name a field of people that the sandbox may not see, or hold a text that looks like an
-- e-mail address or a person's id: in a condition, or as what is hashed; or if they name a segment, which only core can look into. Such a
-- revision is never published.
CREATE OR REPLACE FUNCTION flag.core_only(p_document jsonb) RETURNS boolean
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT EXISTS (SELECT FROM (
			SELECT jsonb_path_query(p_document,
				'$.rules[*].**.condition.** ? (@.type() == "object").keyvalue().key') #>> '{}'
			UNION ALL
			SELECT jsonb_path_query(p_document, '$.rules[*].** ? (@.type() == "object").keyvalue()'
				' ? (@.key == "hashAttribute" || @.key == "fallbackAttribute" || @.key == "attribute").value') #>> '{}'
		) named (path)
		JOIN change.field f ON f.class <> 'open' AND f.name = ANY (string_to_array(named.path, '.')))
	OR jsonb_path_exists(p_document,
		'$.rules[*].**.condition.** ? (@.type() == "string" && @ like_regex "@|^[0-9a-f]{8}-[0-9a-f]{4}-7")')
	OR EXISTS (SELECT flag.segments_of(p_document))
$$;
