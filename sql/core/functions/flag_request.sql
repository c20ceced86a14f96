-- Requests to change a protected flag. An approval binds to the hash of what is asked for: flag, kind, rules, whether those who have been
-- divided may be moved, and the revision it starts from.
CREATE FUNCTION flag.request_what(p_kind text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT CASE p_kind WHEN 'revise' THEN 'revise' WHEN 'publish' THEN 'publish the draft of' WHEN 'rollback' THEN 'roll back'
		WHEN 'enable' THEN 'enable' ELSE 'take the protection off' END
$$;

CREATE FUNCTION flag.request_json(p_id uuid) RETURNS json
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT row_to_json(x) FROM (SELECT r.id, r.key, r.kind, r.state, r.base, f.revision AS current, r.rebucket, r.comment, r.sha256, r.author,
		access.name_of(r.author) AS author_name, r.filed_at, r.decided_by, access.name_of(r.decided_by) AS decided_by_name, r.decided_at,
		r.note, r.document, CASE WHEN r.document IS NULL THEN '[]' ELSE flag.diff(b.document, r.document) END AS changes
		FROM flag.request r JOIN flag.flag f ON f.key = r.key JOIN flag.revision b ON b.revision = r.base WHERE r.id = p_id) x
$$;

-- p_document NULL: the draft's for 'publish', none for 'enable' and 'unprotect'. p_seen: the revision whose rules the author had before him.
CREATE FUNCTION flag.request_file(p_actor uuid, p_request text, p_key text, p_kind text, p_document jsonb, p_rebucket boolean, p_comment text,
	p_seen bigint) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	f flag.flag;
	v_document jsonb := p_document;
	v_sha text;
	v_id uuid;
	v_who text;
BEGIN
	PERFORM access.act(p_actor, p_request);
	SELECT * INTO f FROM flag.flag x WHERE x.key = p_key FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no flag "%"', p_key USING ERRCODE = 'CR404';
	ELSIF f.archived_at IS NOT NULL THEN
		RAISE EXCEPTION 'the flag "%" has been archived', p_key USING ERRCODE = 'CR410';
	ELSIF NOT f.protected THEN
		RAISE EXCEPTION 'the flag "%" is not protected', p_key USING ERRCODE = 'CR409';
	END IF;
	IF p_seen <> f.revision THEN
		RAISE EXCEPTION 'the flag "%" has changed meanwhile: it is at revision % now', p_key, f.revision USING ERRCODE = 'CR409';
	END IF;
	SELECT access.name_of(r.author) INTO v_who FROM flag.request r WHERE r.key = p_key AND r.state = 'waiting';
	IF FOUND THEN
		RAISE EXCEPTION 'a request of % for the flag "%" waits already: it has to be decided first', coalesce(v_who, 'somebody'), p_key
			USING ERRCODE = 'CR409';
	END IF;
	IF p_kind = 'publish' THEN
		SELECT d.document INTO v_document FROM flag.draft d WHERE d.key = p_key;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'the flag "%" has no draft', p_key USING ERRCODE = 'CR404';
		END IF;
	END IF;
	v_sha := encode(sha256(convert_to(jsonb_build_array(p_key, p_kind, f.revision, p_rebucket, v_document)::text, 'UTF8')), 'hex');
	INSERT INTO flag.request (key, kind, base, document, rebucket, comment, sha256, author)
	VALUES (p_key, p_kind, f.revision, v_document, p_rebucket, p_comment, v_sha, p_actor) RETURNING id INTO v_id;
	PERFORM event.note('flags', NULL, 'flag.request', jsonb_build_object('key', p_key, 'request', v_id, 'kind', p_kind,
		'what', flag.request_what(p_kind), 'sha256', v_sha, 'author', p_actor, 'comment', p_comment));
	RETURN flag.request_json(v_id);
END $$;

-- The one who approves has seen what p_sha is the hash of, is a person, is not its author, and has no password that the author made.
-- Returns the new revision (that of before for 'unprotect') and whether the flag is on.
CREATE FUNCTION flag.request_approve(p_actor uuid, p_request text, p_id uuid, p_sha text, p_note text,
	OUT key text, OUT revision bigint, OUT enabled boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r flag.request;
	f flag.flag;
	o flag.revision;
BEGIN
	PERFORM access.act(p_actor, p_request);
	-- The flag's row first, as every other write of a flag does.
	PERFORM FROM flag.flag x JOIN flag.request q ON q.key = x.key WHERE q.id = p_id FOR UPDATE OF x;
	SELECT * INTO r FROM flag.request q WHERE q.id = p_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such request' USING ERRCODE = 'CR404';
	ELSIF r.state <> 'waiting' THEN
		RAISE EXCEPTION 'the request is % already', r.state USING ERRCODE = 'CR409';
	ELSIF p_sha <> r.sha256 THEN
		RAISE EXCEPTION 'could not approve: the request is not the one that was shown' USING ERRCODE = 'CR005', COLUMN = '/sha256';
	ELSIF r.author = p_actor THEN
		RAISE EXCEPTION 'could not approve: an author does not approve what he asked for' USING ERRCODE = 'CR005';
	ELSIF NOT EXISTS (SELECT FROM access.principal p WHERE p.id = p_actor AND p.kind = 'user') THEN
		RAISE EXCEPTION 'could not approve: a service does not approve, a person does' USING ERRCODE = 'CR005';
	ELSIF EXISTS (SELECT FROM access.credential c WHERE c.principal = p_actor AND c.given_by = r.author::text) THEN
		RAISE EXCEPTION 'could not approve: its author made the secret that the approver''s password comes from'
			' (another operator can make a new one)' USING ERRCODE = 'CR005';
	END IF;
	SELECT * INTO f FROM flag.flag x WHERE x.key = r.key;
	SELECT * INTO o FROM flag.revision x WHERE x.revision = f.revision;
	IF f.archived_at IS NOT NULL THEN
		RAISE EXCEPTION 'the flag "%" has been archived', r.key USING ERRCODE = 'CR410';
	ELSIF r.kind = 'enable' AND f.expires_at <= now() THEN
		RAISE EXCEPTION 'the flag "%" has expired and cannot be turned on', r.key USING ERRCODE = 'CR409';
	ELSIF r.kind <> 'unprotect' AND f.revision <> r.base THEN
		RAISE EXCEPTION 'the flag "%" is at revision % and the request is about revision %: it has to be made anew', r.key, f.revision, r.base
			USING ERRCODE = 'CR409';
	END IF;
	UPDATE flag.request q SET state = 'approved', decided_by = p_actor, decided_at = now(), note = p_note WHERE q.id = r.id;
	key := r.key;
	IF r.kind = 'unprotect' THEN
		UPDATE flag.flag x SET protected = false WHERE x.key = r.key;
		revision := f.revision;
		enabled := o.enabled;
	ELSE
		INSERT INTO flag.revision AS v (key, document, enabled, core_only, actor, comment, rebucket, request)
		VALUES (r.key, coalesce(r.document, o.document), o.enabled OR r.kind = 'enable',
			CASE WHEN r.document IS NULL THEN o.core_only ELSE flag.core_only(r.document) END, p_actor, r.comment, r.rebucket, r.id)
		RETURNING v.revision, v.enabled INTO revision, enabled;
		DELETE FROM flag.draft d WHERE r.kind = 'publish' AND d.key = r.key AND d.document::text = r.document::text;
	END IF;
	PERFORM event.note('flags', NULL, 'flag.approve', jsonb_build_object('key', r.key, 'request', r.id, 'kind', r.kind,
		'what', flag.request_what(r.kind), 'sha256', r.sha256, 'author', r.author, 'note', p_note, 'revision', revision,
		'enabled', enabled, 'document', r.document, 'rebucket', r.rebucket));
END $$;

-- p_state 'rejected', by somebody else, or 'withdrawn', by its author.
CREATE FUNCTION flag.request_end(p_actor uuid, p_request text, p_id uuid, p_state text, p_note text) RETURNS json
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r flag.request;
BEGIN
	PERFORM access.act(p_actor, p_request);
	SELECT * INTO r FROM flag.request q WHERE q.id = p_id FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no such request' USING ERRCODE = 'CR404';
	ELSIF r.state <> 'waiting' THEN
		RAISE EXCEPTION 'the request is % already', r.state USING ERRCODE = 'CR409';
	ELSIF p_state = 'withdrawn' AND r.author <> p_actor THEN
		RAISE EXCEPTION 'only its author withdraws a request' USING ERRCODE = 'CR403';
	ELSIF p_state = 'rejected' AND r.author = p_actor THEN
		RAISE EXCEPTION 'an author withdraws the own request' USING ERRCODE = 'CR409';
	END IF;
	UPDATE flag.request q SET state = p_state, decided_by = p_actor, decided_at = now(), note = p_note WHERE q.id = r.id;
	PERFORM event.note('flags', NULL, CASE p_state WHEN 'rejected' THEN 'flag.reject' ELSE 'flag.withdraw' END,
		jsonb_build_object('key', r.key, 'request', r.id, 'kind', r.kind, 'what', flag.request_what(r.kind), 'sha256', r.sha256,
		'author', r.author, 'note', p_note));
	RETURN flag.request_json(r.id);
END $$;
