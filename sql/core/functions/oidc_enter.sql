-- access.oidc_enter(hash of the flow or NULL, its lifetime, address): somebody comes back from the provider. A flow is good for one
-- return: `fresh` is false for a second one. Who was refused too often must wait, as with passwords. Flows that are over go with the
-- next ones.
CREATE FUNCTION access.oidc_enter(p_flow bytea, p_lifetime interval, p_address text, OUT retry_s int, OUT fresh boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_now timestamptz := clock_timestamp();
BEGIN
	SELECT ceil(extract(epoch FROM l.locked_until - v_now))::int INTO retry_s FROM access.lockout l
		WHERE l.kind = 'address' AND l.key = access.lockout_key(p_address) AND l.locked_until > v_now;
	retry_s := coalesce(retry_s, 0);
	fresh := false;
	IF retry_s > 0 OR p_flow IS NULL THEN
		RETURN;
	END IF;
	DELETE FROM access.oidc_flow f WHERE f.hash IN (SELECT o.hash FROM access.oidc_flow o WHERE o.ends_at < v_now
		ORDER BY o.ends_at LIMIT 20 FOR UPDATE SKIP LOCKED);
	INSERT INTO access.oidc_flow (hash, ends_at) VALUES (p_flow, v_now + p_lifetime) ON CONFLICT DO NOTHING;
	fresh := FOUND;
END $$;

-- access.oidc_refuse(reason, detail, address, after, longest): who came back was not let in. after 0: it was not his fault, so it is not
-- counted.
CREATE FUNCTION access.oidc_refuse(p_reason text, p_detail text, p_address text, p_after int, p_longest interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF p_after > 0 THEN
		PERFORM access.lockout_count('address', p_address, p_address, p_after, p_longest);
	END IF;
	PERFORM event.note('sessions', NULL, 'session.refused', jsonb_build_object('method', 'oidc', 'reason', p_reason, 'detail', p_detail,
		'address', p_address));
END $$;
