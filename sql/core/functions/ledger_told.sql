-- notice.ledger_told(): each row of the ledger is an event as well, so that what follows the log meets changes, drift and promotions in
-- one order with everything else. Only plain members of the body go along; of a change, what it is and the state it has now.
CREATE FUNCTION notice.ledger_told() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_detail jsonb;
	v_record uuid;
BEGIN
	SELECT coalesce(jsonb_object_agg(m.key, CASE jsonb_typeof(m.value) WHEN 'string' THEN to_jsonb(left(m.value #>> '{}', 2000)) ELSE m.value END),
		'{}') INTO v_detail FROM jsonb_each(CASE jsonb_typeof(NEW.body) WHEN 'object' THEN NEW.body ELSE '{}' END) m
		WHERE jsonb_typeof(m.value) NOT IN ('object', 'array');
	IF NEW.kind LIKE 'change.%' AND NEW.ref ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN
		v_record := NEW.ref::uuid;
		SELECT v_detail || jsonb_build_object('kind', r.kind, 'state', r.state) INTO v_detail FROM change.request r WHERE r.id = v_record;
	END IF;
	INSERT INTO event.log (actor, request_id, resource, record_id, op, after, salt)
	VALUES (NEW.actor, coalesce(current_setting('bimodal.request', true), ''),
		CASE WHEN v_record IS NULL THEN split_part(NEW.kind, '.', 1) ELSE 'changes' END, v_record, NEW.kind, v_detail,
		uuid_send(gen_random_uuid()));
	RETURN NULL;
END $$;
