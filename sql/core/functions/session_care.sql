-- access.session_care() -> rows removed: what ended 30 days ago, delays that are forgotten, secrets that were not used, tokens of sessions
-- that ended a day ago. Delays are kept for 50,000 accounts and addresses at most, the latest.
CREATE FUNCTION access.session_care() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v int;
	v_all int := 0;
BEGIN
	DELETE FROM access.session s WHERE s.id IN (SELECT o.id FROM access.session o
		WHERE o.expires_at < now() - interval '30 days' ORDER BY o.expires_at LIMIT 10000);
	GET DIAGNOSTICS v = ROW_COUNT;
	v_all := v_all + v;
	DELETE FROM access.lockout l WHERE l.last_at < now() - interval '1 day' OR l.last_at < (SELECT o.last_at FROM access.lockout o
		ORDER BY o.last_at DESC OFFSET 50000 LIMIT 1);
	GET DIAGNOSTICS v = ROW_COUNT;
	v_all := v_all + v;
	DELETE FROM access.password_reset WHERE expires_at < now();
	GET DIAGNOSTICS v = ROW_COUNT;
	v_all := v_all + v;
	-- Its trigger reads every token anew, so it runs only for something.
	IF EXISTS (SELECT FROM access.token WHERE session IS NOT NULL AND expires_at < now() - interval '1 day') THEN
		PERFORM set_config('bimodal.actor', 'system:sessions', true);
		DELETE FROM access.token WHERE session IS NOT NULL AND expires_at < now() - interval '1 day';
		GET DIAGNOSTICS v = ROW_COUNT;
		v_all := v_all + v;
	END IF;
	RETURN v_all;
END $$;
