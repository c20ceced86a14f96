-- access.snapshot(): every live token, as in core; names stay there.
CREATE FUNCTION access.snapshot() RETURNS TABLE (hash bytea, principal uuid, name text, roles text[],
	audience text, expires_at timestamptz, scopes text[])
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT t.hash, t.principal, ''::text, t.roles, 'sandbox'::text, t.expires_at, t.scopes
FROM access.token_published t WHERE t.expires_at > now()
$$;
