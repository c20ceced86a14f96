-- Schedules: at a time turn a flag on or off, publish a draft, or set the coverage of one rule. The draft is kept as it was when the
-- schedule was made; what cannot be done then is told, and not tried again.
CREATE FUNCTION flag.schedule_end(p_id uuid, p_state text, p_revision bigint, p_note text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	s flag.schedule;
BEGIN
	UPDATE flag.schedule x SET state = p_state, ended_at = clock_timestamp(), ended_by = flag.by(), revision = p_revision, note = p_note
	WHERE x.id = p_id AND x.state = 'waiting' RETURNING * INTO STRICT s;
	PERFORM event.note('flags', NULL, 'flag.schedule_' || p_state, jsonb_build_object('key', s.flag, 'schedule', s.id, 'action', s.action,
		'at', s.at, 'revision', p_revision, 'coverage', s.coverage, 'reason', p_note, 'made_by', s.made_by));
END $$;

-- A protected flag can be planned to go off: that takes one person at any time. Anything else takes two, by a request.
CREATE FUNCTION flag.schedule_allowed(p_flag text, p_action text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
	IF p_action <> 'disable' AND flag.is_protected(p_flag) THEN
		RAISE EXCEPTION 'the flag "%" is protected: it takes two people at the time', p_flag USING ERRCODE = 'CR423';
	END IF;
END $$;

CREATE FUNCTION flag.schedule_make(p_flag text, p_at timestamptz, p_action text, p_rule_id text, p_place int, p_coverage numeric,
	p_comment text, p_actor uuid, p_request text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	o flag.revision;
	d flag.draft;
	s flag.schedule;
BEGIN
	PERFORM access.act(p_actor, p_request);
	o := flag.locked(p_flag);
	PERFORM flag.schedule_allowed(p_flag, p_action);
	PERFORM access.must(p_at < f.expires_at, 'at', 'the flag expires before that') FROM flag.flag f WHERE f.key = p_flag;
	IF (SELECT count(*) FROM flag.schedule x WHERE x.flag = p_flag AND x.state = 'waiting') >= 16 THEN
		RAISE EXCEPTION 'the flag "%" has 16 schedules already: that is the limit', p_flag USING ERRCODE = 'CR409';
	END IF;
	IF p_action = 'publish' THEN
		SELECT * INTO d FROM flag.draft x WHERE x.key = p_flag;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'the flag "%" has no draft', p_flag USING ERRCODE = 'CR409';
		END IF;
	ELSIF p_action = 'coverage' THEN
		SELECT * INTO p_rule_id, p_place FROM flag.rule_named(o.document, p_rule_id, p_place);
	END IF;
	INSERT INTO flag.schedule (flag, at, action, document, base, rule_id, rule_place, rule_hash, coverage, comment, made_by)
	VALUES (p_flag, p_at, p_action, d.document, d.base, p_rule_id, p_place, flag.rule_hash(o.document -> 'rules' -> p_place),
		p_coverage, p_comment, p_actor)
	RETURNING * INTO s;
	PERFORM event.note('flags', NULL, 'flag.schedule', jsonb_build_object('key', p_flag, 'schedule', s.id, 'action', p_action, 'at', p_at,
		'base', s.base, 'document', s.document, 'rule', p_rule_id, 'place', p_place, 'coverage', p_coverage, 'comment', p_comment));
	RETURN s.id;
END $$;

CREATE FUNCTION flag.schedule_cancel(p_flag text, p_id uuid, p_actor uuid, p_request text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	s flag.schedule;
BEGIN
	PERFORM access.act(p_actor, p_request);
	PERFORM FROM flag.flag x WHERE x.key = p_flag FOR UPDATE;
	SELECT * INTO s FROM flag.schedule x WHERE x.id = p_id AND x.flag = p_flag FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the flag "%" has no such schedule', p_flag USING ERRCODE = 'CR404';
	ELSIF s.state <> 'waiting' THEN
		RAISE EXCEPTION 'the schedule is %', s.state USING ERRCODE = 'CR410';
	END IF;
	PERFORM flag.schedule_end(p_id, 'cancelled', NULL, '');
END $$;

-- What it does to the rules; an error says why it cannot be done.
CREATE FUNCTION flag.schedule_document(s flag.schedule, o flag.revision) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
	v_place int := flag.rule_place(o.document, s.rule_id, s.rule_place);
BEGIN
	IF s.action = 'publish' THEN
		IF o.document::text <> (SELECT b.document::text FROM flag.revision b WHERE b.revision = s.base) THEN
			RAISE EXCEPTION 'the rules have changed since the draft was made' USING ERRCODE = 'CR409';
		END IF;
		RETURN s.document;
	ELSIF s.action = 'coverage' THEN
		IF v_place IS NULL OR flag.rule_hash(o.document -> 'rules' -> v_place) <> s.rule_hash THEN
			RAISE EXCEPTION 'the rule has changed since the schedule was made' USING ERRCODE = 'CR409';
		END IF;
		RETURN flag.rule_cover(o.document, v_place, s.coverage);
	END IF;
	RETURN o.document;
END $$;

CREATE FUNCTION flag.schedule_go(p_id uuid, p_request text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	o flag.revision;
	s flag.schedule;
	v_document jsonb;
	v_enabled boolean;
	v_revision bigint;
	v_why text;
BEGIN
	PERFORM FROM flag.flag x JOIN flag.schedule y ON y.flag = x.key WHERE y.id = p_id FOR UPDATE OF x;
	SELECT * INTO s FROM flag.schedule x WHERE x.id = p_id AND x.state = 'waiting' AND x.at <= now() FOR UPDATE;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('bimodal.actor', 'system:flags', true), set_config('bimodal.request', p_request, true);
	BEGIN
		o := flag.locked(s.flag);
		PERFORM flag.schedule_allowed(s.flag, s.action);
		v_document := flag.schedule_document(s, o);
		v_enabled := CASE s.action WHEN 'enable' THEN true WHEN 'disable' THEN false ELSE o.enabled END;
		IF v_document::text <> o.document::text OR v_enabled <> o.enabled THEN
			v_revision := flag.revise(o, v_document, v_enabled, concat_ws(': ', 'schedule ' || s.id, nullif(s.comment, '')));
			DELETE FROM flag.draft d WHERE s.action = 'publish' AND d.key = s.flag AND d.document::text = s.document::text;
		END IF;
		PERFORM flag.schedule_end(s.id, 'done', v_revision, CASE WHEN v_revision IS NULL THEN 'it was so already' ELSE '' END);
		RETURN 'done';
	EXCEPTION WHEN raise_exception OR SQLSTATE 'CR404' OR SQLSTATE 'CR409' OR SQLSTATE 'CR410' OR SQLSTATE 'CR423' OR SQLSTATE 'CR422' THEN
		v_why := SQLERRM;
	END;
	PERFORM flag.schedule_end(s.id, 'failed', NULL, v_why);
	RETURN 'failed';
END $$;

CREATE FUNCTION flag.schedule_json(s flag.schedule) RETURNS json
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT json_build_object('id', s.id, 'flag', s.flag, 'at', s.at, 'action', s.action, 'rule', s.rule_id, 'place', s.rule_place,
		'coverage', s.coverage, 'base', s.base, 'document', s.document, 'comment', s.comment, 'state', s.state, 'made_at', s.made_at,
		'made_by', s.made_by, 'made_by_name', access.name_of(s.made_by), 'ended_at', s.ended_at, 'ended_by', s.ended_by,
		'ended_by_name', access.name_of(s.ended_by), 'revision', s.revision, 'note', s.note)
$$;
