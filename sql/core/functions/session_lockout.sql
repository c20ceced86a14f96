-- access.lockout_count(kind, name, whose, after, longest) -> until when it is locked, or NULL: one more try that failed, or may yet.
-- From the `after`-th on, each one doubles the delay, up to `longest`; it is forgotten after a quiet hour. The row is not raised while it
-- is locked, so that knocking on a locked door does not keep it shut.
CREATE FUNCTION access.lockout_key(p_name text) RETURNS bytea
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$ SELECT sha256(convert_to(p_name, 'UTF8')) $$;

CREATE FUNCTION access.lockout_count(p_kind text, p_name text, p_who text, p_after int, p_longest interval) RETURNS timestamptz
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_key bytea := access.lockout_key(p_name);
	v_now timestamptz := clock_timestamp();
	v_failures int;
	v_until timestamptz;
BEGIN
	INSERT INTO access.lockout AS l (kind, key, failures, last_at, locked_until) VALUES (p_kind, v_key, 1, v_now, v_now)
	ON CONFLICT (kind, key) DO UPDATE
	SET failures = CASE WHEN l.last_at < v_now - greatest(interval '1 hour', p_longest) THEN 1 ELSE least(l.failures + 1, 1000) END, last_at = v_now
	WHERE l.locked_until <= v_now
	RETURNING failures INTO v_failures;
	IF NOT FOUND THEN
		RETURN (SELECT locked_until FROM access.lockout WHERE kind = p_kind AND key = v_key AND locked_until > v_now);
	END IF;
	IF v_failures >= p_after THEN
		v_until := v_now + least(p_longest, interval '1 second' * power(2, least(v_failures - p_after, 20)));
		UPDATE access.lockout SET locked_until = v_until WHERE kind = p_kind AND key = v_key;
		PERFORM event.note('sessions', NULL, 'session.locked', jsonb_build_object('kind', p_kind, 'who', p_who,
			'failures', v_failures, 'until', v_until));
	END IF;
	RETURN NULL;
END $$;
