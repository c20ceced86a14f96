-- change.accept() -> fingerprint: the catalog as it is now is the approved one. Called in the transaction of each change.
CREATE FUNCTION change.accept() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET jit = off AS $$
DECLARE
	v text := change.fingerprint();
BEGIN
	IF v IS DISTINCT FROM (SELECT fingerprint FROM change.state) OR NOT EXISTS (SELECT FROM change.accepted_line) THEN
		WITH found AS MATERIALIZED (
			SELECT sha256(convert_to(concat_ws(E'\x1f', class, id, definition), 'UTF8')) AS hash, class, id, definition
			FROM change.fingerprint_lines()
		), gone AS (
			DELETE FROM change.accepted_line a WHERE NOT EXISTS (SELECT FROM found f WHERE f.hash = a.hash)
		)
		INSERT INTO change.accepted_line (hash, class, id, definition) SELECT * FROM found ON CONFLICT DO NOTHING;
	END IF;
	UPDATE change.state SET fingerprint = v, drift = NULL, checked_at = clock_timestamp(), accepted_at = clock_timestamp();
	RETURN v;
END $$;

-- change.drift_check() -> what differs from the accepted catalog, line by line (100 at most), or NULL. Kept in change.state, where it
-- stops every application; the ledger tells when it came and went.
CREATE FUNCTION change.drift_check() RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET jit = off AS $$
DECLARE
	v_accepted text;
	v_was jsonb;
	v_drift jsonb;
BEGIN
	SELECT fingerprint, drift INTO v_accepted, v_was FROM change.state FOR UPDATE;
	IF v_accepted IS NOT NULL AND v_accepted <> change.fingerprint() THEN
		WITH found AS MATERIALIZED (
			SELECT sha256(convert_to(concat_ws(E'\x1f', class, id, definition), 'UTF8')) AS hash, class, id, definition
			FROM change.fingerprint_lines()
		), missing AS (
			SELECT * FROM change.accepted_line a WHERE NOT EXISTS (SELECT FROM found f WHERE f.hash = a.hash)
		), new AS (
			SELECT * FROM found f WHERE NOT EXISTS (SELECT FROM change.accepted_line a WHERE f.hash = a.hash)
		)
		SELECT jsonb_agg(d) INTO v_drift FROM (
			SELECT class, id, CASE WHEN m.hash IS NULL THEN 'added' WHEN n.hash IS NULL THEN 'removed' ELSE 'altered' END AS what,
				left(m.definition, 2000) AS accepted, left(n.definition, 2000) AS found
			FROM missing m FULL JOIN new n USING (class, id) ORDER BY class, id LIMIT 100) d;
		v_drift := coalesce(v_drift, '[]');
	END IF;
	UPDATE change.state SET drift = v_drift, checked_at = clock_timestamp();
	IF v_drift IS NOT NULL AND v_drift IS DISTINCT FROM v_was THEN
		PERFORM change.ledger_append('system:drift', 'drift.found', '', jsonb_build_object('lines', v_drift));
	ELSIF v_drift IS NULL AND v_was IS NOT NULL THEN
		PERFORM change.ledger_append('system:drift', 'drift.gone', '', '{}');
	END IF;
	RETURN v_drift;
END $$;
