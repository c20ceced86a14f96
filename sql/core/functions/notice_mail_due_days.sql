-- notice.mail_due(setting, at): when an e-mail about something of that moment may go out: at once or at the hour of the digest, and
-- then within the hours and on the days (1 = Monday) of the recipient's own clock. hours_from > hours_to is over midnight; such a night
-- is that of the day on which it begins.
CREATE OR REPLACE FUNCTION notice.mail_due(p_setting notice.setting, p_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
	v_zone text := coalesce(p_setting.time_zone, 'UTC');
	v_days int[] := coalesce(p_setting.days, '{1,2,3,4,5,6,7}');
	v_from interval := make_interval(mins => coalesce(p_setting.hours_from, 0));
	v_to interval := make_interval(mins => coalesce(p_setting.hours_to, 1440));
	v_at timestamptz := p_at;
BEGIN
	IF p_setting.digest_hour IS NOT NULL THEN
		SELECT min(x.at) INTO v_at FROM (SELECT d, (d + make_interval(hours => p_setting.digest_hour)) AT TIME ZONE v_zone AS at
			FROM generate_series(date_trunc('day', p_at AT TIME ZONE v_zone), p_at AT TIME ZONE v_zone + interval '8 days', '1 day') d) x
			WHERE x.at > p_at AND extract(isodow FROM x.d) = ANY (v_days);
	END IF;
	IF p_setting.hours_from IS NULL AND p_setting.days IS NULL THEN
		RETURN v_at;
	END IF;
	IF v_to <= v_from THEN
		v_to := v_to + interval '1 day';
	END IF;
	RETURN (SELECT greatest(min(w.opens), v_at) FROM (SELECT (d + v_from) AT TIME ZONE v_zone AS opens, (d + v_to) AT TIME ZONE v_zone AS closes
		FROM generate_series(date_trunc('day', v_at AT TIME ZONE v_zone) - interval '1 day', v_at AT TIME ZONE v_zone + interval '8 days',
			'1 day') d WHERE extract(isodow FROM d) = ANY (v_days)) w WHERE w.closes > v_at);
END $$;
