-- access.refused(list, reporter): rows of the log for what a worker has refused since its last call, already summed up by principal, route and
-- reason. A token that is not ours leaves no row: anybody can make one up. What another daemon reports carries its principal as `via`,
-- because core has only its word for it. Returns how many rows were written.
CREATE FUNCTION access.refused(p_list jsonb, p_via uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_max CONSTANT int := 1000;
	r record;
	v_of uuid;
	v_n int := 0;
BEGIN
	FOR r IN SELECT x.* FROM jsonb_to_recordset(p_list) AS x (actor uuid, token text, request text, route text, reason text,
		count bigint, since timestamptz) LIMIT c_max
	LOOP
		v_of := NULL;
		IF r.actor IS NULL THEN
			SELECT t.principal INTO v_of FROM access.token t WHERE t.prefix = r.token LIMIT 1;
			CONTINUE WHEN NOT FOUND;
		END IF;
		PERFORM set_config('bimodal.actor', coalesce(r.actor::text, 'unknown'), true),
			set_config('bimodal.request', coalesce(left(r.request, 36), ''), true);
		PERFORM event.note(NULL, NULL, 'access.refused', jsonb_strip_nulls(jsonb_build_object('route', left(r.route, 100), 'reason', left(r.reason, 40),
			'count', r.count, 'since', r.since, 'token', left(r.token, 20), 'token_of', v_of, 'via', p_via)));
		v_n := v_n + 1;
	END LOOP;
	RETURN v_n;
END $$;
REVOKE ALL ON FUNCTION access.refused(jsonb, uuid) FROM PUBLIC;
