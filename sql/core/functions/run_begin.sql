-- change.run_take(): the next order for the jobs child. One at a time: only one instance leads and it does one thing at once, so an
-- order found running was left behind by a process that has ended, and goes on at its phase. exact: the catalog is as it was
-- where the rehearsal began (or ended), so its predictions hold; main: its prediction for the point after the main part.
CREATE FUNCTION change.run_take() RETURNS TABLE (intent bigint, intent_kind text, phase text, attempts int, actor uuid,
	request uuid, number int, kind text, slug text, sha256 text, up text, down text, verify text, package text, exact boolean,
	main text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	i change.intent;
BEGIN
	SELECT * INTO i FROM change.intent x WHERE x.state IN ('waiting', 'running')
		ORDER BY x.state = 'running' DESC, x.id LIMIT 1 FOR UPDATE;
	IF NOT FOUND OR i.due_at > clock_timestamp() THEN
		RETURN;
	END IF;
	UPDATE change.intent x SET state = 'running', attempts = x.attempts + 1, started_at = coalesce(x.started_at, clock_timestamp()),
		error = NULL WHERE x.id = i.id RETURNING * INTO i;
	IF i.kind = 'apply' AND i.phase = 'begin' THEN
		UPDATE change.request r SET state = 'applying', error = NULL WHERE r.id = i.request AND r.state = 'approved';
	END IF;
	RETURN QUERY SELECT i.id, i.kind, i.phase, i.attempts, i.actor, r.id, r.number, r.kind, r.slug, r.sha256, r.up, r.down, r.verify,
		encode(r.package, 'hex'),
		i.phase = 'begin' AND s.fingerprint = CASE i.kind WHEN 'apply' THEN r.fingerprint_before ELSE r.fingerprint_after END,
		r.report #>> CASE i.kind WHEN 'apply' THEN '{fingerprints,main}'::text[] ELSE '{fingerprints,down_main}' END
		FROM change.request r CROSS JOIN change.state s WHERE r.id = i.request;
END $$;

-- change.run_begin(): first statement of every transaction of a run. Refuses a step that is done already, other bytes than those
-- approved, and, where nothing has been done yet, a catalog that is not the accepted one or whose closure has moved. The
-- transaction of a process that was killed may still run in the server: the lock keeps this one out until it has ended.
CREATE FUNCTION change.run_begin(p_intent bigint, p_sha text, p_first boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	i change.intent;
	r change.request;
	v_now text;
BEGIN
	IF NOT pg_try_advisory_xact_lock(7239002) THEN
		RAISE EXCEPTION 'another change is being applied' USING ERRCODE = '55P03';
	END IF;
	SELECT * INTO i FROM change.intent WHERE id = p_intent FOR UPDATE;
	SELECT * INTO r FROM change.request WHERE id = i.request FOR UPDATE;
	IF i.state <> 'running' OR p_first <> (i.phase = 'begin') THEN
		RAISE EXCEPTION 'this step has been done already' USING ERRCODE = 'CR023';
	ELSIF r.sha256 <> p_sha THEN
		RAISE EXCEPTION 'the texts are not those of the request' USING ERRCODE = 'CR023';
	ELSIF i.kind = 'apply' AND r.state <> 'applying' OR i.kind = 'rollback' AND r.state <> 'applied' THEN
		RAISE EXCEPTION 'change % is %', r.number, r.state USING ERRCODE = 'CR023';
	END IF;
	IF NOT p_first THEN
		RETURN;
	END IF;
	v_now := change.fingerprint();
	IF v_now IS DISTINCT FROM (SELECT fingerprint FROM change.state) THEN
		RAISE EXCEPTION 'the catalog has drifted from what was approved (GET /v1/drift)' USING ERRCODE = 'CR024';
	END IF;
	IF i.kind = 'apply' THEN
		IF NOT EXISTS (SELECT FROM change.approval a WHERE a.request = r.id AND a.sha256 = r.sha256
			AND a.closure_hash = r.closure_hash AND a.principal NOT IN (r.author, coalesce(r.filed_by, r.author)))
		THEN
			RAISE EXCEPTION 'change % has no approval that holds', r.number USING ERRCODE = 'CR005';
		ELSIF change.closure_hash(r.objects) <> r.closure_hash THEN
			RAISE EXCEPTION 'what change % touches has changed since it was approved: rehearse it again', r.number
				USING ERRCODE = 'CR025';
		END IF;
		UPDATE change.request SET fingerprint_before = v_now WHERE id = r.id;
	END IF;
END $$;
