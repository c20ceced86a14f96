-- change.request_approve(): the approver has seen the bytes of p_sha (NULL: those of now). The guard on change.approval refuses
-- authors, requests that were not rehearsed, and other bytes.
CREATE FUNCTION change.request_approve(p_request uuid, p_actor uuid, p_sha text, p_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r change.request;
BEGIN
	SELECT * INTO r FROM change.request WHERE id = p_request FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no change %', p_request USING ERRCODE = 'CR404';
	ELSIF p_actor = r.filed_by THEN
		RAISE EXCEPTION 'could not approve: an author does not approve the own change' USING ERRCODE = 'CR005';
	END IF;
	INSERT INTO change.approval (request, principal, sha256, closure_hash, note)
	VALUES (r.id, p_actor, coalesce(p_sha, r.sha256), coalesce(r.closure_hash, ''), p_note)
	ON CONFLICT (request, principal) DO UPDATE SET sha256 = excluded.sha256, closure_hash = excluded.closure_hash, at = now(),
		note = excluded.note;
	UPDATE change.request SET state = 'approved' WHERE id = r.id;
	PERFORM change.ledger_append(p_actor::text, 'change.approved', r.id::text,
		jsonb_build_object('number', r.number, 'sha256', r.sha256, 'closure', r.closure_hash));
END $$;

CREATE FUNCTION change.request_reject(p_request uuid, p_actor uuid, p_note text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r change.request;
BEGIN
	SELECT * INTO r FROM change.request WHERE id = p_request FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no change %', p_request USING ERRCODE = 'CR404';
	ELSIF r.state NOT IN ('draft', 'checked', 'rehearsed', 'approved', 'failed')
		OR EXISTS (SELECT FROM change.intent WHERE request = r.id AND state IN ('waiting', 'running') AND kind <> 'rehearse')
	THEN
		RAISE EXCEPTION 'change % is %: it can no longer be rejected', r.number, r.state USING ERRCODE = 'CR409';
	END IF;
	UPDATE change.intent SET state = 'failed', ended_at = clock_timestamp(), error = 'the change was rejected'
		WHERE request = r.id AND state IN ('waiting', 'running');
	DELETE FROM change.approval WHERE request = r.id;
	UPDATE change.request SET state = 'rejected', error = nullif(p_note, '') WHERE id = r.id;
	PERFORM change.ledger_append(p_actor::text, 'change.rejected', r.id::text,
		jsonb_build_object('number', r.number, 'sha256', r.sha256, 'note', p_note));
END $$;
