-- notice.mail_due(setting, at): when an e-mail about something of that moment may go out: at once or at the hour of the digest, and
-- then within the hours of the recipient's own clock. hours_from > hours_to is over midnight.
CREATE FUNCTION notice.mail_due(p_setting notice.setting, p_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
	v_zone text := coalesce(p_setting.time_zone, 'UTC');
	v_at timestamptz := p_at;
	v_local timestamp;
	v_minute int;
BEGIN
	IF p_setting.digest_hour IS NOT NULL THEN
		v_local := date_trunc('day', p_at AT TIME ZONE v_zone) + make_interval(hours => p_setting.digest_hour);
		v_at := v_local AT TIME ZONE v_zone;
		IF v_at <= p_at THEN
			v_at := (v_local + interval '1 day') AT TIME ZONE v_zone;
		END IF;
	END IF;
	IF p_setting.hours_from IS NULL THEN
		RETURN v_at;
	END IF;
	v_local := v_at AT TIME ZONE v_zone;
	v_minute := extract(hour FROM v_local) * 60 + extract(minute FROM v_local);
	IF p_setting.hours_from < p_setting.hours_to AND v_minute >= p_setting.hours_from AND v_minute < p_setting.hours_to
		OR p_setting.hours_from > p_setting.hours_to AND (v_minute >= p_setting.hours_from OR v_minute < p_setting.hours_to)
	THEN
		RETURN v_at;
	END IF;
	v_local := date_trunc('day', v_local) + make_interval(mins => p_setting.hours_from)
		+ CASE WHEN v_minute >= p_setting.hours_from THEN interval '1 day' ELSE interval '0' END;
	RETURN v_local AT TIME ZONE v_zone;
END $$;
