-- flag.diff(before, after): what two documents differ in, as an array of {"op":"add|remove|change","pointer","before","after"} in the
-- order of the document. Objects are compared member by member and lists place by place; where one side is no container, or is not
-- there, the whole value is one difference. Compared as text, because 1 and 1.0 are two values to a client.
CREATE FUNCTION flag.diff(p_before jsonb, p_after jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	WITH RECURSIVE walk (at, place, before, after, inner_kind) AS (
		SELECT '', ARRAY[]::text[], p_before, p_after,
			CASE WHEN jsonb_typeof(p_before) = jsonb_typeof(p_after) THEN jsonb_typeof(p_before) END
		WHERE p_before::text IS DISTINCT FROM p_after::text
		UNION ALL
		SELECT w.at || '/' || k.name, w.place || k.place, k.before, k.after,
			CASE WHEN jsonb_typeof(k.before) = jsonb_typeof(k.after) THEN jsonb_typeof(k.before) END
		FROM walk w
		CROSS JOIN LATERAL (
			SELECT replace(replace(m.key, '~', '~0'), '/', '~1'), m.key, w.before -> m.key, w.after -> m.key
			FROM (SELECT jsonb_object_keys(CASE WHEN w.inner_kind = 'object' THEN w.before ELSE '{}' END)
				UNION SELECT jsonb_object_keys(CASE WHEN w.inner_kind = 'object' THEN w.after ELSE '{}' END)) m (key)
			UNION ALL
			SELECT i::text, lpad(i::text, 6, '0'), w.before -> i, w.after -> i
			FROM generate_series(0, CASE WHEN w.inner_kind = 'array'
				THEN greatest(jsonb_array_length(w.before), jsonb_array_length(w.after)) - 1 ELSE -1 END) i
		) k (name, place, before, after)
		WHERE k.before::text IS DISTINCT FROM k.after::text
	)
	SELECT coalesce(jsonb_agg(jsonb_build_object(
			'op', CASE WHEN before IS NULL THEN 'add' WHEN after IS NULL THEN 'remove' ELSE 'change' END, 'pointer', at)
		|| CASE WHEN before IS NULL THEN '{}' ELSE jsonb_build_object('before', before) END
		|| CASE WHEN after IS NULL THEN '{}' ELSE jsonb_build_object('after', after) END ORDER BY place), '[]')
	FROM walk WHERE inner_kind IS NULL OR inner_kind NOT IN ('object', 'array')
$$;
