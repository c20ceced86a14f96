-- access.snapshot(): every live token with what its bearer is. scopes NULL: all that the roles give.
CREATE FUNCTION access.snapshot() RETURNS TABLE (hash bytea, principal uuid, name text, roles text[],
	audience text, expires_at timestamptz, scopes text[])
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT t.hash, p.id, p.name, ARRAY(SELECT g.role FROM access.role_grant g
	WHERE g.principal = p.id ORDER BY g.role), t.audience, t.expires_at, t.scopes
FROM access.token t JOIN access.principal p ON p.id = t.principal
WHERE t.revoked_at IS NULL AND p.disabled_at IS NULL AND t.expires_at > now()
$$;
