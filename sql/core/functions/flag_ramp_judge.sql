-- Guardrails of a ramp: what the record says of those who met one of the rule's variations for the first time since the watch began.

-- flag.ramp_sums(ramp): for each guardrail and variation, how many units, and of how many of them it has come true after they met it.
-- case_opened, complaint, purchase, opportunity_won, opportunity_lost, consent_withdrawn.
CREATE FUNCTION flag.ramp_sums(p_ramp uuid) RETURNS TABLE (guardrail int, variation text, units bigint, hits bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r flag.ramp;
	v_person boolean;
BEGIN
	SELECT * INTO STRICT r FROM flag.ramp x WHERE x.id = p_ramp;
	SELECT o.document ->> 'unit' = 'person' INTO v_person FROM flag.flag f JOIN flag.revision o ON o.revision = f.revision WHERE f.key = r.flag;
	RETURN QUERY WITH met AS MATERIALIZED (
		SELECT e.unit::uuid AS unit, e.variation, e.at FROM flag.exposure e
		WHERE e.flag = r.flag AND e.at >= r.guarded_from AND e.variation = ANY (r.variations)
		AND e.unit ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
	), came (metric, unit, variation) AS (
		SELECT 'case_opened', m.unit, m.variation FROM met m WHERE EXISTS (SELECT FROM crm.support_case c WHERE c.opened_at > m.at
			AND CASE WHEN v_person THEN c.person_pseudonym ELSE c.organization_id END = m.unit)
		UNION ALL SELECT i.metric, m.unit, m.variation FROM met m CROSS JOIN (VALUES ('complaint', '{complaint}'::text[]),
			('purchase', '{purchase,order}')) i (metric, kinds) WHERE EXISTS (SELECT FROM crm.interaction x WHERE x.at > m.at
			AND x.kind = ANY (i.kinds) AND CASE WHEN v_person THEN x.person_pseudonym ELSE x.organization_id END = m.unit)
		UNION ALL SELECT o.metric, m.unit, m.variation FROM met m CROSS JOIN (VALUES ('opportunity_won', 'won'), ('opportunity_lost', 'lost'))
			o (metric, stage) WHERE EXISTS (SELECT FROM crm.opportunity x WHERE x.closed_at >= m.at::date AND x.stage = o.stage
			AND CASE WHEN v_person THEN x.person_pseudonym ELSE x.organization_id END = m.unit)
		UNION ALL SELECT 'consent_withdrawn', m.unit, m.variation FROM met m WHERE v_person AND EXISTS (SELECT FROM crm.consent c
			WHERE c.person_pseudonym = m.unit AND c.state = 'withdrawn' AND c.at > m.at)
	)
	SELECT g.n::int - 1, u.variation, u.units, (SELECT count(*) FROM came c WHERE c.metric = g.value ->> 'metric' AND c.variation = u.variation)
	FROM jsonb_array_elements(r.guardrails) WITH ORDINALITY g (value, n)
	CROSS JOIN (SELECT m.variation, count(*) AS units FROM met m GROUP BY 1) u;
END $$;

-- flag.ramp_judged(…): keep what was found as of p_at, if it was found of the watch that is still on. p_breach: the guardrail that is
-- surely broken, in words; then the ramp never goes on by itself.
CREATE FUNCTION flag.ramp_judged(p_ramp uuid, p_from timestamptz, p_at timestamptz, p_judged jsonb, p_breach text, p_request text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r flag.ramp;
	o flag.revision;
BEGIN
	PERFORM FROM flag.flag x JOIN flag.ramp y ON y.flag = x.key WHERE y.id = p_ramp FOR UPDATE OF x;
	UPDATE flag.ramp x SET judged = p_judged, judged_at = p_at WHERE x.id = p_ramp AND x.state = 'running' AND x.guarded_from = p_from
	RETURNING * INTO r;
	IF NOT FOUND OR p_breach IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('bimodal.actor', 'system:flags', true), set_config('bimodal.request', p_request, true);
	SELECT * INTO o FROM flag.revision x WHERE x.key = r.flag ORDER BY x.revision DESC LIMIT 1;
	PERFORM flag.ramp_note(r, 'breach', flag.ramp_covers(r), NULL, p_breach);
	PERFORM flag.ramp_hold(r.id, p_breach);
	IF r.on_breach = 'back' AND r.step > 0 AND flag.ramp_hindrance(r, o) IS NULL THEN
		PERFORM flag.ramp_put(r.id, o, r.step - 1, now(), 'back', p_breach);
	ELSIF r.on_breach = 'kill' AND o.enabled THEN
		PERFORM event.note('flags', NULL, 'flag.kill', jsonb_build_object('key', r.flag, 'revision',
			flag.revise(o, o.document, false, format('ramp %s: %s', r.id, p_breach)), 'enabled', false, 'previous', o.revision,
			'was_enabled', true, 'document', NULL, 'comment', p_breach));
	END IF;
	RETURN r.on_breach;
END $$;
