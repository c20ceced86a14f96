ALTER TABLE flag.flag DROP COLUMN team;
DROP TRIGGER protected ON flag.ramp;
DROP TRIGGER protected ON flag.schedule;
DROP FUNCTION flag.plan_protected();
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
	ELSIF NOT f.protected THEN
		UPDATE flag.flag SET protected = true WHERE key = p_key;
		PERFORM event.note('flags', NULL, 'flag.protect', jsonb_build_object('key', p_key));
	END IF;
	RETURN 'made';
END $$;
