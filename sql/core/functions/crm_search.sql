-- What is searched and how a question is read. Words in any case, each of them a prefix of a word of the record; an e-mail address and a
-- key of another system also as a whole; a telephone number by its digits. Lengths are cut so that no lexeme is too long for a tsvector.
-- The cost keeps the planner from reading the whole table where a few rows are wanted.
CREATE FUNCTION crm.search_vector(p_words text, p_more text, p_email text, p_phone text, p_external text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 SET search_path = '' AS $$
SELECT array_to_tsvector(array_remove(array_remove(
	regexp_split_to_array(lower(concat_ws(' ', left(p_words, 500), left(p_more, 500),
		left(split_part(p_email, '@', 1), 320))), '[^[:alnum:]]+')
	|| ARRAY[lower(left(p_email, 320)), regexp_replace(left(p_phone, 50), '[^0-9]', '', 'g'), lower(left(p_external, 200))],
	NULL), ''))
$$;

-- search_query(question, prefix): every word must be there; or the question as a whole; or, if it looks like a telephone number, its
-- digits. NULL if nothing is left to look for.
CREATE FUNCTION crm.search_query(p_q text, p_prefix boolean) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = '' AS $$
WITH q AS (
	SELECT lower(btrim(left(p_q, 100))) AS whole, CASE WHEN p_prefix THEN ':*' ELSE '' END AS mark
), word AS (
	SELECT '(' || string_agg('''' || w || '''' || q.mark, ' & ') || ')' AS x
	FROM q, regexp_split_to_table(q.whole, '[^[:alnum:]]+') w WHERE w <> ''
)
SELECT nullif(concat_ws(' | ', word.x,
	CASE WHEN q.whole <> '' AND q.whole !~ '\s' THEN
		'''' || replace(replace(q.whole, '\', '\\'), '''', '''''') || '''' || q.mark END,
	CASE WHEN q.whole ~ '^[+(]?[0-9][-0-9 ()/.]*$' AND length(regexp_replace(q.whole, '[^0-9]', '', 'g')) >= 4 THEN
		'''' || regexp_replace(q.whole, '[^0-9]', '', 'g') || '''' || q.mark END), '')::tsquery
FROM q, word
$$;
