-- flag.asked_add(daemon, instance, worker, asked, streams): what one worker of either daemon was asked for since it said so last, and
-- which event streams are open there now. Counts go to the row of the day; whatever is asked, the rows of a day stay bounded: where
-- there are too many of a principal's clients or unknown keys, or of one flag, the rest is counted as '(others)'. One report at a
-- time, so that the bounds hold and no two wait for each other. Returns how many rows were counted.
CREATE FUNCTION flag.asked_add(p_daemon text, p_instance text, p_worker int, p_asked jsonb, p_streams jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_rows CONSTANT int := 1000;
	c_clients CONSTANT int := 20;
	c_keys CONSTANT int := 100;
	c_of_flag CONSTANT int := 1000;
	c_unknown CONSTANT int := 5000;
	c_others CONSTANT text := '(others)';
	c_nobody CONSTANT uuid := '00000000-0000-0000-0000-000000000000';
	v_today CONSTANT date := (now() AT TIME ZONE 'UTC')::date;
	r record;
	v_known boolean;
	v_n int := 0;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtext('flag.asked'));
	FOR r IN SELECT left(x.flag, 100) AS flag, x.principal, left(x.client, 40) AS client, greatest(x.count, 1) AS count,
			least(x.first_at, now()) AS first_at, least(x.last_at, now()) AS last_at
		FROM jsonb_to_recordset(p_asked) AS x (flag text, principal uuid, client text, count bigint, first_at timestamptz,
			last_at timestamptz)
		LIMIT c_rows
	LOOP
		v_n := v_n + 1;
		UPDATE flag.asked a SET count = a.count + r.count, last_at = greatest(a.last_at, r.last_at)
		WHERE a.flag = r.flag AND a.day = v_today AND a.principal = r.principal AND a.client = r.client AND a.daemon = p_daemon;
		CONTINUE WHEN FOUND;
		v_known := r.flag = '' OR EXISTS (SELECT FROM flag.flag f WHERE f.key = r.flag);
		IF NOT v_known AND ((SELECT count(DISTINCT a.flag) FROM flag.asked a WHERE a.principal = r.principal AND a.day = v_today
				AND NOT a.known) >= c_keys
			OR (SELECT count(*) FROM flag.asked a WHERE a.day = v_today AND NOT a.known) >= c_unknown) THEN
			r.flag := c_others;
		END IF;
		IF (SELECT count(DISTINCT a.client) FROM flag.asked a WHERE a.principal = r.principal AND a.day = v_today) >= c_clients
			AND NOT EXISTS (SELECT FROM flag.asked a WHERE a.principal = r.principal AND a.day = v_today AND a.client = r.client) THEN
			r.client := c_others;
		END IF;
		IF (SELECT count(*) FROM flag.asked a WHERE a.flag = r.flag AND a.day = v_today) >= c_of_flag THEN
			r.client := c_others;
			r.principal := c_nobody;
		END IF;
		INSERT INTO flag.asked AS a (flag, day, principal, client, daemon, count, first_at, last_at, known)
		VALUES (r.flag, v_today, r.principal, r.client, p_daemon, r.count, r.first_at, r.last_at, v_known)
		ON CONFLICT (flag, day, principal, client, daemon) DO UPDATE
		SET count = a.count + excluded.count, last_at = greatest(a.last_at, excluded.last_at);
	END LOOP;
	DELETE FROM flag.stream s WHERE s.daemon = p_daemon AND s.instance = p_instance AND s.worker = p_worker;
	INSERT INTO flag.stream (daemon, instance, worker, principal, client, open)
	SELECT p_daemon, p_instance, p_worker, x.principal, left(x.client, 40), sum(x.open)
	FROM jsonb_to_recordset(p_streams) AS x (principal uuid, client text, open int)
	GROUP BY x.principal, left(x.client, 40) LIMIT c_rows;
	RETURN v_n;
END $$;
REVOKE ALL ON FUNCTION flag.asked_add(text, text, int, jsonb, jsonb) FROM PUBLIC;
