-- flag.snapshot(): every flag that is not archived, at its current revision. In the sandbox a flag whose
-- current revision is core_only is not there: it evaluates to the application's default.
CREATE FUNCTION flag.snapshot() RETURNS TABLE (key text, kind text, enabled boolean, revision bigint,
	document jsonb, expires_at timestamptz)
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT f.key, f.kind, r.enabled, r.revision, r.document, f.expires_at
FROM flag.flag f JOIN flag.revision r ON r.revision = f.revision
WHERE f.archived_at IS NULL
$$;
