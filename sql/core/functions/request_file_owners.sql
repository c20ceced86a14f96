-- change.request_file(): a new request. Its texts were checked by the worker and are checked again by the jobs child before
-- they are rehearsed. p_author is who stands for it; p_actor who sent it (the sandbox, for an innovator). Neither may approve.
-- The owners come by their names.
CREATE FUNCTION change.request_file(p_actor uuid, p_author uuid, p_kind text, p_title text, p_why text, p_benefit text, p_risk text,
	p_business_owner text, p_technical_owner text, p_up text, p_down text, p_verify text, p_package bytea, p_evidence jsonb,
	p_slug text) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r change.request;
BEGIN
	PERFORM pg_advisory_xact_lock(7239003);
	IF (SELECT count(*) FROM change.request WHERE state IN ('draft', 'checked', 'rehearsed', 'approved', 'applying')) >= 200 THEN
		RAISE EXCEPTION 'there are 200 open changes already: decide some first' USING ERRCODE = 'CR429';
	END IF;
	IF p_kind = 'promotion' THEN
		SELECT * INTO r FROM change.request WHERE kind = 'promotion' AND slug = p_slug
			AND state IN ('draft', 'checked', 'rehearsed', 'approved', 'applying', 'applied') ORDER BY number DESC LIMIT 1;
		IF FOUND THEN
			RAISE EXCEPTION 'the feature "%" is already in change %, which is %', p_slug, r.number, r.state
				USING ERRCODE = 'CR409';
		END IF;
	END IF;
	INSERT INTO change.request (kind, title, why, benefit, risk, business_owner, technical_owner, author, filed_by, state, up, down,
		verify, package, sha256, evidence, slug)
	VALUES (p_kind, p_title, p_why, p_benefit, p_risk, access.owner(p_business_owner, 'business_owner'),
		access.owner(p_technical_owner, 'technical_owner'), p_author, p_actor, 'checked', p_up, p_down,
		p_verify, p_package, '', p_evidence, p_slug)
	RETURNING * INTO r;
	PERFORM change.ledger_append(p_actor::text, 'change.filed', r.id::text, jsonb_build_object('number', r.number, 'kind', r.kind,
		'sha256', r.sha256, 'author', r.author, 'slug', r.slug));
	INSERT INTO change.intent (request, kind, actor) VALUES (r.id, 'rehearse', p_actor);
	RETURN r.id;
END $$;

-- change.request_edit(): the author alters a request that is not decided yet; NULL keeps what is. Every approval is void with it.
CREATE FUNCTION change.request_edit(p_request uuid, p_actor uuid, p_title text, p_why text, p_benefit text, p_risk text,
	p_business_owner text, p_technical_owner text, p_up text, p_down text, p_verify text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r change.request;
	v_was text;
BEGIN
	SELECT * INTO r FROM change.request WHERE id = p_request FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no change %', p_request USING ERRCODE = 'CR404';
	ELSIF p_actor NOT IN (r.author, coalesce(r.filed_by, r.author)) THEN
		RAISE EXCEPTION 'only its author alters change %', r.number USING ERRCODE = 'CR403';
	ELSIF r.state NOT IN ('draft', 'checked', 'rehearsed', 'approved', 'failed') THEN
		RAISE EXCEPTION 'change % is %: it can no longer be altered', r.number, r.state USING ERRCODE = 'CR423';
	ELSIF r.kind <> 'schema' AND (p_up, p_down, p_verify) IS DISTINCT FROM (NULL::text, NULL::text, NULL::text) THEN
		RAISE EXCEPTION 'change % is its package: file another one to alter the texts', r.number USING ERRCODE = 'CR409';
	ELSIF EXISTS (SELECT FROM change.intent WHERE request = r.id AND state IN ('waiting', 'running') AND kind <> 'rehearse') THEN
		RAISE EXCEPTION 'change % is being applied', r.number USING ERRCODE = 'CR423';
	END IF;
	v_was := r.sha256;
	UPDATE change.request SET state = 'draft', title = coalesce(p_title, title), why = coalesce(p_why, why),
		benefit = coalesce(p_benefit, benefit), risk = coalesce(p_risk, risk),
		business_owner = coalesce(access.owner(p_business_owner, 'business_owner'), business_owner),
		technical_owner = coalesce(access.owner(p_technical_owner, 'technical_owner'), technical_owner),
		up = coalesce(p_up, up), down = coalesce(p_down, down), verify = coalesce(p_verify, verify)
		WHERE id = r.id;
	DELETE FROM change.approval WHERE request = r.id;
	UPDATE change.intent SET state = 'failed', ended_at = clock_timestamp(), error = 'the change was altered meanwhile'
		WHERE request = r.id AND state IN ('waiting', 'running');
	UPDATE change.request SET state = 'checked', report = NULL, error = NULL, closure_hash = NULL, objects = NULL,
		fingerprint_before = NULL, fingerprint_after = NULL, rehearsed_at = NULL WHERE id = r.id RETURNING * INTO r;
	PERFORM change.ledger_append(p_actor::text, 'change.edited', r.id::text,
		jsonb_build_object('number', r.number, 'was', v_was, 'sha256', r.sha256));
	INSERT INTO change.intent (request, kind, actor) VALUES (r.id, 'rehearse', p_actor);
END $$;
