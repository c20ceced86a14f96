-- change.request_intend(): order a rehearsal, an application or a rollback. The jobs child does it; asking twice is one order.
-- A rollback of a promotion switches its flag off here already: that is the first rollback, and it takes milliseconds.
CREATE FUNCTION change.request_intend(p_request uuid, p_actor uuid, p_kind text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r change.request;
	v_open text;
	v_drift jsonb;
	v_key text;
	v_revision bigint;
BEGIN
	SELECT * INTO r FROM change.request WHERE id = p_request FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no change %', p_request USING ERRCODE = 'CR404';
	END IF;
	SELECT kind INTO v_open FROM change.intent WHERE request = r.id AND state IN ('waiting', 'running');
	IF v_open = p_kind THEN
		RETURN;
	ELSIF v_open IS NOT NULL THEN
		RAISE EXCEPTION 'change %: the order to % is still under way', r.number, v_open USING ERRCODE = 'CR409';
	END IF;
	SELECT drift INTO v_drift FROM change.state;
	IF p_kind = 'rehearse' AND r.state NOT IN ('checked', 'rehearsed', 'approved', 'failed') THEN
		RAISE EXCEPTION 'change % is %: it can no longer be rehearsed', r.number, r.state USING ERRCODE = 'CR409';
	ELSIF p_kind = 'apply' AND r.state <> 'approved' THEN
		RAISE EXCEPTION 'change % is %: only an approved change is applied', r.number, r.state USING ERRCODE = 'CR409';
	ELSIF p_kind = 'rollback' AND r.state <> 'applied' THEN
		RAISE EXCEPTION 'change % is %: only an applied change is rolled back', r.number, r.state USING ERRCODE = 'CR409';
	ELSIF p_kind = 'apply' AND v_drift IS NOT NULL THEN
		RAISE EXCEPTION 'the catalog has drifted from what was approved: nothing is applied until that is resolved (GET /v1/drift)'
			USING ERRCODE = 'CR423';
	END IF;
	INSERT INTO change.intent (request, kind, actor) VALUES (r.id, p_kind, p_actor);
	PERFORM change.ledger_append(p_actor::text, 'change.' || p_kind || '-ordered', r.id::text,
		jsonb_build_object('number', r.number, 'sha256', r.sha256));
	PERFORM pg_notify('bimodal_generation', 'change ' || r.id);
	SELECT flag_key INTO v_key FROM change.feature WHERE request = r.id;
	IF p_kind = 'rollback' AND v_key IS NOT NULL THEN
		PERFORM set_config('bimodal.actor', p_actor::text, true);
		INSERT INTO flag.revision (key, document, enabled, core_only, actor, comment)
		SELECT o.key, o.document, false, o.core_only, p_actor, 'change ' || r.number || ' is rolled back'
		FROM flag.flag f JOIN flag.revision o ON o.revision = f.revision
		WHERE f.key = v_key AND f.archived_at IS NULL AND o.enabled
		RETURNING revision INTO v_revision;
		IF v_revision IS NOT NULL THEN
			PERFORM event.note('flags', NULL, 'flag.disable', jsonb_build_object('key', v_key, 'revision', v_revision,
				'enabled', false, 'change', r.number));
		END IF;
	END IF;
END $$;
