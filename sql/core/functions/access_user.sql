-- Users and service principals. A function in SQL that sets its search_path is planned anew at each call: what is read often is in
-- plpgsql, which keeps its plan. user_json shows the private part (e-mail, locale) only where the caller says so.
CREATE FUNCTION access.user_json(p_id uuid, p_private boolean) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
	RETURN (SELECT (to_jsonb(u) - CASE WHEN p_private THEN ARRAY[]::text[] ELSE ARRAY['email', 'locale'] END
	- CASE u.kind WHEN 'user' THEN ARRAY['business_owner', 'technical_owner'] ELSE ARRAY['email', 'locale'] END)::json
FROM (SELECT p.id, p.name, p.kind, p.display_name, p.email, p.locale, p.business_owner, p.technical_owner,
	ARRAY(SELECT g.role FROM access.role_grant g WHERE g.principal = p.id ORDER BY g.role) AS roles,
	(SELECT coalesce(jsonb_agg(jsonb_build_object('id', t.id, 'slug', t.slug, 'name', t.name, 'is_lead', m.is_lead) ORDER BY t.slug),
		'[]') FROM access.membership m JOIN access.team t ON t.id = m.team
		WHERE m.principal = p.id AND t.archived_at IS NULL) AS teams,
	p.disabled_at, p.created_at, p.updated_at, p.version
	FROM access.principal p WHERE p.id = p_id) u);
END $$;

-- The values of a body; p_patch holds only members that its caller has allowed.
CREATE FUNCTION access.user_check(p_patch jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	PERFORM access.must(coalesce(p_patch ->> 'name' ~ '^[a-z0-9][a-z0-9._-]{0,99}$', true), 'name',
		'may hold lower-case letters, digits, ".", "_" and "-", and begins with a letter or digit; at most 100'),
		access.must(coalesce(p_patch ->> 'email' ~ '^[^@[:space:][:cntrl:]]{1,64}@[^@[:space:][:cntrl:]]{1,190}$', true), 'email',
		'is not an e-mail address'),
		access.must(coalesce(p_patch ->> 'display_name' ~ '^[^[:cntrl:]]{1,200}$', true), 'display_name',
		'must have 1 to 200 characters and no control characters'),
		access.must(coalesce(p_patch ->> 'locale' ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$', true), 'locale',
		'must be a language tag such as "en" or "pt-BR"');
END $$;

-- p_grantable: the roles that the actor may give and take. Nobody raises himself, nor a service that he owns.
CREATE FUNCTION access.roles_put(p_id uuid, p_roles text[], p_grantable text[], p_actor uuid) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_now text[] := ARRAY(SELECT role FROM access.role_grant WHERE principal = p_id);
	v_new text[] := ARRAY(SELECT DISTINCT r FROM unnest(p_roles) r WHERE r <> ALL (v_now));
	v_gone text[] := ARRAY(SELECT r FROM unnest(v_now) r WHERE r <> ALL (p_roles));
	v_not text;
BEGIN
	SELECT r INTO v_not FROM unnest(v_new || v_gone) r WHERE r <> ALL (p_grantable) ORDER BY r LIMIT 1;
	IF v_not IS NOT NULL THEN
		RAISE EXCEPTION 'this needs the right role.grant_%', v_not USING ERRCODE = 'CR403', COLUMN = 'roles';
	ELSIF cardinality(v_new) > 0 AND EXISTS (SELECT FROM access.principal p WHERE p.id = p_id
		AND p_actor IN (p.id, p.business_owner, p.technical_owner))
	THEN
		RAISE EXCEPTION 'nobody gives a role to himself or to a service of his own: ask another person'
			USING ERRCODE = 'CR403', COLUMN = 'roles';
	END IF;
	DELETE FROM access.role_grant WHERE principal = p_id AND role = ANY (v_gone);
	INSERT INTO access.role_grant (principal, role) SELECT p_id, r FROM unnest(v_new) r;
END $$;

CREATE FUNCTION access.user_create(p_actor uuid, p_request text, p_id uuid, p_body jsonb, p_grantable text[]) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_users CONSTANT int := 100000;
	v_kind text := coalesce(p_body ->> 'kind', 'user');
BEGIN
	PERFORM access.act(p_actor, p_request), access.user_check(p_body),
		access.must(v_kind IN ('user', 'service'), 'kind', 'must be "user" or "service"'),
		access.must(v_kind = 'user' OR (p_body ->> 'email') IS NULL, 'email', 'a service has no e-mail address'),
		access.must(v_kind = 'user' OR (p_body ->> 'locale') IS NULL, 'locale', 'a service has no language'),
		access.must(v_kind = 'service' OR coalesce(p_body ->> 'business_owner', p_body ->> 'technical_owner') IS NULL,
			CASE WHEN p_body ->> 'business_owner' IS NOT NULL THEN 'business_owner' ELSE 'technical_owner' END,
			'a person has no owner'),
		access.must(v_kind = 'user' OR (p_body ->> 'business_owner') IS NOT NULL, 'business_owner', '"business_owner" is required'),
		access.must(v_kind = 'user' OR (p_body ->> 'technical_owner') IS NOT NULL, 'technical_owner', '"technical_owner" is required');
	PERFORM FROM access.state FOR UPDATE;
	IF (SELECT count(*) FROM access.principal) >= c_users THEN
		RAISE EXCEPTION 'there are % users already: that is the limit', c_users USING ERRCODE = 'CR409';
	END IF;
	INSERT INTO access.principal (id, name, kind, display_name, email, locale, business_owner, technical_owner)
	VALUES (p_id, p_body ->> 'name', v_kind, p_body ->> 'display_name', p_body ->> 'email', p_body ->> 'locale',
		(p_body ->> 'business_owner')::uuid, (p_body ->> 'technical_owner')::uuid);
	PERFORM access.roles_put(p_id, ARRAY(SELECT jsonb_array_elements_text(coalesce(p_body -> 'roles', '[]'))), p_grantable, p_actor);
	RETURN access.user_json(p_id, true);
END $$;

-- The row, held; p_version NULL: whatever it is.
CREATE FUNCTION access.user_hold(p_id uuid, p_version bigint) RETURNS access.principal
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	p access.principal;
BEGIN
	PERFORM FROM access.state FOR UPDATE;
	SELECT * INTO p FROM access.principal q WHERE q.id = p_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no user %', p_id USING ERRCODE = 'CR404';
	ELSIF p.version <> p_version THEN
		RAISE EXCEPTION 'the user is at version % now', p.version USING ERRCODE = 'CR412', COLUMN = 'If-Match';
	END IF;
	RETURN p;
END $$;

CREATE FUNCTION access.user_change(p_actor uuid, p_request text, p_id uuid, p_version bigint, p_patch jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	p access.principal;
	v_of_users text;
BEGIN
	PERFORM access.act(p_actor, p_request), access.user_check(p_patch);
	p := access.user_hold(p_id, p_version);
	SELECT k INTO v_of_users FROM jsonb_object_keys(p_patch) k
		WHERE p_patch ->> k IS NOT NULL AND k = ANY (CASE p.kind WHEN 'user' THEN ARRAY['business_owner', 'technical_owner']
			ELSE ARRAY['email', 'locale'] END) ORDER BY k LIMIT 1;
	PERFORM access.must(v_of_users IS NULL, v_of_users, format('a %s has none', CASE p.kind WHEN 'user' THEN 'person' ELSE 'service' END)),
		access.must(p.kind = 'user' OR NOT p_patch ? 'business_owner' OR p_patch ->> 'business_owner' IS NOT NULL,
			'business_owner', 'a service is not left without an owner'),
		access.must(p.kind = 'user' OR NOT p_patch ? 'technical_owner' OR p_patch ->> 'technical_owner' IS NOT NULL,
			'technical_owner', 'a service is not left without an owner');
	UPDATE access.principal q SET
		display_name = CASE WHEN p_patch ? 'display_name' THEN p_patch ->> 'display_name' ELSE q.display_name END,
		email = CASE WHEN p_patch ? 'email' THEN p_patch ->> 'email' ELSE q.email END,
		locale = CASE WHEN p_patch ? 'locale' THEN p_patch ->> 'locale' ELSE q.locale END,
		business_owner = CASE WHEN p_patch ? 'business_owner' THEN (p_patch ->> 'business_owner')::uuid ELSE q.business_owner END,
		technical_owner = CASE WHEN p_patch ? 'technical_owner' THEN (p_patch ->> 'technical_owner')::uuid ELSE q.technical_owner END
		WHERE q.id = p_id;
	RETURN access.user_json(p_id, true);
END $$;

-- A disabled principal's tokens do not work, and do again if it is enabled; hand-over ends them. Sessions cost nothing to make anew, and
-- the cookie may be the reason why: they end.
CREATE FUNCTION access.user_able(p_actor uuid, p_request text, p_id uuid, p_able boolean) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	PERFORM access.act(p_actor, p_request);
	PERFORM access.user_hold(p_id, NULL);
	UPDATE access.principal SET disabled_at = CASE WHEN p_able THEN NULL ELSE clock_timestamp() END
		WHERE id = p_id AND (disabled_at IS NULL) <> p_able;
	IF NOT p_able THEN
		UPDATE access.session SET revoked_at = now() WHERE principal = p_id AND revoked_at IS NULL;
		DELETE FROM access.password_reset WHERE principal = p_id;
	END IF;
	RETURN access.user_json(p_id, true);
END $$;

CREATE FUNCTION access.user_roles(p_actor uuid, p_request text, p_id uuid, p_roles text[], p_grantable text[]) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	PERFORM access.act(p_actor, p_request);
	PERFORM access.user_hold(p_id, NULL);
	PERFORM access.roles_put(p_id, p_roles, p_grantable, p_actor);
	RETURN access.user_json(p_id, true);
END $$;
