-- webhook.done(delivery, attempt, outcome, status, ms, error, after, give up): what became of one attempt. outcome: delivered; again (after so
-- many milliseconds); dead; gone (the receiver wants no more: the endpoint is switched off). An endpoint that has done nothing but fail
-- for as long as `give up` is switched off too. What waits for an endpoint that is off is dead, and may be asked for again.
CREATE FUNCTION webhook.done(p_delivery uuid, p_attempt int, p_outcome text, p_status int, p_ms int, p_error text, p_after_ms bigint,
	p_give_up interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	d webhook.delivery;
	e webhook.endpoint;
	v_reason text;
BEGIN
	SELECT * INTO d FROM webhook.delivery WHERE id = p_delivery AND attempts = p_attempt AND state = 'waiting' FOR UPDATE;
	IF NOT FOUND THEN
		RETURN;
	END IF;
	INSERT INTO webhook.attempt (delivery, n, status, ms, error) VALUES (d.id, p_attempt, p_status, p_ms, left(p_error, 500));
	UPDATE webhook.delivery SET state = CASE p_outcome WHEN 'delivered' THEN 'delivered' WHEN 'again' THEN 'waiting' ELSE 'dead' END,
		status = p_status, error = left(p_error, 500), leased_until = NULL,
		due_at = CASE p_outcome WHEN 'again' THEN clock_timestamp() + make_interval(secs => p_after_ms / 1000.0) ELSE due_at END,
		ended_at = CASE p_outcome WHEN 'again' THEN NULL ELSE clock_timestamp() END
		WHERE id = d.id;
	IF p_outcome = 'delivered' THEN
		UPDATE webhook.endpoint SET failing_since = NULL WHERE id = d.endpoint AND failing_since IS NOT NULL;
		RETURN;
	END IF;
	UPDATE webhook.endpoint SET failing_since = coalesce(failing_since, clock_timestamp()) WHERE id = d.endpoint RETURNING * INTO e;
	v_reason := CASE WHEN p_outcome = 'gone' THEN 'Its receiver answered 410: it wants no more messages.'
		WHEN e.failing_since < clock_timestamp() - p_give_up THEN 'Nothing could be delivered since '
			|| to_char(e.failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC.' END;
	IF v_reason IS NOT NULL AND e.disabled_at IS NULL THEN
		UPDATE webhook.endpoint SET disabled_at = now(), reason = v_reason, updated_at = now() WHERE id = e.id;
		UPDATE webhook.delivery SET state = 'dead', error = 'the webhook was switched off', ended_at = clock_timestamp()
			WHERE endpoint = e.id AND state = 'waiting';
		PERFORM set_config('bimodal.actor', 'system:webhooks', true);
		PERFORM event.note('webhooks', e.id, 'webhook.disabled', jsonb_build_object('reason', v_reason));
	END IF;
END $$;
