-- lab.verdict_record(slug, verdict, reasons, evidence, why it ended) -> was it recorded: the only door to lab.verdict. It computes nothing: the
-- judge's job has, from the frozen rule, whose hash the evidence must name. No role but the deployer's login comes in, and no route
-- leads to it.
CREATE FUNCTION lab.verdict_record(p_slug text, p_verdict text, p_reasons jsonb, p_evidence text, p_stop text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF session_user <> 'bimodal_deployer' THEN
		RAISE EXCEPTION 'only the judge records a verdict' USING ERRCODE = '42501';
	END IF;
	UPDATE lab.experiment SET state = 'ended', ended_at = now(), stop_reason = p_stop
	WHERE slug = p_slug AND state = 'running' AND frozen_sha256 = p_evidence::jsonb ->> 'rule_sha256';
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	INSERT INTO lab.verdict (slug, verdict, reasons, evidence, evidence_text) VALUES (p_slug, p_verdict, p_reasons, p_evidence::jsonb, p_evidence);
	-- Harm, a disproof and a stop turn the flag off: nobody meets the treatment any longer.
	UPDATE lab.hypothesis SET state = p_verdict, flag_retry_at = '-infinity',
		flag_want = CASE WHEN p_stop IN ('harm', 'stopped') OR p_verdict = 'disproven' THEN 'off' ELSE flag_want END
	WHERE slug = p_slug;
	INSERT INTO lab.journal (slug, kind, actor, body)
	VALUES (p_slug, 'verdict', 'system:judge', jsonb_build_object('verdict', p_verdict, 'reasons', p_reasons, 'stop', p_stop));
	RETURN true;
END $$;
