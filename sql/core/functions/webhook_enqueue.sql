-- webhook.enqueue(type, key, owner, team, data) -> deliveries made. One message for the endpoints of that owner or team
-- that want the type, once for that key. An endpoint with 1000 messages waiting takes no more: those are dead at once, and seen.
CREATE FUNCTION webhook.enqueue(p_type text, p_key text, p_owner uuid, p_team uuid, p_data jsonb) RETURNS int
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_ends uuid[];
	v_message uuid;
	v int;
BEGIN
	SELECT array_agg(e.id) INTO v_ends FROM webhook.endpoint e WHERE e.disabled_at IS NULL AND (e.owner = p_owner OR e.team = p_team)
		AND EXISTS (SELECT FROM unnest(e.types) t WHERE t = '*' OR t = p_type OR t LIKE '%.*' AND starts_with(p_type, left(t, -1)));
	IF v_ends IS NULL THEN
		RETURN 0;
	END IF;
	INSERT INTO webhook.message (key, type, payload) VALUES (p_type || ':' || p_key, p_type, jsonb_build_object('type', p_type,
		'timestamp', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', p_data)::text)
	ON CONFLICT (key) DO NOTHING RETURNING id INTO v_message;
	IF v_message IS NULL THEN
		RETURN 0;
	END IF;
	INSERT INTO webhook.delivery (message, endpoint, state, error, ended_at)
	SELECT v_message, e, CASE WHEN f.is_full THEN 'dead' ELSE 'waiting' END,
		CASE WHEN f.is_full THEN 'the endpoint has 1000 messages waiting already' END, CASE WHEN f.is_full THEN clock_timestamp() END
	FROM unnest(v_ends) e CROSS JOIN LATERAL (SELECT count(*) >= 1000 AS is_full FROM (SELECT FROM webhook.delivery d WHERE d.endpoint = e
		AND d.state = 'waiting' LIMIT 1000) x) f;
	GET DIAGNOSTICS v = ROW_COUNT;
	RETURN v;
END $$;

-- webhook.again(endpoint, delivery): send it once more, whatever became of it, under the same id. False if there is none.
CREATE FUNCTION webhook.again(p_endpoint uuid, p_delivery uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF EXISTS (SELECT FROM webhook.endpoint WHERE id = p_endpoint AND disabled_at IS NOT NULL) THEN
		RAISE EXCEPTION 'the webhook is switched off: switch it on first' USING ERRCODE = 'CR409';
	END IF;
	UPDATE webhook.delivery SET state = 'waiting', base_attempts = attempts, due_at = clock_timestamp(), leased_until = NULL, ended_at = NULL
		WHERE id = p_delivery AND endpoint = p_endpoint;
	IF FOUND THEN
		PERFORM event.note('webhooks', p_endpoint, 'webhook.replay', jsonb_build_object('delivery', p_delivery));
	END IF;
	RETURN FOUND;
END $$;

-- webhook.send_test(endpoint) -> delivery: a message to this endpoint alone, so that its receiver can be tried.
CREATE FUNCTION webhook.send_test(p_endpoint uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_message uuid := crm.uuid_v7();
	v uuid;
BEGIN
	IF (SELECT count(*) FROM webhook.delivery d WHERE d.endpoint = p_endpoint AND d.state = 'waiting') >= 1000 THEN
		RAISE EXCEPTION 'the endpoint has 1000 messages waiting already' USING ERRCODE = 'CR429';
	END IF;
	INSERT INTO webhook.message (id, key, type, payload) VALUES (v_message, 'webhook.test:' || v_message, 'webhook.test',
		jsonb_build_object('type', 'webhook.test', 'timestamp', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'data', jsonb_build_object('endpoint', p_endpoint))::text);
	INSERT INTO webhook.delivery (message, endpoint) VALUES (v_message, p_endpoint) RETURNING id INTO v;
	PERFORM event.note('webhooks', p_endpoint, 'webhook.test', jsonb_build_object('delivery', v));
	RETURN v;
END $$;
