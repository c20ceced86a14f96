-- flag.lifecycle(flag, days): where a flag stands.
--   archived  somebody ended it
--   expired   its time is over
--   new       it was never on, and is younger than so many days
--   live      it is on, and within so many days it was changed or met somebody new
--   stale     anything else: off, or on without a change and without anybody new for so long
CREATE FUNCTION flag.lifecycle(f flag.flag, p_days int) RETURNS text
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT CASE
		WHEN f.archived_at IS NOT NULL AND f.archived_at < f.expires_at THEN 'archived'
		WHEN f.expires_at <= now() OR f.archived_at IS NOT NULL THEN 'expired'
		WHEN f.created_at > now() - make_interval(days => p_days)
			AND NOT EXISTS (SELECT FROM flag.revision r WHERE r.key = f.key AND r.enabled) THEN 'new'
		WHEN (SELECT r.enabled AND (r.at > now() - make_interval(days => p_days) OR EXISTS (SELECT FROM flag.exposure e
			WHERE e.flag = f.key AND e.at > now() - make_interval(days => p_days))) FROM flag.revision r WHERE r.revision = f.revision)
			THEN 'live'
		ELSE 'stale' END
$$;
