-- crm.partition_ensure(from, months) -> partitions made. One partition of crm.interaction a month, bounded by
-- the smallest UUIDv7 of its first millisecond. LIKE and ATTACH: PARTITION OF would lock the parent. The replica
-- identity is not inherited; without it the row filter would stop every update of the partition.
CREATE FUNCTION crm.partition_ensure(p_from timestamptz, p_months int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET timezone = 'UTC' AS $$
DECLARE
	v_month timestamptz;
	v_name text;
	v_made int := 0;
BEGIN
	IF p_months NOT BETWEEN 1 AND 600 THEN
		RAISE EXCEPTION 'could not make % partitions: 1 to 600 at a time', p_months
			USING ERRCODE = '22023';
	END IF;
	PERFORM pg_advisory_xact_lock(7239004);
	IF coalesce(current_setting('bimodal.change', true), '') = '' THEN
		PERFORM set_config('bimodal.change', 'partition', true);
	END IF;
	FOR i IN 0 .. p_months - 1 LOOP
		v_month := date_trunc('month', p_from) + make_interval(months => i);
		v_name := 'interaction_' || to_char(v_month, 'YYYY_MM');
		CONTINUE WHEN to_regclass('crm.' || v_name) IS NOT NULL;
		EXECUTE format('CREATE TABLE crm.%I (LIKE crm.interaction INCLUDING ALL)', v_name);
		EXECUTE format('ALTER TABLE crm.interaction ATTACH PARTITION crm.%I FOR VALUES FROM (%L) TO (%L)',
			v_name, crm.uuid_v7_floor(v_month),
			crm.uuid_v7_floor(v_month + interval '1 month'));
		EXECUTE (SELECT format('ALTER TABLE crm.%I REPLICA IDENTITY USING INDEX %I', v_name, c.relname)
			FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
			JOIN pg_index i ON i.indexrelid = c.oid
			WHERE h.inhparent = 'crm.interaction_identity'::regclass
			AND i.indrelid = to_regclass('crm.' || v_name));
		v_made := v_made + 1;
	END LOOP;
	RETURN v_made;
END $$;
