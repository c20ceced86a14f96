-- access.session_enter(login, address, after, longest): may somebody try a password now? The try is counted before the password is
-- looked at, so that a thousand at once count as a thousand; the right one takes the count back. The same work is done and the same
-- delays apply whether the account exists or not. `phc` is NULL if there is nothing to compare with.
CREATE FUNCTION access.session_enter(p_login text, p_address text, p_after int, p_longest interval,
	OUT retry_s int, OUT principal uuid, OUT phc text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_now timestamptz := clock_timestamp();
	v_until timestamptz;
BEGIN
	SELECT p.id, c.phc INTO principal, phc FROM access.principal p LEFT JOIN access.credential c ON c.principal = p.id
		WHERE (p.name = p_login OR lower(p.email) = lower(p_login)) AND p.kind = 'user' AND p.disabled_at IS NULL
		ORDER BY p.name = p_login DESC LIMIT 1;
	SELECT l.locked_until INTO v_until FROM access.lockout l
		WHERE l.kind = 'address' AND l.key = access.lockout_key(p_address) AND l.locked_until > v_now;
	-- Who was here before from this address is counted apart: nobody elsewhere can lock him out. No login holds a line break.
	IF v_until IS NULL THEN
		v_until := access.lockout_count('account', coalesce(principal::text || CASE WHEN EXISTS (SELECT FROM access.session s
			WHERE s.principal = session_enter.principal AND s.address = p_address AND s.created_at > v_now - interval '30 days')
			THEN E'\n' || p_address ELSE '' END, lower(p_login)), coalesce(principal::text, 'unknown'), p_after, p_longest);
	END IF;
	retry_s := coalesce(ceil(extract(epoch FROM v_until - v_now))::int, 0);
	IF retry_s > 0 THEN
		principal := NULL;
		phc := NULL;
	END IF;
END $$;

-- access.session_refuse(login, principal or NULL, address, after, longest): the password was wrong, or there was nobody to have one.
-- An unknown login is not noted, in no form: it may be a password that was typed into the wrong field.
CREATE FUNCTION access.session_refuse(p_login text, p_principal uuid, p_address text, p_after int, p_longest interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF p_after > 0 THEN
		PERFORM access.lockout_count('address', p_address, p_address, p_after, p_longest);
	END IF;
	PERFORM event.note('sessions', p_principal, 'session.refused', jsonb_build_object('address', p_address, 'principal', p_principal,
		'login', CASE WHEN p_principal IS NULL THEN 'unknown' END));
END $$;
