-- notice.render(template, fields, max): the template with each {field} replaced by the field's value: on one line, without control and
-- direction characters, at most 200 characters each. What a value holds is never looked at again, braces neither.
CREATE FUNCTION notice.render(p_template text, p_fields jsonb, p_max int) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
SELECT left(coalesce(string_agg(p.m[1] || CASE WHEN p.m[2] IS NULL THEN '' ELSE coalesce(left(btrim(regexp_replace(p_fields ->> p.m[2],
	'[\u0001-\u0020\u007f-\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+', ' ', 'g')), 200), '') END, '' ORDER BY p.o), ''), p_max)
FROM regexp_matches(p_template, '([^{]*)(?:[{]([a-z_]+)[}])?', 'g') WITH ORDINALITY p(m, o)
$$;
