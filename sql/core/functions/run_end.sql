-- change.run_step(): end of a transaction of a run that is not the last one. p_expect: the fingerprint the rehearsal predicts for this
-- point, or NULL where the catalog did not start as it did there.
CREATE FUNCTION change.run_step(p_intent bigint, p_next text, p_expect text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v text := change.accept();
BEGIN
	IF v <> p_expect THEN
		RAISE EXCEPTION 'the catalog is not what the rehearsal predicted (% instead of %)', left(v, 12), left(p_expect, 12)
			USING ERRCODE = 'CR026';
	END IF;
	UPDATE change.intent SET phase = p_next WHERE id = p_intent;
	PERFORM change.schema_bump();
END $$;

-- change.run_finish(): end of the last transaction: the request is applied or rolled back, and the ledger says so. p_exact: the catalog
-- started as in the rehearsal, so it must end as there; else the closure of what the change touches decides. What is still open
-- is rehearsed again, since its ground has moved.
CREATE FUNCTION change.run_finish(p_intent bigint, p_exact boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	i change.intent;
	r change.request;
	v text := change.accept();
	v_left text;
BEGIN
	SELECT * INTO i FROM change.intent WHERE id = p_intent;
	SELECT * INTO r FROM change.request WHERE id = i.request;
	IF i.kind = 'apply' AND p_exact AND v <> r.fingerprint_after OR i.kind = 'rollback' AND p_exact AND v <> r.fingerprint_before THEN
		RAISE EXCEPTION 'the catalog is not what the rehearsal predicted (% instead of %)', left(v, 12),
			left(CASE i.kind WHEN 'apply' THEN r.fingerprint_after ELSE r.fingerprint_before END, 12) USING ERRCODE = 'CR026';
	ELSIF i.kind = 'rollback' AND change.closure_hash(r.objects) <> r.closure_hash THEN
		RAISE EXCEPTION 'what change % touches is not as it was before: roll the later changes of it back first', r.number
			USING ERRCODE = 'CR026';
	END IF;
	IF i.kind = 'rollback' AND r.slug IS NOT NULL THEN
		SELECT class || ' ' || id INTO v_left FROM change.catalog_lines() WHERE object ~ ('^feature_' || r.slug || '(_owner)?([.]|$)')
			LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'something of the feature is left: %', v_left USING ERRCODE = 'CR026';
		END IF;
	END IF;
	UPDATE change.intent SET phase = 'finish' WHERE id = p_intent;
	UPDATE change.request SET state = CASE i.kind WHEN 'apply' THEN 'applied' ELSE 'rolled_back' END, error = NULL,
		fingerprint_after = CASE i.kind WHEN 'apply' THEN v ELSE fingerprint_after END,
		applied_at = CASE i.kind WHEN 'apply' THEN clock_timestamp() ELSE applied_at END,
		rolled_back_at = CASE i.kind WHEN 'rollback' THEN clock_timestamp() END
		WHERE id = r.id;
	PERFORM change.ledger_append(i.actor::text, CASE i.kind WHEN 'apply' THEN 'change.applied' ELSE 'change.rolled-back' END, r.id::text,
		jsonb_build_object('number', r.number, 'sha256', r.sha256, 'fingerprint', v, 'generation', change.schema_bump()));
	INSERT INTO change.intent (request, kind, actor) SELECT o.id, 'rehearse', i.actor FROM change.request o
		WHERE o.state IN ('rehearsed', 'approved') AND o.id <> r.id
		AND NOT EXISTS (SELECT FROM change.intent x WHERE x.request = o.id AND x.state IN ('waiting', 'running'));
END $$;

-- change.run_end(): the order is done, all that follows the last transaction too.
CREATE FUNCTION change.run_end(p_intent bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
UPDATE change.intent SET state = 'done', ended_at = clock_timestamp(), error = NULL WHERE id = p_intent AND state = 'running'
$$;

-- change.run_later(): past the point of return something is missing (the airlock is down): go on in a second, at the same phase.
CREATE FUNCTION change.run_later(p_intent bigint, p_error text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
UPDATE change.intent SET due_at = clock_timestamp() + interval '1 second', error = p_error WHERE id = p_intent AND state = 'running'
$$;

-- change.run_fail(): nothing was changed. p_again: only locks were missing, the approval stands and it may be ordered again.
CREATE FUNCTION change.run_fail(p_intent bigint, p_error text, p_again boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	i change.intent;
	r change.request;
BEGIN
	UPDATE change.intent SET state = 'failed', ended_at = clock_timestamp(), error = p_error WHERE id = p_intent AND state = 'running'
		RETURNING * INTO i;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	UPDATE change.request SET error = p_error, state = CASE WHEN i.kind = 'rollback' THEN state
		WHEN i.kind = 'apply' AND p_again THEN 'approved' ELSE 'failed' END
		WHERE id = i.request RETURNING * INTO r;
	IF r.state = 'failed' THEN
		DELETE FROM change.approval WHERE request = r.id;
	END IF;
	PERFORM change.ledger_append(i.actor::text, 'change.' || i.kind || '-failed', r.id::text,
		jsonb_build_object('number', r.number, 'sha256', r.sha256, 'error', p_error));
END $$;

-- change.run_rehearsed(): the result of a rehearsal; p_error NULL: it passed. An approval stands while bytes and closure are the same.
CREATE FUNCTION change.run_rehearsed(p_intent bigint, p_sha text, p_error text, p_report jsonb, p_objects text[], p_before text,
	p_after text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	i change.intent;
	r change.request;
	v_closure text := change.closure_hash(p_objects);
BEGIN
	SELECT * INTO r FROM change.request WHERE id = (SELECT request FROM change.intent WHERE id = p_intent) FOR UPDATE;
	SELECT * INTO i FROM change.intent WHERE id = p_intent FOR UPDATE;
	IF i.state <> 'running' OR r.sha256 <> p_sha OR r.state NOT IN ('checked', 'rehearsed', 'approved', 'failed') THEN
		RETURN;
	END IF;
	UPDATE change.request SET report = p_report, error = p_error, rehearsed_at = clock_timestamp(), objects = p_objects,
		fingerprint_before = p_before, fingerprint_after = p_after, closure_hash = CASE WHEN p_error IS NULL THEN v_closure END,
		state = CASE WHEN p_error IS NOT NULL THEN 'failed' WHEN state = 'approved' AND closure_hash = v_closure THEN 'approved'
			ELSE 'rehearsed' END
		WHERE id = r.id RETURNING * INTO r;
	IF r.state <> 'approved' THEN
		DELETE FROM change.approval WHERE request = r.id;
	END IF;
	UPDATE change.intent SET state = CASE WHEN p_error IS NULL THEN 'done' ELSE 'failed' END, ended_at = clock_timestamp(), error = p_error
		WHERE id = i.id;
	PERFORM change.ledger_append(i.actor::text, CASE WHEN p_error IS NULL THEN 'change.rehearsed' ELSE 'change.rehearse-failed' END,
		r.id::text, jsonb_build_object('number', r.number, 'sha256', r.sha256, 'before', p_before, 'after', p_after, 'error', p_error));
END $$;
