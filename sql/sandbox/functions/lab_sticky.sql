-- lab.who(attribute, value) -> by what an assignment is kept: a digest, because a value may say who somebody is.
CREATE FUNCTION lab.who(p_attribute text, p_value text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT sha256(convert_to(p_attribute || chr(31) || p_value, 'UTF8'))
$$;

-- lab.kept(attributes, values, unit, records, attributes of the records, experiments or null) -> what is kept, a JSON array of
-- [attribute, value, experiment, version, variation], or null. The unit of a person found by id stands for the targeting key.
CREATE FUNCTION lab.kept(p_attributes text[], p_values text[], p_unit text, p_records jsonb[], p_names text[], p_experiments text[])
RETURNS text
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
	RETURN (WITH known (attribute, value) AS (
		SELECT x.attribute, x.value FROM unnest(p_attributes, p_values) AS x (attribute, value)
		UNION
		SELECT 'targetingKey', p_unit WHERE p_unit IS NOT NULL
		UNION
		SELECT n.name, CASE jsonb_typeof(r.record -> n.name)
			WHEN 'number' THEN trim_scale((r.record ->> n.name)::numeric)::text
			ELSE r.record ->> n.name END
		FROM unnest(p_records) AS r (record) CROSS JOIN unnest(p_names) AS n (name) WHERE r.record ->> n.name IS NOT NULL
	)
	SELECT json_agg(json_build_array(m.attribute, m.value, m.experiment, m.version, m.variation)) FROM (
		SELECT k.attribute, k.value, s.experiment, s.version, s.variation
		FROM known k JOIN lab.sticky s ON s.who = lab.who(k.attribute, k.value)
		JOIN flag.flag f ON f.key = s.flag AND f.archived_at IS NULL
		WHERE p_experiments IS NULL OR s.experiment = ANY (p_experiments)
		LIMIT 500) m);
END $$;

-- lab.sticky_add(flags, attributes, values, experiments, variations, versions, pseudonyms): the app role's only way to write here. Nothing
-- is kept of a flag that has ended or of a person who is not in the copy.
CREATE FUNCTION lab.sticky_add(p_flags text[], p_attributes text[], p_values text[], p_experiments text[], p_variations text[],
	p_versions bigint[], p_people text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	INSERT INTO lab.sticky (who, experiment, version, flag, variation, person)
	SELECT DISTINCT ON (w.who, x.experiment, x.version) w.who, x.experiment, x.version, x.flag, x.variation, nullif(x.person, '')::uuid
	FROM unnest(p_flags, p_attributes, p_values, p_experiments, p_variations, p_versions, p_people)
		WITH ORDINALITY AS x (flag, attribute, value, experiment, variation, version, person, n)
	CROSS JOIN LATERAL (SELECT lab.who(x.attribute, x.value) AS who) w
	JOIN flag.flag f ON f.key = x.flag AND f.archived_at IS NULL
	WHERE x.person = '' OR EXISTS (SELECT FROM crm.person p WHERE p.pseudonym = x.person::uuid)
	ORDER BY w.who, x.experiment, x.version, x.n DESC
	ON CONFLICT (who, experiment, version) DO UPDATE
	SET flag = excluded.flag, variation = excluded.variation, person = excluded.person, at = excluded.at;
END $$;

-- lab.begun_anew(): a flag that is taken up again keeps nothing of before.
CREATE FUNCTION lab.begun_anew() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	DELETE FROM lab.sticky s WHERE s.flag = NEW.key;
	RETURN NULL;
END $$;

-- lab.sticky_forget(max) -> rows removed: of flags that have ended.
CREATE FUNCTION lab.sticky_forget(p_max int) RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_n bigint;
BEGIN
	DELETE FROM lab.sticky s WHERE s.ctid = ANY (ARRAY(
		SELECT o.ctid FROM flag.flag f JOIN lab.sticky o ON o.flag = f.key WHERE f.archived_at IS NOT NULL LIMIT p_max));
	GET DIAGNOSTICS v_n = ROW_COUNT;
	RETURN v_n;
END $$;

-- lab.person_gone(): what is kept of a person ends with the person's row in the copy. A trigger of the outbox, because the replicated
-- tables have the one that fills it; like that one it does nothing that could fail.
CREATE FUNCTION lab.person_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	DELETE FROM lab.sticky s WHERE s.person = NEW.unit;
	RETURN NULL;
END $$;

-- lab.sticky_orphans() -> rows removed: of people who left the copy without a trace in the outbox. Nothing while a copy is under way.
CREATE FUNCTION lab.sticky_orphans() RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_n bigint;
BEGIN
	DELETE FROM lab.sticky k WHERE k.person IS NOT NULL AND NOT EXISTS (SELECT FROM crm.person p WHERE p.pseudonym = k.person)
		AND NOT (SELECT s.resyncing OR s.at IS NULL FROM lab.position s)
		AND NOT EXISTS (SELECT FROM pg_catalog.pg_subscription_rel r WHERE r.srsubstate NOT IN ('r', 's'));
	GET DIAGNOSTICS v_n = ROW_COUNT;
	RETURN v_n;
END $$;
