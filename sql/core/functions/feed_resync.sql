-- change.feed_resync_begin(slot, reason): a subscription of the airlock begins anew, because its slot here was lost. Once, also if
-- the jobs child is killed and begins again.
CREATE FUNCTION change.feed_resync_begin(p_slot text, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	INSERT INTO change.feed_resync AS r (slot, reason, asked_by) VALUES (p_slot, p_reason, 'system:feed')
	ON CONFLICT (slot) DO UPDATE SET reason = excluded.reason, begun_at = excluded.begun_at, ended_at = NULL, error = NULL
		WHERE r.ended_at IS NOT NULL;
	IF FOUND THEN
		PERFORM change.ledger_append('system:feed', 'feed.resync', p_slot, jsonb_build_object('reason', p_reason));
	END IF;
	RETURN FOUND;
END $$;

-- change.feed_slot_ask(slot, principal): the sandbox cannot make its slot on the airlock; here it asks for that. The jobs child does it.
CREATE FUNCTION change.feed_slot_ask(p_slot text, p_actor uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF p_slot NOT IN ('sandbox_registry', 'sandbox_crm') THEN
		RAISE EXCEPTION 'a slot of this name is not made on request' USING ERRCODE = '22023';
	END IF;
	INSERT INTO change.feed_resync AS r (slot, reason, asked_by) VALUES (p_slot, 'asked', p_actor::text)
	ON CONFLICT (slot) DO UPDATE SET asked_by = excluded.asked_by, begun_at = excluded.begun_at, ended_at = NULL, error = NULL
		WHERE r.ended_at IS NOT NULL;
END $$;

-- change.feed_resync_end(slot, error or NULL): the copy is complete again, or the slot that was asked for has been made.
CREATE FUNCTION change.feed_resync_end(p_slot text, p_error text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r change.feed_resync;
BEGIN
	UPDATE change.feed_resync x SET ended_at = clock_timestamp(), error = p_error WHERE x.slot = p_slot AND x.ended_at IS NULL
		RETURNING * INTO r;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF p_error IS NULL THEN
		PERFORM change.ledger_append(r.asked_by, CASE r.reason WHEN 'asked' THEN 'feed.resync' ELSE 'feed.resynced' END, r.slot,
			jsonb_build_object('reason', r.reason, 'milliseconds', (extract(epoch FROM r.ended_at - r.begun_at) * 1000)::bigint));
	END IF;
	RETURN true;
END $$;
