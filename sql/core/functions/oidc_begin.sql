-- Sign-in by OpenID Connect, once the token has been checked: who is it, what may he, and a session.
--
-- access.oidc_person(issuer, subject, login, by e-mail, e-mail or NULL, display name or NULL, make, id if new, OUT principal, refusal).
-- Issuer and subject are what a person is known by; the login counts once, the first time. So who gets a login that somebody else had
-- does not become him.
CREATE FUNCTION access.oidc_person(p_issuer text, p_subject text, p_login text, p_by_email boolean, p_email text, p_display text,
	p_make boolean, p_new uuid, OUT person uuid, OUT refusal text)
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_name text := lower(p_login);
BEGIN
	SELECT i.principal INTO person FROM access.identity i WHERE i.issuer = p_issuer AND i.subject = p_subject;
	IF FOUND THEN
		RETURN;
	END IF;
	-- One at a time: two first sign-ins of one person are one.
	PERFORM FROM access.state FOR UPDATE;
	SELECT i.principal INTO person FROM access.identity i WHERE i.issuer = p_issuer AND i.subject = p_subject;
	IF FOUND THEN
		RETURN;
	END IF;
	SELECT p.id INTO person FROM access.principal p
		WHERE CASE WHEN p_by_email THEN lower(p.email) = v_name ELSE p.name IN (p_login, v_name) END AND p.kind = 'user'
		ORDER BY p.name = p_login DESC LIMIT 1;
	IF FOUND THEN
		IF EXISTS (SELECT FROM access.identity i WHERE i.principal = person AND i.issuer = p_issuer) THEN
			person := NULL;
			refusal := 'other-subject';
			RETURN;
		END IF;
	ELSIF NOT p_make THEN
		refusal := 'unknown';
		RETURN;
	ELSE
		IF p_by_email THEN
			v_name := regexp_replace(v_name, '[^a-z0-9._-]', '-', 'g');
		END IF;
		IF v_name !~ '^[a-z0-9][a-z0-9._-]{0,99}$' OR EXISTS (SELECT FROM access.principal p WHERE p.name = v_name) THEN
			refusal := 'login';
			RETURN;
		ELSIF (SELECT count(*) FROM access.principal) >= 100000 THEN
			refusal := 'too-many-users';
			RETURN;
		END IF;
		person := p_new;
		-- An address that is somebody else's here is left out rather than taken over.
		INSERT INTO access.principal (id, name, kind, email, display_name)
		VALUES (p_new, v_name, 'user', CASE WHEN p_email ~ '^[^@[:space:][:cntrl:]]{1,64}@[^@[:space:][:cntrl:]]{1,190}$'
			AND NOT EXISTS (SELECT FROM access.principal p WHERE lower(p.email) = lower(p_email)) THEN p_email END,
			CASE WHEN p_display ~ '^[^[:cntrl:]]{1,200}$' THEN p_display END);
	END IF;
	INSERT INTO access.identity (issuer, subject, principal) VALUES (p_issuer, p_subject, person);
END $$;

-- access.oidc_roles(principal, roles): the roles that came by groups are these from now on. A role that was given by hand is not touched,
-- and stays given by hand. The last operator keeps that role. Nothing is done to who is disabled.
CREATE FUNCTION access.oidc_roles(p_principal uuid, p_roles text[]) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM access.role_grant g WHERE g.principal = p_principal AND g.by_group AND g.role <> ALL (p_roles))
		AND NOT EXISTS (SELECT FROM unnest(p_roles) r WHERE NOT EXISTS (SELECT FROM access.role_grant g
			WHERE g.principal = p_principal AND g.role = r))
	THEN
		RETURN;
	END IF;
	-- Held first, as by everybody who changes people: nobody is disabled meanwhile.
	PERFORM FROM access.state FOR UPDATE;
	IF NOT EXISTS (SELECT FROM access.principal p WHERE p.id = p_principal AND p.kind = 'user' AND p.disabled_at IS NULL) THEN
		RETURN;
	END IF;
	DELETE FROM access.role_grant g WHERE g.principal = p_principal AND g.by_group AND g.role <> ALL (p_roles) AND g.role <> 'operator';
	INSERT INTO access.role_grant (principal, role, by_group) SELECT DISTINCT p_principal, r, true FROM unnest(p_roles) r
	ON CONFLICT DO NOTHING;
	BEGIN
		DELETE FROM access.role_grant g WHERE g.principal = p_principal AND g.by_group AND g.role = 'operator'
			AND g.role <> ALL (p_roles);
	EXCEPTION WHEN SQLSTATE 'CR409' THEN
		PERFORM event.note('users', p_principal, 'role.kept', '{"role": "operator", "why": "the last operator"}');
	END;
END $$;

-- access.oidc_begin(…) -> until when, or why not: no session is made then, but what the groups say of a known person holds all the same.
CREATE FUNCTION access.oidc_begin(p_issuer text, p_subject text, p_login text, p_by_email boolean, p_email text, p_display text,
	p_roles text[], p_create boolean, p_new uuid, p_id uuid, p_hash bytea, p_address text, p_agent text, p_idle interval,
	p_lifetime interval, p_presented bytea, OUT expires timestamptz, OUT refusal text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_person uuid;
BEGIN
	SELECT f.person, f.refusal INTO v_person, refusal FROM access.oidc_person(p_issuer, p_subject, p_login, p_by_email, p_email, p_display,
		p_create AND cardinality(p_roles) > 0, p_new) f;
	IF v_person IS NOT NULL THEN
		PERFORM access.oidc_roles(v_person, p_roles);
		PERFORM FROM access.principal p WHERE p.id = v_person AND p.kind = 'user' AND p.disabled_at IS NULL FOR SHARE;
		IF NOT FOUND THEN
			refusal := 'disabled';
		ELSIF NOT EXISTS (SELECT FROM access.role_grant g WHERE g.principal = v_person) THEN
			refusal := 'no-role';
		END IF;
	END IF;
	IF refusal IS NOT NULL THEN
		PERFORM event.note('sessions', v_person, 'session.refused', jsonb_build_object('method', 'oidc', 'reason', refusal,
			'principal', v_person, 'address', p_address));
		RETURN;
	END IF;
	PERFORM set_config('bimodal.actor', v_person::text, true);
	expires := access.session_open(p_id, v_person, p_hash, 'oidc', p_address, p_agent, p_idle, p_lifetime, p_presented, '{}');
END $$;
