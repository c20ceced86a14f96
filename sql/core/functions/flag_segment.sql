-- flag.segments_of(document): the segments that its rules name.
CREATE FUNCTION flag.segments_of(p_document jsonb) RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT DISTINCT v #>> '{}' FROM jsonb_path_query(p_document, '$.rules[*].**.condition.** ? (@.type() == "object").keyvalue()'
	' ? (@.key == "$inGroup" || @.key == "$notInGroup").value') AS x (v)
$$;

-- flag.segment_users(segment): the flags that are not archived and whose rules, or those of whose draft, name it.
CREATE FUNCTION flag.segment_users(p_name text) RETURNS text[]
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT coalesce(array_agg(f.key ORDER BY f.key), '{}') FROM flag.flag f WHERE f.archived_at IS NULL AND (
	EXISTS (SELECT FROM flag.revision r WHERE r.revision = f.revision AND p_name IN (SELECT flag.segments_of(r.document)))
	OR EXISTS (SELECT FROM flag.draft d WHERE d.key = f.key AND p_name IN (SELECT flag.segments_of(d.document))))
$$;

-- flag.segment_json(segment)
CREATE FUNCTION flag.segment_json(p flag.segment) RETURNS json
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT json_build_object('name', p.name, 'resource', p.resource, 'query', p.query, 'purpose', p.purpose,
	'business_owner', access.name_of(p.business_owner), 'technical_owner', access.name_of(p.technical_owner),
	'version', p.version, 'created_at', p.created_at, 'changed_at', p.changed_at, 'used_by', to_json(flag.segment_users(p.name)))
$$;
