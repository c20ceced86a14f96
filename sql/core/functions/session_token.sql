-- access.session_token(token, session, principal, hash, prefix, lifetime) -> until when, or NULL if the session has ended: a token of the
-- sandbox in exchange for a live console session, never outliving it. A session has three live ones: the oldest make room.
CREATE FUNCTION access.session_token(p_id uuid, p_session uuid, p_principal uuid, p_hash bytea, p_prefix text, p_lifetime interval)
RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_expires timestamptz;
BEGIN
	SELECT least(s.expires_at, now() + p_lifetime) INTO v_expires FROM access.session s
		WHERE s.id = p_session AND s.principal = p_principal AND s.revoked_at IS NULL AND s.expires_at > now() FOR UPDATE;
	IF v_expires IS NULL THEN
		RETURN NULL;
	END IF;
	-- Each one makes every worker read the tokens anew.
	IF (SELECT count(*) FROM access.token t WHERE t.session = p_session AND t.created_at > now() - interval '1 minute') >= 10 THEN
		RAISE EXCEPTION 'this session was exchanged ten times in a minute: wait' USING ERRCODE = 'CR429';
	END IF;
	IF (SELECT count(*) FROM access.token t WHERE t.session = p_session AND t.revoked_at IS NULL AND t.expires_at > now()) >= 3 THEN
		UPDATE access.token SET revoked_at = now() WHERE id IN (SELECT t.id FROM access.token t
			WHERE t.session = p_session AND t.revoked_at IS NULL AND t.expires_at > now() ORDER BY t.created_at DESC OFFSET 2);
	END IF;
	INSERT INTO access.token (id, principal, audience, hash, prefix, expires_at, session)
	VALUES (p_id, p_principal, 'sandbox', p_hash, p_prefix, v_expires, p_session);
	PERFORM event.note('sessions', p_session, 'session.token', jsonb_build_object('principal', p_principal, 'token', p_id,
		'audience', 'sandbox', 'expires_at', v_expires));
	RETURN v_expires;
END $$;
