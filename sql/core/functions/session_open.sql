-- access.session_open(id, principal, hash of the secret, method, address, agent, idle, lifetime, hash of the session presented or NULL,
-- more for the log) -> until when: a session for somebody whose way in was right, whichever it was. The secret is always new; the session
-- that was presented ends. At most 20 live ones a person: the oldest make room.
CREATE FUNCTION access.session_open(p_id uuid, p_principal uuid, p_hash bytea, p_method text, p_address text, p_agent text,
	p_idle interval, p_lifetime interval, p_presented bytea, p_more jsonb) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_expires timestamptz;
BEGIN
	UPDATE access.session s SET revoked_at = now() WHERE s.hash = p_presented AND s.revoked_at IS NULL;
	UPDATE access.session s SET revoked_at = now() WHERE s.id IN (SELECT o.id FROM access.session o
		WHERE o.principal = p_principal AND o.revoked_at IS NULL AND o.expires_at > now()
		ORDER BY o.created_at DESC OFFSET 19);
	INSERT INTO access.session (id, principal, hash, method, address, agent, idle, expires_at)
	VALUES (p_id, p_principal, p_hash, p_method, p_address, p_agent, p_idle, now() + p_lifetime)
	RETURNING expires_at INTO v_expires;
	PERFORM event.note('sessions', p_id, 'session.begin', jsonb_build_object('principal', p_principal, 'method', p_method,
		'address', p_address, 'expires_at', v_expires) || p_more);
	RETURN v_expires;
END $$;

-- access.session_begin(…, stored password, its better hash or NULL): for somebody whose password was right. NULL: he may not sign in any
-- more.
CREATE FUNCTION access.session_begin(p_id uuid, p_principal uuid, p_hash bytea, p_method text, p_address text, p_agent text,
	p_idle interval, p_lifetime interval, p_presented bytea, p_phc text, p_better text) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	PERFORM FROM access.principal p WHERE p.id = p_principal AND p.kind = 'user' AND p.disabled_at IS NULL FOR SHARE;
	IF NOT FOUND OR NOT EXISTS (SELECT FROM access.credential c WHERE c.principal = p_principal AND c.phc = p_phc) THEN
		RETURN NULL;
	END IF;
	DELETE FROM access.lockout l WHERE l.kind = 'account' AND l.key IN (access.lockout_key(p_principal::text),
		access.lockout_key(p_principal::text || E'\n' || p_address));
	IF p_better IS NOT NULL THEN
		UPDATE access.credential SET phc = p_better WHERE principal = p_principal;
	END IF;
	RETURN access.session_open(p_id, p_principal, p_hash, p_method, p_address, p_agent, p_idle, p_lifetime, p_presented,
		jsonb_build_object('rehashed', p_better IS NOT NULL));
END $$;
