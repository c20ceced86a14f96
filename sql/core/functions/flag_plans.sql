-- What acts by itself acts for the one who planned it: of a protected flag only to turn it off can be planned.
CREATE FUNCTION flag.plan_protected() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF (SELECT f.protected FROM flag.flag f WHERE f.key = NEW.flag FOR SHARE) AND to_jsonb(NEW) ->> 'action' IS DISTINCT FROM 'disable' THEN
		RAISE EXCEPTION 'the flag "%" is protected: no ramp and no schedule may change it', NEW.flag USING ERRCODE = 'CR423';
	END IF;
	RETURN NEW;
END $$;

-- flag.protect(actor, request, key): from now on the flag changes only by two people. There is no way back but a request. What is planned for it ends before.
CREATE OR REPLACE FUNCTION flag.protect(p_actor uuid, p_request text, p_key text) RETURNS text
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
