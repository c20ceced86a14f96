-- What a worker writes for a protected flag is either an approved request, word by word, or turns the flag off and leaves its rules as
-- they are. Who may write revisions may therefore not take protection off by himself either: see flag.protect().
CREATE FUNCTION flag.revision_protected() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	f flag.flag;
	o flag.revision;
BEGIN
	IF session_user <> 'bimodal_app' THEN
		RETURN NEW;
	END IF;
	SELECT * INTO f FROM flag.flag x WHERE x.key = NEW.key;
	IF NOT f.protected THEN
		RETURN NEW;
	END IF;
	SELECT * INTO o FROM flag.revision x WHERE x.revision = f.revision;
	IF (NEW.document::text IS DISTINCT FROM o.document::text OR (NEW.enabled AND NOT o.enabled)) AND NOT EXISTS (SELECT FROM flag.request r
		WHERE r.id = NEW.request AND r.key = NEW.key AND r.state = 'approved' AND r.decided_by = NEW.actor AND r.base = o.revision
		AND coalesce(r.document, o.document)::text = NEW.document::text AND NEW.enabled = (o.enabled OR r.kind = 'enable'))
	THEN
		RAISE EXCEPTION 'the flag "%" is protected: another person has to approve that', NEW.key USING ERRCODE = 'CR423';
	END IF;
	RETURN NEW;
END $$;

-- flag.protect(actor, request, key): from now on the flag changes only by two people. There is no way back but a request. What is planned for it by
-- one alone ends before.
CREATE FUNCTION flag.protect(p_actor uuid, p_request text, p_key text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	f flag.flag;
BEGIN
	PERFORM access.act(p_actor, p_request);
	SELECT * INTO f FROM flag.flag x WHERE x.key = p_key FOR UPDATE;
	IF NOT FOUND THEN
		RETURN 'missing';
	ELSIF f.archived_at IS NOT NULL THEN
		RETURN 'archived';
	ELSIF EXISTS (SELECT FROM flag.ramp r WHERE r.flag = p_key AND r.state IN ('running', 'held'))
		OR EXISTS (SELECT FROM flag.schedule s WHERE s.flag = p_key AND s.state = 'waiting' AND s.action <> 'disable')
	THEN
		RAISE EXCEPTION 'a ramp or a schedule of the flag "%" is not over: end it first', p_key USING ERRCODE = 'CR409';
	ELSIF NOT f.protected THEN
		UPDATE flag.flag SET protected = true WHERE key = p_key;
		PERFORM event.note('flags', NULL, 'flag.protect', jsonb_build_object('key', p_key));
	END IF;
	RETURN 'made';
END $$;
