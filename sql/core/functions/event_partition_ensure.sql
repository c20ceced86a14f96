-- event.partition_ensure() -> partitions made. Keeps the partition of the current sequence value and the
-- next one in being, 10 million rows each. LIKE and ATTACH: PARTITION OF would lock the parent.
CREATE FUNCTION event.partition_ensure() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	size CONSTANT bigint := 10000000;
	current bigint := (SELECT last_value FROM event.log_seq) / size;
	made int := 0;
	name text;
BEGIN
	PERFORM pg_advisory_xact_lock(7239002);
	IF coalesce(current_setting('bimodal.change', true), '') = '' THEN
		PERFORM set_config('bimodal.change', 'partition', true);
	END IF;
	FOR i IN current .. current + 1 LOOP
		name := 'log_' || lpad(i::text, 6, '0');
		CONTINUE WHEN to_regclass('event.' || name) IS NOT NULL;
		EXECUTE format('CREATE TABLE event.%I (LIKE event.log INCLUDING ALL)', name);
		EXECUTE format('CREATE TRIGGER keep_all BEFORE TRUNCATE ON event.%I'
			' FOR EACH STATEMENT EXECUTE FUNCTION change.append_only()', name);
		EXECUTE format('ALTER TABLE event.log ATTACH PARTITION event.%I FOR VALUES FROM (%s) TO (%s)',
			name, i * size, (i + 1) * size);
		made := made + 1;
	END LOOP;
	RETURN made;
END $$;
