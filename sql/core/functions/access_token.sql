-- Tokens: made with a fresh hash, rotated with an overlap, revoked. Whether the actor may is decided before, but for whose token it is.
CREATE FUNCTION access.token_json(p_id uuid) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
	RETURN (SELECT to_json(x) FROM (SELECT t.id, t.principal, p.name AS principal_name, t.audience, t.prefix, t.label, t.scopes, t.created_at,
	t.created_by, t.expires_at, t.last_used_at, t.revoked_at, t.replaced_by,
	t.revoked_at IS NULL AND t.expires_at > now() AND p.disabled_at IS NULL AS live
	FROM access.token t JOIN access.principal p ON p.id = t.principal WHERE t.id = p_id) x);
END $$;

CREATE FUNCTION access.token_create(p_actor uuid, p_request text, p_id uuid, p_principal uuid, p_audience text, p_hash text,
	p_prefix text, p_label text, p_scopes text[], p_expires timestamptz) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_live CONSTANT int := 100;
	p access.principal;
BEGIN
	PERFORM access.act(p_actor, p_request);
	p := access.user_hold(p_principal, NULL);
	IF p.disabled_at IS NOT NULL THEN
		RAISE EXCEPTION 'the principal is disabled' USING ERRCODE = 'CR409';
	ELSIF (SELECT count(*) FROM access.token t WHERE t.principal = p_principal AND t.revoked_at IS NULL AND t.expires_at > now())
		>= c_live
	THEN
		RAISE EXCEPTION 'there are % live tokens of this principal already: revoke one first', c_live USING ERRCODE = 'CR409';
	END IF;
	INSERT INTO access.token (id, principal, audience, hash, prefix, label, scopes, created_by, expires_at)
	VALUES (p_id, p_principal, p_audience, decode(p_hash, 'hex'), p_prefix, p_label, p_scopes, p_actor, p_expires);
	RETURN access.token_json(p_id);
END $$;

-- The old token goes on for p_overlap minutes, never longer than it would have. p_expires NULL: the new one gets the span of the old one,
-- but ends at p_latest.
CREATE FUNCTION access.token_rotate(p_actor uuid, p_request text, p_old uuid, p_id uuid, p_hash text, p_prefix text, p_overlap int,
	p_expires timestamptz, p_latest timestamptz) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	t access.token;
BEGIN
	PERFORM access.act(p_actor, p_request);
	PERFORM FROM access.state FOR UPDATE;
	SELECT * INTO t FROM access.token x WHERE x.id = p_old FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no token %', p_old USING ERRCODE = 'CR404';
	ELSIF t.session IS NOT NULL THEN
		RAISE EXCEPTION 'the token belongs to a console session: exchange the session again' USING ERRCODE = 'CR409';
	ELSIF t.replaced_by IS NOT NULL THEN
		RAISE EXCEPTION 'the token was rotated before: rotate the one that replaced it' USING ERRCODE = 'CR409';
	ELSIF t.revoked_at IS NOT NULL OR t.expires_at <= now() THEN
		RAISE EXCEPTION 'the token has ended: make a new one' USING ERRCODE = 'CR409';
	END IF;
	PERFORM access.token_create(p_actor, p_request, p_id, t.principal, t.audience, p_hash, p_prefix, t.label, t.scopes,
		coalesce(p_expires, least(now() + (t.expires_at - t.created_at), p_latest)));
	UPDATE access.token SET replaced_by = p_id, expires_at = least(expires_at, now() + make_interval(mins => p_overlap)) WHERE id = p_old;
	RETURN access.token_json(p_id);
END $$;

-- p_any: the actor may revoke whatever token; else his own and those of his services. Others are not there for him.
CREATE FUNCTION access.token_revoke(p_actor uuid, p_request text, p_id uuid, p_any boolean) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	PERFORM access.act(p_actor, p_request);
	PERFORM FROM access.state FOR UPDATE;
	IF NOT EXISTS (SELECT FROM access.token t JOIN access.principal p ON p.id = t.principal
		WHERE t.id = p_id AND (p_any OR p_actor IN (p.id, p.business_owner, p.technical_owner)))
	THEN
		RAISE EXCEPTION 'there is no token %', p_id USING ERRCODE = 'CR404';
	END IF;
	UPDATE access.token SET revoked_at = clock_timestamp() WHERE id = p_id AND revoked_at IS NULL;
	RETURN access.token_json(p_id);
END $$;
