-- What a ramp does by itself. One call is one transaction about one ramp, so a process that is killed leaves it at one step or the next;
-- several processes at once meet at the flag's row.

-- First exposures by the rule's variations since the present step was made; counted no further than is asked for.
CREATE FUNCTION flag.ramp_seen(r flag.ramp) RETURNS int
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT count(*)::int FROM (SELECT FROM flag.exposure e WHERE e.flag = r.flag AND e.at >= r.moved_at AND e.variation = ANY (r.variations)
		LIMIT (r.steps -> r.step ->> 'sample')::int) x
$$;

-- go: all that the present step waits for holds. ask: all but the approval, and nobody has been told yet. Else null. With guardrails
-- there must have been a judgement since the step's time was over.
CREATE FUNCTION flag.ramp_wants(r flag.ramp) RETURNS text
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT CASE WHEN r.state <> 'running' OR t.due > now() THEN NULL
		WHEN s.step ->> 'sample' IS NOT NULL AND flag.ramp_seen(r) < (s.step ->> 'sample')::int THEN NULL
		WHEN r.guardrails <> '[]' AND coalesce(r.judged_at < greatest(r.moved_at, t.due), true) THEN NULL
		WHEN (s.step ->> 'approval')::boolean AND r.approved_at IS NULL THEN CASE WHEN r.asked_at IS NULL THEN 'ask' END
		ELSE 'go' END
	FROM (SELECT r.steps -> r.step) s (step)
	CROSS JOIN LATERAL (SELECT r.begun_at + make_interval(secs => coalesce((s.step ->> 'after_seconds')::int, 0))) t (due)
$$;

-- Where it goes from here. A step that waits for time alone is passed by as well if that is over: in one revision to the furthest, each
-- counted from when it was planned. What waits for more, and every step of a ramp with guardrails, is lived through.
CREATE FUNCTION flag.ramp_next(r flag.ramp, OUT step int, OUT begun timestamptz) RETURNS record
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
	s jsonb := r.steps -> r.step;
BEGIN
	step := r.step;
	begun := r.begun_at;
	LOOP
		IF r.guardrails <> '[]' OR s ->> 'sample' IS NOT NULL OR (s ->> 'approval')::boolean THEN
			step := step + 1;
			begun := now();
			RETURN;
		END IF;
		step := step + 1;
		begun := begun + make_interval(secs => (s ->> 'after_seconds')::int);
		s := r.steps -> step;
		EXIT WHEN step = jsonb_array_length(r.steps) - 1 OR s ->> 'sample' IS NOT NULL OR (s ->> 'approval')::boolean
			OR begun + make_interval(secs => (s ->> 'after_seconds')::int) > now();
	END LOOP;
END $$;

CREATE FUNCTION flag.ramp_go(p_ramp uuid, p_request text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	f flag.flag;
	o flag.revision;
	r flag.ramp;
	n record;
	v_wants text;
	v_why text;
BEGIN
	SELECT x.* INTO f FROM flag.flag x JOIN flag.ramp y ON y.flag = x.key WHERE y.id = p_ramp FOR UPDATE OF x;
	SELECT * INTO o FROM flag.revision x WHERE x.key = f.key ORDER BY x.revision DESC LIMIT 1;
	SELECT * INTO r FROM flag.ramp x WHERE x.id = p_ramp FOR UPDATE;
	v_wants := flag.ramp_wants(r);
	IF v_wants IS NULL OR f.archived_at IS NOT NULL OR f.expires_at <= now() THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('bimodal.actor', 'system:flags', true), set_config('bimodal.request', p_request, true);
	v_why := flag.ramp_hindrance(r, o);
	IF v_why IS NOT NULL THEN
		PERFORM flag.ramp_hold(r.id, v_why);
		RETURN 'hold';
	ELSIF v_wants = 'ask' THEN
		UPDATE flag.ramp x SET asked_at = clock_timestamp() WHERE x.id = r.id;
		PERFORM flag.ramp_note(r, 'wait', flag.ramp_covers(r), NULL, '');
		RETURN 'ask';
	END IF;
	n := flag.ramp_next(r);
	PERFORM flag.ramp_put(r.id, o, n.step, n.begun, 'step', CASE WHEN n.step > r.step + 1
		THEN format('%s steps at once: they were overdue', n.step - r.step) ELSE '' END);
	RETURN 'go';
END $$;
