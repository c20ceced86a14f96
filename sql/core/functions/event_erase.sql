-- event.erase(resource, record) -> rows whose payload was removed. The erasure itself stays in the log.
CREATE FUNCTION event.erase(p_resource text, p_record uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_actor text := current_setting('bimodal.actor', true);
	v_n int;
BEGIN
	IF coalesce(v_actor, '') = '' THEN
		RAISE EXCEPTION 'could not erase the history of %: no actor is set', p_resource
			USING ERRCODE = 'CR001';
	END IF;
	UPDATE event.log SET before = NULL, after = NULL, salt = NULL
		WHERE resource = p_resource AND record_id = p_record AND salt IS NOT NULL AND op <> 'erase';
	GET DIAGNOSTICS v_n = ROW_COUNT;
	-- A kept reply shows the record as it was.
	DELETE FROM event.idempotency WHERE record_id = p_record;
	INSERT INTO event.log (actor, request_id, resource, record_id, op, after, salt)
	VALUES (v_actor, coalesce(current_setting('bimodal.request', true), ''), p_resource, p_record,
		'erase', jsonb_build_object('rows', v_n), uuid_send(gen_random_uuid()));
	RETURN v_n;
END $$;
