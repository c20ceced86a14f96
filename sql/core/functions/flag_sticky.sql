-- flag.who(attribute, value) -> by what an assignment is kept: a digest, because a value may say who somebody is.
CREATE FUNCTION flag.who(p_attribute text, p_value text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT sha256(convert_to(p_attribute || chr(31) || p_value, 'UTF8'))
$$;

-- flag.kept(attributes, values, unit, records, attributes of the records, experiments or null) -> what is kept, a JSON array of
-- [attribute, value, experiment, version, variation], or null. The unit of a person found by id stands for the targeting key.
CREATE FUNCTION flag.kept(p_attributes text[], p_values text[], p_unit text, p_records jsonb[], p_names text[], p_experiments text[])
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
		FROM known k JOIN flag.sticky s ON s.who = flag.who(k.attribute, k.value)
		JOIN flag.flag f ON f.key = s.flag AND f.archived_at IS NULL
		WHERE p_experiments IS NULL OR s.experiment = ANY (p_experiments)
		LIMIT 500) m);
END $$;

-- flag.begun_anew(): a flag that is taken up again keeps nothing of before.
CREATE FUNCTION flag.begun_anew() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	DELETE FROM flag.sticky s WHERE s.flag = NEW.key;
	RETURN NULL;
END $$;

-- flag.sticky_forget(max) -> rows removed: of flags that have ended.
CREATE FUNCTION flag.sticky_forget(p_max int) RETURNS bigint
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_n bigint;
BEGIN
	DELETE FROM flag.sticky s WHERE s.ctid = ANY (ARRAY(
		SELECT o.ctid FROM flag.flag f JOIN flag.sticky o ON o.flag = f.key WHERE f.archived_at IS NOT NULL LIMIT p_max));
	GET DIAGNOSTICS v_n = ROW_COUNT;
	RETURN v_n;
END $$;
