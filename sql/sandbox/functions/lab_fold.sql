-- lab.purge(pseudonyms) -> rows removed: what is kept about people who are no longer in the copy. In the features' own tables the columns unit,
-- pseudonym and person_pseudonym name the person; they are cleared as the feature's owner, so that its objects cannot do more than it may.
CREATE FUNCTION lab.purge(p_units uuid[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r record;
	v_rows bigint;
	v_all bigint := 0;
BEGIN
	WITH gone AS (
		DELETE FROM lab.exposure e WHERE e.unit = ANY (p_units) RETURNING e.flag
	), counted AS (
		SELECT g.flag, count(*) AS n FROM gone g GROUP BY g.flag
	)
	UPDATE lab.experiment x SET withdrawn = x.withdrawn + c.n, is_changed = true FROM counted c WHERE c.flag = x.flag_key;
	DELETE FROM lab.dirty d WHERE d.unit = ANY (p_units);
	DELETE FROM lab.unit_metric m WHERE m.unit = ANY (p_units);
	GET DIAGNOSTICS v_all = ROW_COUNT;
	FOR r IN SELECT n.nspname, c.relname, a.attname, o.rolname
		FROM lab.hypothesis h JOIN pg_catalog.pg_namespace n ON n.nspname = 'feature_' || h.slug
		JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'r'
		JOIN pg_catalog.pg_roles o ON o.oid = c.relowner AND o.rolname = n.nspname || '_owner'
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname IN ('unit', 'pseudonym', 'person_pseudonym')
			AND a.atttypid = 'pg_catalog.uuid'::regtype AND NOT a.attisdropped
		WHERE h.is_deployed
	LOOP
		EXECUTE format('SET LOCAL ROLE %I', r.rolname);
		EXECUTE format('DELETE FROM %I.%I WHERE %I = ANY ($1)', r.nspname, r.relname, r.attname) USING p_units;
		GET DIAGNOSTICS v_rows = ROW_COUNT;
		EXECUTE 'RESET ROLE';
		v_all := v_all + v_rows;
	END LOOP;
	RETURN v_all;
END $$;

-- lab.orphans() -> units that are kept here but no longer in the copy: after a re-sync, where nobody was deleted one by one. Nothing while a copy
-- is under way.
CREATE FUNCTION lab.orphans() RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
	RETURN (SELECT array_agg(DISTINCT e.unit) FROM lab.exposure e
		WHERE NOT EXISTS (SELECT FROM crm.person p WHERE p.pseudonym = e.unit)
		AND NOT (SELECT s.resyncing OR s.at IS NULL FROM lab.position s)
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel r WHERE r.srsubstate NOT IN ('r', 's')));
END $$;

-- lab.consume(max): takes that many changes from the outbox, clears what was kept of deleted people, and notes which units to fold again. One transaction:
-- what is taken has been used by everybody who needs it. The rows of lab.dirty carry when the metric of the unit has matured.
CREATE FUNCTION lab.consume(p_max int) RETURNS TABLE (events bigint, purged bigint)
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_touched jsonb;
	v_deleted uuid[];
	v_copied boolean;
BEGIN
	WITH gone AS (
		DELETE FROM lab.outbox o WHERE o.id IN (SELECT i.id FROM lab.outbox i ORDER BY i.id LIMIT p_max)
		RETURNING o.tab, o.op, o.kind, o.unit, o.at
	)
	SELECT count(*), (SELECT jsonb_object_agg(x.unit, x.at) FROM (SELECT l.unit, max(l.at) AS at FROM gone l
			WHERE l.unit IS NOT NULL AND EXISTS (SELECT FROM lab.exposure e WHERE e.unit = l.unit) GROUP BY l.unit) x),
		array_agg(DISTINCT g.unit) FILTER (WHERE g.tab = 'person' AND g.op = 'delete'), coalesce(bool_or(g.kind = 'copy'), false)
	INTO events, v_touched, v_deleted, v_copied FROM gone g;
	IF v_copied THEN
		v_deleted := coalesce(v_deleted, '{}') || coalesce(lab.orphans(), '{}');
	END IF;
	purged := 0;
	IF cardinality(v_deleted) > 0 THEN
		purged := lab.purge(v_deleted);
	END IF;
	WITH noted AS (
		UPDATE lab.exposure e SET is_noted = true FROM lab.experiment x
		WHERE e.flag = x.flag_key AND x.state = 'running' AND NOT e.is_noted
		RETURNING e.unit, e.at, x.slug
	), changed AS (
		UPDATE lab.experiment x SET is_changed = true WHERE x.slug IN (SELECT n.slug FROM noted n)
	)
	INSERT INTO lab.dirty (slug, metric, unit, due, first_seen, last_seen)
	SELECT n.slug, m.metric, n.unit, n.at + m.maturity, n.at, n.at FROM noted n JOIN lab.experiment_metric m ON m.slug = n.slug
	ON CONFLICT DO NOTHING;
	INSERT INTO lab.dirty AS d (slug, metric, unit, due, first_seen, last_seen)
	SELECT x.slug, m.metric, e.unit, e.at + m.maturity, u.at::timestamptz, u.at::timestamptz
	FROM jsonb_each_text(coalesce(v_touched, '{}')) AS u(unit, at) JOIN lab.exposure e ON e.unit = u.unit::uuid AND e.is_noted
	JOIN lab.experiment x ON x.flag_key = e.flag AND x.state = 'running'
	JOIN lab.experiment_metric m ON m.slug = x.slug
	ON CONFLICT (slug, metric, unit) DO UPDATE SET last_seen = greatest(d.last_seen, excluded.last_seen);
	RETURN NEXT;
END $$;
