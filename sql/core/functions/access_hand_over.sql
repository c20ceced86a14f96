-- Hand-over: a leaver ends everywhere and his successor has what he owned, in one transaction. access.hand_over_look() counts, and
-- names the records of which both owners would become one person; it changes nothing.
CREATE FUNCTION access.hand_over_look(p_leaver uuid, p_successor uuid) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_from text[] := (SELECT ARRAY[p.id::text, p.name] FROM access.principal p WHERE p.id = p_leaver);
	v_to text[] := (SELECT ARRAY[p.id::text, p.name] FROM access.principal p WHERE p.id = p_successor);
	v_owned jsonb := '{}';
	v_ended jsonb := '{}';
	v_both jsonb := '[]';
	v_some jsonb;
	v_n bigint;
	v_at int;
	v_type text;
	r record;
BEGIN
	FOR r IN SELECT * FROM access.owned_all() LOOP
		v_at := CASE r.holds WHEN 'id' THEN 1 ELSE 2 END;
		v_type := CASE r.holds WHEN 'id' THEN 'uuid' ELSE 'text' END;
		EXECUTE format('SELECT count(*) FROM %1$s t WHERE (t.%2$I = $1::%4$s OR t.%3$I = $1::%4$s) AND (%5$s)', r.relation, r.business,
			coalesce(r.technical, r.business), v_type, r.live) INTO v_n USING v_from[v_at];
		v_owned := v_owned || jsonb_build_object(r.resource, v_n + coalesce((v_owned ->> r.resource)::bigint, 0));
		CONTINUE WHEN r.technical IS NULL;
		EXECUTE format('SELECT coalesce(jsonb_agg(jsonb_build_object(''resource'', $3::text, ''record'', x.k) ORDER BY x.k), ''[]'') FROM ('
			'SELECT t.%6$I::text AS k FROM %1$s t WHERE ((t.%2$I = $1::%4$s AND t.%3$I = $2::%4$s) OR (t.%2$I = $2::%4$s AND t.%3$I = $1::%4$s))'
			' AND (%5$s) ORDER BY 1 LIMIT 100) x', r.relation, r.business, r.technical, v_type, r.live, r.key)
			INTO v_some USING v_from[v_at], v_to[v_at], r.resource;
		v_both := v_both || v_some;
	END LOOP;
	FOR r IN SELECT * FROM access.ending LOOP
		EXECUTE format('SELECT count(*) FROM %s t WHERE t.%I = $1 AND t.%I IS NULL', r.relation, r.principal, r.ended)
			INTO v_n USING p_leaver;
		v_ended := v_ended || jsonb_build_object(r.resource, v_n);
	END LOOP;
	RETURN jsonb_build_object('leaver', p_leaver, 'successor', p_successor, 'owned', v_owned,
		'leads', (SELECT count(*) FROM access.membership m JOIN access.team t ON t.id = m.team
			WHERE m.principal = p_leaver AND m.is_lead AND t.archived_at IS NULL),
		'ended', v_ended || jsonb_build_object(
			'roles', (SELECT count(*) FROM access.role_grant WHERE principal = p_leaver),
			'memberships', (SELECT count(*) FROM access.membership WHERE principal = p_leaver)),
		-- He has seen these tokens of services: they should be rotated.
		'tokens_seen', (SELECT count(*) FROM access.token WHERE created_by = p_leaver AND principal <> p_leaver
			AND revoked_at IS NULL AND expires_at > now()),
		'one_person_twice', v_both);
END $$;

-- One relation's part: the owners are moved; a table that does not record its own writes gets an event for each of its rows.
CREATE FUNCTION access.hand_over_move(r access.owned, p_from text, p_to text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_type text := CASE r.holds WHEN 'id' THEN 'uuid' ELSE 'text' END;
	v_set text := format('%1$I = CASE WHEN t.%1$I = $1::%2$s THEN $2::%2$s ELSE t.%1$I END', r.business, v_type);
	v_key text;
	v_sql text;
BEGIN
	IF r.technical IS NOT NULL THEN
		v_set := v_set || format(', %1$I = CASE WHEN t.%1$I = $1::%2$s THEN $2::%2$s ELSE t.%1$I END', r.technical, v_type);
	END IF;
	v_sql := format('UPDATE %1$s t SET %2$s WHERE (t.%3$I = $1::%5$s OR t.%4$I = $1::%5$s) AND (%6$s)', r.relation, v_set, r.business,
		coalesce(r.technical, r.business), v_type, r.live);
	IF r.recorded THEN
		EXECUTE v_sql USING p_from, p_to;
		RETURN;
	END IF;
	FOR v_key IN EXECUTE v_sql || format(' RETURNING t.%I::text', r.key) USING p_from, p_to LOOP
		PERFORM event.note(r.resource, NULL, 'owner.move', jsonb_build_object('key', v_key, 'from', p_from, 'to', p_to));
	END LOOP;
END $$;

CREATE FUNCTION access.hand_over(p_actor uuid, p_request text, p_leaver uuid, p_successor uuid, p_reason text, p_dry boolean)
RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_records CONSTANT bigint := 100000;
	v_leaver access.principal;
	v_successor access.principal;
	v_look jsonb;
	v_both text;
	r access.owned;
	e access.ending;
BEGIN
	PERFORM access.act(p_actor, p_request);
	PERFORM FROM access.state FOR UPDATE;
	-- Whoever names one of them as an owner now waits, and then sees that he has left.
	PERFORM FROM access.principal p WHERE p.id IN (p_leaver, p_successor) ORDER BY p.id FOR NO KEY UPDATE;
	SELECT * INTO v_leaver FROM access.principal WHERE id = p_leaver;
	SELECT * INTO v_successor FROM access.principal WHERE id = p_successor;
	IF v_leaver.id IS NULL THEN
		RAISE EXCEPTION 'there is no user %', p_leaver USING ERRCODE = 'CR404';
	END IF;
	PERFORM access.must(p_successor <> p_leaver, 'successor', 'the successor is the leaver'),
		access.must(v_successor.id IS NOT NULL AND v_successor.kind = 'user', 'successor', 'there is no such user'),
		access.must(v_successor.disabled_at IS NULL, 'successor', 'the successor is disabled');
	IF v_leaver.kind <> 'user' THEN
		RAISE EXCEPTION 'a service does not leave: disable it' USING ERRCODE = 'CR409';
	END IF;
	v_look := access.hand_over_look(p_leaver, p_successor) || jsonb_build_object('dry_run', p_dry);
	IF p_dry THEN
		RETURN v_look;
	END IF;
	SELECT string_agg(format('%s "%s"', c ->> 'resource', c ->> 'record'), ', ') INTO v_both
		FROM (SELECT c FROM jsonb_array_elements(v_look -> 'one_person_twice') c LIMIT 4) x;
	IF v_both IS NOT NULL THEN
		RAISE EXCEPTION 'business and technical owner would be one person of % record(s): %', jsonb_array_length(v_look -> 'one_person_twice'),
			v_both USING ERRCODE = 'CR409', COLUMN = 'successor';
	ELSIF (SELECT sum(value::bigint) FROM jsonb_each_text(v_look -> 'owned')) > c_records THEN
		RAISE EXCEPTION 'he owns more than % records: give some of them to others first', c_records USING ERRCODE = 'CR409';
	END IF;
	FOR r IN SELECT * FROM access.owned_all() LOOP
		PERFORM access.hand_over_move(r, CASE r.holds WHEN 'id' THEN p_leaver::text ELSE v_leaver.name END,
			CASE r.holds WHEN 'id' THEN p_successor::text ELSE v_successor.name END);
	END LOOP;
	INSERT INTO access.membership AS m (principal, team, is_lead)
	SELECT p_successor, x.team, true FROM access.membership x JOIN access.team t ON t.id = x.team
		WHERE x.principal = p_leaver AND x.is_lead AND t.archived_at IS NULL
	ON CONFLICT (principal, team) DO UPDATE SET is_lead = true WHERE NOT m.is_lead;
	DELETE FROM access.membership WHERE principal = p_leaver;
	FOR e IN SELECT * FROM access.ending LOOP
		EXECUTE format('UPDATE %s t SET %I = clock_timestamp() WHERE t.%I = $1 AND t.%I IS NULL', e.relation, e.ended, e.principal,
			e.ended) USING p_leaver;
	END LOOP;
	DELETE FROM access.role_grant WHERE principal = p_leaver;
	UPDATE access.principal SET disabled_at = clock_timestamp() WHERE id = p_leaver AND disabled_at IS NULL;
	PERFORM event.note('users', p_leaver, 'user.hand-over', v_look || jsonb_build_object('reason', p_reason));
	RETURN v_look;
END $$;
