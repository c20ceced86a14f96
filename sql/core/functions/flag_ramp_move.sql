-- What happens to a ramp: each in the transaction of its cause, under the flag's row lock, with a row of flag.ramp_move and of the log.

CREATE FUNCTION flag.ramp_note(r flag.ramp, p_what text, p_coverage numeric, p_revision bigint, p_note text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	INSERT INTO flag.ramp_move (ramp, n, what, step, coverage, revision, actor, note)
	SELECT r.id, coalesce(max(m.n), 0) + 1, p_what, r.step, p_coverage, p_revision, flag.by(), p_note FROM flag.ramp_move m WHERE m.ramp = r.id;
	PERFORM event.note('flags', NULL, 'flag.ramp_' || p_what, jsonb_build_object('key', r.flag, 'ramp', r.id, 'rule', r.rule_id,
		'place', r.rule_place, 'step', r.step + 1, 'of', jsonb_array_length(r.steps), 'coverage', p_coverage,
		'percent', flag.percent(p_coverage), 'revision', p_revision, 'reason', p_note));
END $$;

CREATE FUNCTION flag.percent(p_coverage numeric) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT trim_scale(p_coverage * 100) || ' %'
$$;

CREATE FUNCTION flag.ramp_covers(r flag.ramp) RETURNS numeric
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT (r.steps -> r.step ->> 'coverage')::numeric
$$;

-- Make a step the present one: a revision with its coverage. p_begun: what its duration counts from.
CREATE FUNCTION flag.ramp_put(p_ramp uuid, o flag.revision, p_to int, p_begun timestamptz, p_what text, p_note text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r flag.ramp;
	v_coverage numeric;
	v_revision bigint;
BEGIN
	UPDATE flag.ramp x SET step = p_to, begun_at = p_begun, moved_at = clock_timestamp(), approved_by = NULL, approved_at = NULL, asked_at = NULL
	WHERE x.id = p_ramp RETURNING * INTO STRICT r;
	v_coverage := flag.ramp_covers(r);
	PERFORM set_config('bimodal.ramp', r.id::text, true);
	v_revision := flag.revise(o, flag.rule_cover(o.document, flag.rule_place(o.document, r.rule_id, r.rule_place), v_coverage), o.enabled,
		format('ramp %s: step %s of %s, %s', r.id, p_to + 1, jsonb_array_length(r.steps), flag.percent(v_coverage)));
	PERFORM set_config('bimodal.ramp', '', true);
	PERFORM flag.ramp_note(r, p_what, v_coverage, v_revision, p_note);
	IF p_to = jsonb_array_length(r.steps) - 1 THEN
		UPDATE flag.ramp x SET state = 'done', ended_at = clock_timestamp() WHERE x.id = r.id;
		PERFORM flag.ramp_note(r, 'done', v_coverage, v_revision, '');
	END IF;
END $$;

CREATE FUNCTION flag.ramp_hold(p_ramp uuid, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r flag.ramp;
BEGIN
	UPDATE flag.ramp x SET state = 'held', held_at = clock_timestamp(), held_by = flag.by(), held_reason = p_reason
	WHERE x.id = p_ramp AND x.state = 'running' RETURNING * INTO r;
	IF FOUND THEN
		PERFORM flag.ramp_note(r, 'hold', flag.ramp_covers(r), NULL, p_reason);
	END IF;
END $$;

CREATE FUNCTION flag.ramp_end(p_ramp uuid, p_reason text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r flag.ramp;
BEGIN
	UPDATE flag.ramp x SET state = 'cancelled', ended_at = clock_timestamp() WHERE x.id = p_ramp RETURNING * INTO STRICT r;
	PERFORM flag.ramp_note(r, 'cancel', flag.ramp_covers(r), NULL, p_reason);
END $$;

-- Why the rule cannot be ramped further, or null.
CREATE FUNCTION flag.ramp_hindrance(r flag.ramp, o flag.revision) RETURNS text
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT CASE WHEN p.place IS NULL OR flag.rule_hash(o.document -> 'rules' -> p.place) <> r.rule_hash
		OR flag.rule_coverage(o.document -> 'rules' -> p.place) <> flag.ramp_covers(r) THEN 'the rule is not the one that was being ramped'
		WHEN NOT o.enabled THEN 'the flag is off' END
	FROM (SELECT flag.rule_place(o.document, r.rule_id, r.rule_place)) p (place)
$$;
