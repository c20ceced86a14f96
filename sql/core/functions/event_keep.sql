-- event.keep(): the log's rows stay as written; the one update that passes takes payload and salt away
-- and nothing else.
CREATE FUNCTION event.keep() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF tg_op = 'UPDATE' AND NEW.before IS NULL AND NEW.after IS NULL AND NEW.salt IS NULL
		AND (NEW.seq, NEW.xid, NEW.at, NEW.actor, NEW.request_id, NEW.resource, NEW.record_id, NEW.op,
			NEW.version) IS NOT DISTINCT FROM (OLD.seq, OLD.xid, OLD.at, OLD.actor,
			OLD.request_id, OLD.resource, OLD.record_id, OLD.op, OLD.version)
	THEN
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'could not % event.log: its rows are kept as they were written', lower(tg_op)
		USING ERRCODE = 'CR002';
END $$;
