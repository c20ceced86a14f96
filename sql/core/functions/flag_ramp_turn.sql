-- flag.ramp_start(…), flag.ramp_turn(…): what people do to a ramp.
-- Steps: [{"coverage", "after_seconds", "sample", "approval"}], checked by the caller for shape, order and limits; all a step names must
-- hold before the next one is made. The first is made at once; of a protected flag only when another person has approved the ramp: it
-- begins with a step more, at what the rule takes in now.
CREATE FUNCTION flag.ramp_start(p_flag text, p_rule_id text, p_place int, p_steps jsonb, p_guardrails jsonb, p_on_breach text,
	p_planned_units int, p_comment text, p_actor uuid, p_request text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	o flag.revision;
	r flag.ramp;
	v_rule jsonb;
	v_id uuid;
	v_unit text;
BEGIN
	PERFORM access.act(p_actor, p_request);
	o := flag.locked(p_flag);
	SELECT * INTO p_rule_id, p_place FROM flag.rule_named(o.document, p_rule_id, p_place);
	v_rule := o.document -> 'rules' -> p_place;
	v_unit := o.document ->> 'unit';
	IF EXISTS (SELECT FROM flag.flag f WHERE f.key = p_flag AND f.kind <> 'release') THEN
		RAISE EXCEPTION 'an experiment keeps its share: with another its figures would say nothing' USING ERRCODE = 'CR409';
	ELSIF NOT o.enabled THEN
		RAISE EXCEPTION 'the flag "%" is off: turn it on first', p_flag USING ERRCODE = 'CR409';
	END IF;
	SELECT x.id INTO v_id FROM flag.ramp x WHERE x.flag = p_flag AND x.state IN ('running', 'held')
		AND flag.rule_place(o.document, x.rule_id, x.rule_place) = p_place;
	IF FOUND THEN
		RAISE EXCEPTION 'the rule is being ramped already, by ramp %', v_id USING ERRCODE = 'CR409';
	END IF;
	PERFORM access.must(coalesce((v_rule ->> 'active')::boolean, true), 'rule', 'the rule is not active');
	PERFORM access.must((p_steps -> 0 ->> 'coverage')::numeric >= flag.rule_coverage(v_rule), 'steps/0/coverage',
		format('the rule takes in %s already, and a ramp only grows', flag.percent(flag.rule_coverage(v_rule))));
	IF flag.is_protected(p_flag) THEN
		p_steps := jsonb_build_array(jsonb_build_object('coverage', flag.rule_coverage(v_rule), 'after_seconds', NULL, 'sample', NULL,
			'approval', true)) || p_steps;
	END IF;
	PERFORM access.must(p_guardrails = '[]' OR v_unit <> 'visitor', 'guardrails', 'visitors are not in the record: nothing of them can be watched');
	PERFORM access.must(v_unit = 'person' OR g.value ->> 'metric' <> 'consent_withdrawn', 'guardrails/' || g.n - 1 || '/metric',
		'only people withdraw a consent') FROM jsonb_array_elements(p_guardrails) WITH ORDINALITY g (value, n);
	PERFORM access.must(v_rule ? 'experiment' OR g.value ->> 'limit' IS NOT NULL, 'guardrails/' || g.n - 1 || '/limit',
		'is required: the rule has no control to compare with') FROM jsonb_array_elements(p_guardrails) WITH ORDINALITY g (value, n);
	INSERT INTO flag.ramp (flag, rule_id, rule_place, rule_hash, variations, steps, guardrails, on_breach, planned_units, comment,
		coverage_before, started_by)
	VALUES (p_flag, p_rule_id, p_place, flag.rule_hash(v_rule), CASE WHEN v_rule ? 'experiment'
		THEN ARRAY(SELECT jsonb_array_elements_text(v_rule -> 'experiment' -> 'variations')) ELSE ARRAY[v_rule ->> 'force'] END,
		p_steps, p_guardrails, p_on_breach, p_planned_units, p_comment, flag.rule_coverage(v_rule), p_actor)
	RETURNING * INTO r;
	IF flag.is_protected(p_flag) THEN
		PERFORM flag.ramp_note(r, 'start', flag.ramp_covers(r), NULL, p_comment);
	ELSE
		PERFORM flag.ramp_put(r.id, o, 0, now(), 'start', p_comment);
	END IF;
	RETURN r.id;
END $$;

CREATE FUNCTION flag.ramp_turn(p_flag text, p_ramp uuid, p_what text, p_note text, p_actor uuid, p_request text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	o flag.revision;
	r flag.ramp;
	v_why text;
BEGIN
	PERFORM access.act(p_actor, p_request);
	o := flag.locked(p_flag);
	SELECT * INTO r FROM flag.ramp x WHERE x.id = p_ramp AND x.flag = p_flag FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the flag "%" has no such ramp', p_flag USING ERRCODE = 'CR404';
	ELSIF r.state NOT IN ('running', 'held') THEN
		RAISE EXCEPTION 'the ramp is %', r.state USING ERRCODE = 'CR410';
	END IF;
	v_why := CASE p_what
		WHEN 'hold' THEN CASE WHEN r.state = 'held' THEN 'the ramp is held already' END
		WHEN 'resume' THEN CASE WHEN r.state = 'running' THEN 'the ramp is not held' ELSE flag.ramp_hindrance(r, o) END
		WHEN 'approve' THEN CASE
			WHEN NOT (r.steps -> r.step ->> 'approval')::boolean THEN 'this step waits for no approval'
			WHEN r.approved_at IS NOT NULL THEN 'this step is approved already'
			WHEN NOT EXISTS (SELECT FROM access.principal p WHERE p.id = p_actor AND p.kind = 'user') THEN 'only a person approves a step'
			WHEN flag.is_protected(p_flag) AND (p_actor = r.started_by OR EXISTS (SELECT FROM access.credential c
				WHERE c.principal = p_actor AND c.given_by = r.started_by::text)) THEN 'the flag is protected: somebody else approves'
			END
		WHEN 'back' THEN CASE WHEN r.step = 0 THEN 'the ramp is at its first step' ELSE flag.ramp_hindrance(r, o) END
		END;
	IF v_why IS NOT NULL THEN
		RAISE EXCEPTION '%', v_why USING ERRCODE = 'CR409';
	END IF;
	CASE p_what
	WHEN 'hold' THEN
		PERFORM flag.ramp_hold(r.id, p_note);
	WHEN 'resume' THEN
		-- The time it was held does not count, and what was seen until now has been judged by a person: the watch begins anew.
		UPDATE flag.ramp x SET state = 'running', begun_at = x.begun_at + (now() - greatest(x.held_at, x.begun_at)), guarded_from = clock_timestamp(),
			judged_at = NULL, judged = NULL, held_at = NULL, held_by = NULL, held_reason = NULL WHERE x.id = r.id RETURNING * INTO r;
		PERFORM flag.ramp_note(r, 'resume', flag.ramp_covers(r), NULL, p_note);
	WHEN 'approve' THEN
		UPDATE flag.ramp x SET approved_by = p_actor, approved_at = clock_timestamp() WHERE x.id = r.id RETURNING * INTO r;
		PERFORM flag.ramp_note(r, 'approve', flag.ramp_covers(r), NULL, p_note);
	WHEN 'back' THEN
		PERFORM flag.ramp_put(r.id, o, r.step - 1, now(), 'back', p_note);
	WHEN 'cancel' THEN
		PERFORM flag.ramp_end(r.id, p_note);
	END CASE;
END $$;
