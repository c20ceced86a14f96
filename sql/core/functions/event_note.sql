-- event.note(resource, record, op, detail): a row of the log that is not a write of a record (a pseudonym
-- was resolved, records were exported). Same rule for the actor; the ops of writes are refused.
CREATE FUNCTION event.note(p_resource text, p_record uuid, p_op text, p_detail jsonb) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_actor text := current_setting('bimodal.actor', true);
	v_seq bigint;
BEGIN
	IF coalesce(v_actor, '') = '' THEN
		RAISE EXCEPTION 'could not write the event %: no actor is set', p_op USING ERRCODE = 'CR001';
	ELSIF p_op IN ('create', 'update', 'delete', 'erase') THEN
		RAISE EXCEPTION 'could not write the event %: it is made by the write itself', p_op
			USING ERRCODE = 'CR002';
	END IF;
	IF p_op !~ '^[a-z][a-z_.-]{0,30}$' THEN
		RAISE EXCEPTION 'could not write the event %: not a name', p_op USING ERRCODE = '22023';
	END IF;
	INSERT INTO event.log (actor, request_id, resource, record_id, op, after, salt)
	VALUES (v_actor, coalesce(current_setting('bimodal.request', true), ''), p_resource, p_record, p_op,
		p_detail, uuid_send(gen_random_uuid()))
	RETURNING seq INTO v_seq;
	RETURN v_seq;
END $$;
