-- access.changed(): after any change of principals, roles or tokens, bring the published copy up to date,
-- raise the generation and tell the workers.
CREATE FUNCTION access.changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v bigint;
BEGIN
	UPDATE access.state SET generation = generation + 1 RETURNING generation INTO v;
	DELETE FROM access.token_published p WHERE NOT EXISTS (SELECT FROM access.snapshot() s
		WHERE s.hash = p.hash AND s.audience = 'sandbox');
	INSERT INTO access.token_published AS p (hash, principal, roles, scopes, expires_at)
	SELECT s.hash, s.principal, s.roles, s.scopes, s.expires_at FROM access.snapshot() s
		WHERE s.audience = 'sandbox'
	ON CONFLICT (hash) DO UPDATE
		SET principal = excluded.principal, roles = excluded.roles, scopes = excluded.scopes,
			expires_at = excluded.expires_at
		WHERE (p.principal, p.roles, p.scopes, p.expires_at)
			IS DISTINCT FROM (excluded.principal, excluded.roles, excluded.scopes, excluded.expires_at);
	PERFORM pg_notify('bimodal_generation', 'access ' || v);
	RETURN NULL;
END $$;
