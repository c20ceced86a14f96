-- What the app role may do to a hypothesis: propose one, ask for its removal, ask for its experiment's end, note its promotion. Each gives a
-- word that says what came of it.

-- lab.propose(…): made; exists (one of this slug is still there); full (more than p_max are alive).
CREATE FUNCTION lab.propose(p_slug text, p_deployment uuid, p_manifest jsonb, p_flag_key text, p_package bytea, p_author uuid,
	p_max bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_old lab.hypothesis;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('lab.propose'));
	SELECT * INTO v_old FROM lab.hypothesis h WHERE h.slug = p_slug;
	IF FOUND AND (v_old.is_deployed OR v_old.state NOT IN ('expired', 'removed', 'failed') OR v_old.flag_want <> v_old.flag_state) THEN
		RETURN 'exists';
	END IF;
	IF (SELECT count(*) FROM lab.hypothesis h WHERE h.is_deployed OR h.state = 'deploying') >= p_max THEN
		RETURN 'full';
	END IF;
	-- The journal keeps what an earlier deployment came to.
	IF FOUND AND EXISTS (SELECT FROM lab.verdict v WHERE v.slug = p_slug) THEN
		INSERT INTO lab.journal (slug, kind, actor, body)
		SELECT p_slug, 'verdict.archived', p_author::text, jsonb_build_object('deployment', v_old.deployment, 'sha256', v_old.sha256,
			'verdict', v.verdict, 'reasons', v.reasons, 'evidence', v.evidence, 'at', v.at)
		FROM lab.verdict v WHERE v.slug = p_slug;
	END IF;
	DELETE FROM lab.hypothesis h WHERE h.slug = p_slug;
	INSERT INTO lab.hypothesis (slug, deployment, manifest, flag_key, package, sha256, author, lasts)
	VALUES (p_slug, p_deployment, p_manifest, p_flag_key, p_package, encode(sha256(p_package), 'hex'), p_author,
		(p_manifest ->> 'expires_us')::bigint * interval '1 microsecond');
	INSERT INTO lab.journal (slug, kind, actor, body)
	VALUES (p_slug, 'proposed', p_author::text, jsonb_build_object('deployment', p_deployment, 'sha256', encode(sha256(p_package), 'hex')));
	RETURN 'made';
END $$;

-- lab.want_remove(…): wanted; missing; ended (nothing is there any more).
CREATE FUNCTION lab.want_remove(p_slug text, p_actor uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_state text;
BEGIN
	UPDATE lab.hypothesis SET remove_wanted_at = coalesce(remove_wanted_at, now()), remove_wanted_by = coalesce(remove_wanted_by, p_actor),
		retry_at = '-infinity'
	WHERE slug = p_slug RETURNING CASE WHEN is_deployed OR state = 'deploying' THEN 'wanted' ELSE 'ended' END INTO v_state;
	RETURN coalesce(v_state, 'missing');
END $$;

-- lab.want_stop(…): wanted; missing; ended.
CREATE FUNCTION lab.want_stop(p_slug text, p_actor uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_state text;
BEGIN
	UPDATE lab.experiment SET stop_wanted_at = coalesce(stop_wanted_at, now()), stop_wanted_by = coalesce(stop_wanted_by, p_actor)
	WHERE slug = p_slug RETURNING CASE WHEN state = 'running' THEN 'wanted' ELSE 'ended' END INTO v_state;
	RETURN coalesce(v_state, 'missing');
END $$;

-- lab.promoted(slug, change, actor): core has taken the change request. Only what is proven gets there.
CREATE FUNCTION lab.promoted(p_slug text, p_change uuid, p_actor uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE lab.hypothesis h SET state = 'promoted', change_id = p_change WHERE h.slug = p_slug AND h.state IN ('proven', 'promoted')
		AND EXISTS (SELECT FROM lab.verdict v WHERE v.slug = p_slug AND v.verdict = 'proven');
	IF NOT FOUND THEN
		RETURN 'refused';
	END IF;
	INSERT INTO lab.journal (slug, kind, actor, body) VALUES (p_slug, 'promoted', p_actor::text, jsonb_build_object('change', p_change));
	RETURN 'made';
END $$;

-- What the deployer's jobs do to it, each in the transaction of the work itself.

-- lab.deployed(slug, password, frozen rule)
CREATE FUNCTION lab.deployed(p_slug text, p_password text, p_frozen text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_rule jsonb := p_frozen::jsonb -> 'manifest';
BEGIN
	UPDATE lab.hypothesis SET is_deployed = true, deployed_at = now(), expires_at = now() + lasts, flag_want = 'made', tries = 0
	WHERE slug = p_slug AND NOT is_deployed;
	INSERT INTO lab.feature (slug, password) VALUES (p_slug, p_password);
	INSERT INTO lab.experiment (slug, flag_key, frozen, frozen_sha256, planned_units, runs)
	VALUES (p_slug, v_rule -> 'flag' ->> 'key', p_frozen, encode(sha256(convert_to(p_frozen, 'UTF8')), 'hex'),
		(v_rule -> 'experiment' ->> 'planned_units')::bigint, (v_rule -> 'experiment' ->> 'runs_us')::bigint * interval '1 microsecond');
	INSERT INTO lab.experiment_metric (slug, metric, maturity)
	SELECT p_slug, m ->> 'name', (m ->> 'maturity_us')::bigint * interval '1 microsecond'
	FROM jsonb_array_elements(v_rule -> 'metrics' -> 'guardrails' || (v_rule -> 'metrics' -> 'primary')) AS m;
	INSERT INTO lab.journal (slug, kind, actor) VALUES (p_slug, 'deployed', 'system:deployer');
END $$;

-- lab.deploy_failed(slug, why): the proposal could not be deployed, or core refuses its flag.
CREATE FUNCTION lab.deploy_failed(p_slug text, p_why text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	UPDATE lab.hypothesis SET error = p_why, remove_wanted_at = coalesce(remove_wanted_at, now()),
		state = CASE WHEN is_deployed THEN state ELSE 'failed' END, ended_at = CASE WHEN NOT is_deployed THEN now() END,
		flag_want = CASE WHEN is_deployed THEN flag_want ELSE flag_state END, retry_at = '-infinity'
	WHERE slug = p_slug;
	INSERT INTO lab.journal (slug, kind, actor, body) VALUES (p_slug, 'failed', 'system:deployer', jsonb_build_object('error', p_why));
END $$;

-- lab.removed(slug): schema and roles are gone; what was kept by unit goes with them. Sums, verdict and journal stay.
CREATE FUNCTION lab.removed(p_slug text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v lab.hypothesis;
BEGIN
	UPDATE lab.hypothesis h SET is_deployed = false, ended_at = now(), tries = 0,
		state = CASE WHEN h.error IS NOT NULL THEN 'failed' WHEN h.remove_wanted_at IS NOT NULL THEN 'removed' ELSE 'expired' END,
		flag_want = CASE WHEN h.flag_state = 'none' AND h.flag_tries = 0 THEN 'none' ELSE 'archived' END, flag_retry_at = '-infinity'
	WHERE h.slug = p_slug RETURNING * INTO v;
	DELETE FROM lab.feature f WHERE f.slug = p_slug;
	DELETE FROM lab.exposure e WHERE e.flag = v.flag_key;
	DELETE FROM lab.unit_metric m WHERE m.slug = p_slug;
	DELETE FROM lab.dirty d WHERE d.slug = p_slug;
	UPDATE lab.experiment x SET state = 'closed', ended_at = now(), stop_reason = v.state WHERE x.slug = p_slug AND x.state IN ('waiting', 'running');
	INSERT INTO lab.journal (slug, kind, actor) VALUES (p_slug, v.state, coalesce(v.remove_wanted_by::text, 'system:deployer'));
END $$;

-- lab.flag_done(slug, state, revision): core has done to the flag what was wanted.
CREATE FUNCTION lab.flag_done(p_slug text, p_state text, p_revision bigint) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	UPDATE lab.hypothesis SET flag_state = p_state, flag_tries = 0, flag_retry_at = '-infinity',
		state = CASE WHEN p_state = 'made' AND state = 'deploying' THEN 'running' ELSE state END
	WHERE slug = p_slug;
	IF p_state = 'made' THEN
		UPDATE lab.experiment SET state = 'running', started_at = now(), planned_end = now() + runs WHERE slug = p_slug AND state = 'waiting';
	END IF;
	INSERT INTO lab.journal (slug, kind, actor, body)
	VALUES (p_slug, 'flag.' || p_state, 'system:deployer', jsonb_build_object('revision', p_revision));
END $$;
