-- event.record(resource, secret field, …): the AFTER row trigger that writes the log in the transaction of
-- the write itself. The fields named in its arguments never enter an image. Actor and request come from
-- the settings bimodal.actor and bimodal.request of the transaction; without an actor nothing is written.
CREATE FUNCTION event.record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_actor text := current_setting('bimodal.actor', true);
BEGIN
	IF coalesce(v_actor, '') = '' THEN
		RAISE EXCEPTION 'could not write %: no actor is set', tg_argv[0] USING ERRCODE = 'CR001';
	END IF;
	IF tg_op = 'UPDATE' THEN
		INSERT INTO event.log (actor, request_id, resource, record_id, op, version, before, after, salt)
		VALUES (v_actor, coalesce(current_setting('bimodal.request', true), ''), tg_argv[0], NEW.id,
			'update', NEW.version, to_jsonb(OLD) - tg_argv[1:], to_jsonb(NEW) - tg_argv[1:],
			uuid_send(gen_random_uuid()));
	ELSIF tg_op = 'INSERT' THEN
		INSERT INTO event.log (actor, request_id, resource, record_id, op, version, after, salt)
		VALUES (v_actor, coalesce(current_setting('bimodal.request', true), ''), tg_argv[0], NEW.id,
			'create', NEW.version, to_jsonb(NEW) - tg_argv[1:], uuid_send(gen_random_uuid()));
	ELSE
		INSERT INTO event.log (actor, request_id, resource, record_id, op, version, before, salt)
		VALUES (v_actor, coalesce(current_setting('bimodal.request', true), ''), tg_argv[0], OLD.id,
			'delete', OLD.version, to_jsonb(OLD) - tg_argv[1:], uuid_send(gen_random_uuid()));
	END IF;
	RETURN NULL;
END $$;
