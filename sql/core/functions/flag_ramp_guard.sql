-- What else is done to a flag, and its ramps and schedules. A rule that is being ramped changes by its ramp alone: any other revision that
-- would touch it is refused, whoever makes it. Turning the flag off is never refused: it holds the ramps. The end of the flag ends them.
CREATE FUNCTION flag.ramp_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r flag.ramp;
	v_off flag.revision := NEW;
BEGIN
	IF coalesce(current_setting('bimodal.ramp', true), '') <> '' THEN
		RETURN NULL;
	END IF;
	v_off.enabled := true;
	FOR r IN SELECT * FROM flag.ramp x WHERE x.flag = NEW.key AND x.state IN ('running', 'held') ORDER BY x.id LOOP
		IF flag.ramp_hindrance(r, v_off) IS NOT NULL THEN
			RAISE EXCEPTION 'rule % is being ramped (ramp %, step % of %): cancel the ramp before its rule is changed by hand',
				coalesce('"' || r.rule_id || '"', r.rule_place::text), r.id, r.step + 1, jsonb_array_length(r.steps)
				USING ERRCODE = 'CR409';
		ELSIF NOT NEW.enabled THEN
			PERFORM flag.ramp_hold(r.id, 'the flag was turned off');
		END IF;
	END LOOP;
	RETURN NULL;
END $$;

CREATE FUNCTION flag.ramps_end() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	PERFORM flag.ramp_end(r.id, 'the flag has ended') FROM flag.ramp r WHERE r.flag = NEW.key AND r.state IN ('running', 'held');
	PERFORM flag.schedule_end(s.id, 'cancelled', NULL, 'the flag has ended') FROM flag.schedule s WHERE s.flag = NEW.key AND s.state = 'waiting';
	RETURN NULL;
END $$;
