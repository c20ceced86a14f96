-- access.record(resource, column of the record's id, prefix of the op, secret field, …): the AFTER row trigger of schema access that
-- writes event.log in the transaction of the write itself. The app role must name its actor, as everywhere; a login that works by hand
-- or at installation is its own actor.
CREATE FUNCTION access.record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_actor text := nullif(current_setting('bimodal.actor', true), '');
	v_before jsonb := CASE WHEN tg_op <> 'INSERT' THEN to_jsonb(OLD) END;
	v_after jsonb := CASE WHEN tg_op <> 'DELETE' THEN to_jsonb(NEW) END;
	v_any jsonb := coalesce(v_after, v_before);
BEGIN
	IF v_actor IS NULL AND session_user = 'bimodal_app' THEN
		RAISE EXCEPTION 'could not write %: no actor is set', tg_argv[0] USING ERRCODE = 'CR001';
	END IF;
	v_before := v_before - tg_argv[3:];
	v_after := v_after - tg_argv[3:];
	IF v_before - 'version' - 'updated_at' = v_after - 'version' - 'updated_at' THEN
		RETURN NULL;
	END IF;
	INSERT INTO event.log (actor, request_id, resource, record_id, op, version, before, after, salt)
	VALUES (coalesce(v_actor, 'system:' || session_user), coalesce(current_setting('bimodal.request', true), ''), tg_argv[0],
		(v_any ->> tg_argv[1])::uuid,
		tg_argv[2] || CASE tg_op WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'update' ELSE 'delete' END,
		(v_any ->> 'version')::int, v_before, v_after, uuid_send(gen_random_uuid()));
	RETURN NULL;
END $$;

-- access.touch(): the version of a user or team is its number of writes.
CREATE FUNCTION access.touch() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF NEW IS DISTINCT FROM OLD THEN
		NEW.version := OLD.version + 1;
		NEW.updated_at := now();
	END IF;
	RETURN NEW;
END $$;
