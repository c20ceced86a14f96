-- Teams and who is in them.
CREATE FUNCTION access.team_json(p_id uuid) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
	RETURN (SELECT to_json(x) FROM (SELECT t.id, t.name, t.slug, t.parent,
	(SELECT count(*) FROM access.membership m WHERE m.team = t.id) AS members,
	ARRAY(SELECT m.principal FROM access.membership m WHERE m.team = t.id AND m.is_lead ORDER BY m.principal) AS leads,
	t.archived_at, t.created_at, t.updated_at, t.version
	FROM access.team t WHERE t.id = p_id) x);
END $$;

CREATE FUNCTION access.team_check(p_patch jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_parent uuid := (p_patch ->> 'parent')::uuid;
BEGIN
	PERFORM access.must(coalesce(p_patch ->> 'name' ~ '^[^[:cntrl:]]{1,200}$', true), 'name',
		'must have 1 to 200 characters and no control characters'),
		access.must(coalesce(p_patch ->> 'slug' ~ '^[a-z0-9][a-z0-9-]{0,62}$', true), 'slug',
		'may hold lower-case letters, digits and "-", and begins with a letter or digit; at most 63'),
		access.must(v_parent IS NULL OR EXISTS (SELECT FROM access.team t WHERE t.id = v_parent), 'parent', 'there is no such team');
END $$;

CREATE FUNCTION access.team_create(p_actor uuid, p_request text, p_id uuid, p_body jsonb) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_teams CONSTANT int := 10000;
BEGIN
	PERFORM access.act(p_actor, p_request), access.team_check(p_body);
	PERFORM FROM access.state FOR UPDATE;
	IF (SELECT count(*) FROM access.team) >= c_teams THEN
		RAISE EXCEPTION 'there are % teams already: that is the limit', c_teams USING ERRCODE = 'CR409';
	END IF;
	INSERT INTO access.team (id, name, slug, parent) VALUES (p_id, p_body ->> 'name', p_body ->> 'slug', (p_body ->> 'parent')::uuid);
	RETURN access.team_json(p_id);
END $$;

-- p_version NULL: whatever it is. p_archived NULL: as it is.
CREATE FUNCTION access.team_change(p_actor uuid, p_request text, p_id uuid, p_version bigint, p_patch jsonb, p_archived boolean)
RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	t access.team;
BEGIN
	PERFORM access.act(p_actor, p_request), access.team_check(p_patch);
	PERFORM FROM access.state FOR UPDATE;
	SELECT * INTO t FROM access.team x WHERE x.id = p_id FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no team %', p_id USING ERRCODE = 'CR404';
	ELSIF t.version <> p_version THEN
		RAISE EXCEPTION 'the team is at version % now', t.version USING ERRCODE = 'CR412', COLUMN = 'If-Match';
	END IF;
	UPDATE access.team x SET
		name = coalesce(p_patch ->> 'name', x.name),
		slug = coalesce(p_patch ->> 'slug', x.slug),
		parent = CASE WHEN p_patch ? 'parent' THEN (p_patch ->> 'parent')::uuid ELSE x.parent END,
		archived_at = CASE WHEN p_archived THEN coalesce(x.archived_at, clock_timestamp()) WHEN NOT p_archived THEN NULL
			ELSE x.archived_at END
		WHERE x.id = p_id;
	RETURN access.team_json(p_id);
END $$;

-- p_is_lead NULL: he is taken out. Services are no members of teams.
CREATE FUNCTION access.team_member(p_actor uuid, p_request text, p_team uuid, p_principal uuid, p_is_lead boolean) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_members CONSTANT int := 2000;
	t access.team;
	p access.principal;
BEGIN
	PERFORM access.act(p_actor, p_request);
	p := access.user_hold(p_principal, NULL);
	SELECT * INTO t FROM access.team x WHERE x.id = p_team FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no team %', p_team USING ERRCODE = 'CR404';
	ELSIF p_is_lead IS NULL THEN
		DELETE FROM access.membership WHERE team = p_team AND principal = p_principal;
		RETURN access.team_json(p_team);
	ELSIF t.archived_at IS NOT NULL THEN
		RAISE EXCEPTION 'the team is archived' USING ERRCODE = 'CR409';
	ELSIF p.kind <> 'user' OR p.disabled_at IS NOT NULL THEN
		RAISE EXCEPTION 'only active people are members of a team' USING ERRCODE = 'CR409';
	ELSIF (SELECT count(*) FROM access.membership WHERE team = p_team) >= c_members THEN
		RAISE EXCEPTION 'the team has % members already: that is the limit', c_members USING ERRCODE = 'CR409';
	END IF;
	INSERT INTO access.membership AS m (principal, team, is_lead) VALUES (p_principal, p_team, p_is_lead)
	ON CONFLICT (principal, team) DO UPDATE SET is_lead = excluded.is_lead WHERE m.is_lead <> excluded.is_lead;
	RETURN access.team_json(p_team);
END $$;
