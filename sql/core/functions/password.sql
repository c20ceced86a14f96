-- access.password_of(principal): what a password is compared with, and the names that a new one must not be.
CREATE FUNCTION access.password_of(p_principal uuid, OUT name text, OUT email text, OUT phc text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
	SELECT p.name, p.email, c.phc FROM access.principal p LEFT JOIN access.credential c ON c.principal = p.id
	WHERE p.id = p_principal AND p.kind = 'user' AND p.disabled_at IS NULL
$$;

-- access.password_set(principal, phc, session that stays or NULL): every other session ends, and so does a reset under way.
CREATE FUNCTION access.password_set(p_principal uuid, p_phc text, p_but uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	INSERT INTO access.credential AS c (principal, phc) VALUES (p_principal, p_phc)
	ON CONFLICT (principal) DO UPDATE SET phc = excluded.phc, set_at = now();
	DELETE FROM access.password_reset WHERE principal = p_principal;
	DELETE FROM access.lockout l WHERE l.kind = 'account' AND l.key = access.lockout_key(p_principal::text);
	PERFORM event.note('users', p_principal, 'password.set', '{}');
	RETURN (access.session_end(NULL, p_principal, p_but, true, 'session.revoke')).generation;
END $$;

-- access.reset_make(principal, hash, lifetime) -> until when, or NULL if there is no such user: a secret that sets the password once.
CREATE FUNCTION access.reset_make(p_principal uuid, p_hash bytea, p_lifetime interval) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_expires timestamptz;
BEGIN
	INSERT INTO access.password_reset AS r (principal, hash, made_by, expires_at)
	SELECT p.id, p_hash, current_setting('bimodal.actor', true), now() + p_lifetime FROM access.principal p
	WHERE p.id = p_principal AND p.kind = 'user' AND p.disabled_at IS NULL
	ON CONFLICT (principal) DO UPDATE SET hash = excluded.hash, made_by = excluded.made_by, expires_at = excluded.expires_at
	RETURNING expires_at INTO v_expires;
	IF v_expires IS NOT NULL THEN
		PERFORM event.note('users', p_principal, 'password.reset', jsonb_build_object('expires_at', v_expires));
	END IF;
	RETURN v_expires;
END $$;

CREATE FUNCTION access.reset_look(p_hash bytea, OUT principal uuid, OUT name text, OUT email text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
	SELECT p.id, p.name, p.email FROM access.password_reset r JOIN access.principal p ON p.id = r.principal
	WHERE r.hash = p_hash AND r.expires_at > now() AND p.disabled_at IS NULL
$$;

-- access.reset_use(hash, phc) -> the generation, or NULL: the secret works once.
CREATE FUNCTION access.reset_use(p_hash bytea, p_phc text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_principal uuid;
BEGIN
	DELETE FROM access.password_reset r USING access.principal p WHERE r.hash = p_hash AND r.expires_at > now() AND p.id = r.principal
		AND p.disabled_at IS NULL RETURNING r.principal INTO v_principal;
	IF v_principal IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('bimodal.actor', v_principal::text, true);
	RETURN access.password_set(v_principal, p_phc, NULL);
END $$;

-- access.admin_make(id if new, login, hash, lifetime, force) -> until when: an operator with a secret that sets his password. Refused
-- if an operator can sign in already, unless forced. The executor's: it is called by who installs.
CREATE FUNCTION access.admin_make(p_id uuid, p_login text, p_hash bytea, p_lifetime interval, p_force boolean) RETURNS timestamptz
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_id uuid;
BEGIN
	IF NOT p_force AND EXISTS (SELECT FROM access.principal p JOIN access.role_grant g ON g.principal = p.id
		JOIN access.credential c ON c.principal = p.id WHERE g.role = 'operator' AND p.disabled_at IS NULL)
	THEN
		RAISE EXCEPTION 'there is an operator already who can sign in; he can make others (or use --force)' USING ERRCODE = 'CR409';
	END IF;
	INSERT INTO access.principal AS p (id, name, kind) VALUES (p_id, p_login, 'user') ON CONFLICT (name) DO NOTHING;
	SELECT p.id INTO v_id FROM access.principal p WHERE p.name = p_login AND p.kind = 'user' AND p.disabled_at IS NULL;
	IF v_id IS NULL THEN
		RAISE EXCEPTION 'the principal % is a service or was disabled', p_login USING ERRCODE = 'CR409';
	END IF;
	INSERT INTO access.role_grant (principal, role) VALUES (v_id, 'operator') ON CONFLICT DO NOTHING;
	RETURN access.reset_make(v_id, p_hash, p_lifetime);
END $$;
