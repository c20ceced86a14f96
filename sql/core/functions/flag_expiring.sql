-- flag.expiring(days, max) -> how many were told: each flag that expires within one of these numbers of days becomes an event, once for
-- each number and expiry. What was due for longer is told with the nearest one alone; a flag that was made later than its notice was
-- due is not told of it.
CREATE FUNCTION flag.expiring(p_days int[], p_max int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	f record;
	v int := 0;
BEGIN
	FOR f IN SELECT x.key, x.kind, x.expires_at, min(d) AS days, array_agg('flag:' || x.key || ':' || extract(epoch FROM x.expires_at)::bigint
			|| ':' || d) AS warnings
		FROM flag.flag x, unnest(p_days) d
		WHERE x.archived_at IS NULL AND x.expires_at > now() AND x.expires_at <= now() + make_interval(days => d)
		AND x.created_at < x.expires_at - make_interval(days => d)
		AND NOT EXISTS (SELECT FROM notice.warned w WHERE w.what = 'flag:' || x.key || ':' || extract(epoch FROM x.expires_at)::bigint
			|| ':' || d)
		GROUP BY x.key, x.kind, x.expires_at ORDER BY x.expires_at LIMIT p_max
	LOOP
		INSERT INTO notice.warned (what) SELECT unnest(f.warnings) ON CONFLICT DO NOTHING;
		PERFORM set_config('bimodal.actor', 'system:flags', true);
		PERFORM event.note('flags', NULL, 'flag.expiring', jsonb_build_object('key', f.key, 'kind', f.kind, 'expires_at', f.expires_at,
			'within', CASE f.days WHEN 1 THEN 'one day' ELSE f.days || ' days' END));
		v := v + 1;
	END LOOP;
	RETURN v;
END $$;
