-- change.ledger_append(actor, kind, ref, body) -> seq. One writer at a time; the first row's prev is
-- the setting bimodal.genesis (hex SHA-256 of change 0) or 32 zero bytes.
CREATE FUNCTION change.ledger_append(p_actor text, p_kind text, p_ref text, p_body jsonb)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_seq bigint;
	v_prev bytea;
	v_at timestamptz := clock_timestamp();
	v_ref text := coalesce(p_ref, '');
	v_body_hash bytea := change.ledger_body_hash(p_actor, p_body);
BEGIN
	PERFORM pg_advisory_xact_lock(7239001);
	SELECT seq, hash INTO v_seq, v_prev FROM change.ledger ORDER BY seq DESC LIMIT 1;
	IF v_seq IS NULL THEN
		v_seq := 0;
		v_prev := decode(coalesce(nullif(current_setting('bimodal.genesis', true), ''),
			repeat('00', 32)), 'hex');
	END IF;
	v_seq := v_seq + 1;
	INSERT INTO change.ledger (seq, at, actor, kind, ref, body, body_hash, prev, hash)
	VALUES (v_seq, v_at, p_actor, p_kind, v_ref, p_body, v_body_hash, v_prev,
		change.ledger_hash(v_seq, v_at, p_kind, v_ref, v_body_hash, v_prev));
	RETURN v_seq;
END $$;
