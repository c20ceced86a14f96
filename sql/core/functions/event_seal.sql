-- event.seal(max) -> rows sealed. Takes the rows of finished transactions in the order (xid, seq), which
-- no later commit can come before, and chains one block over their digests.
CREATE FUNCTION event.seal(p_max int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	b event.block;
	v_last record;
	v_horizon xid8;
BEGIN
	IF p_max NOT BETWEEN 1 AND 100000 THEN
		RAISE EXCEPTION 'could not seal % rows: a block holds 1 to 100000', p_max
			USING ERRCODE = '22023';
	END IF;
	PERFORM pg_advisory_xact_lock(7239003);
	SELECT no, hash, last_xid, last_seq INTO v_last FROM event.block ORDER BY no DESC LIMIT 1;
	v_horizon := pg_snapshot_xmin(pg_current_snapshot());
	SELECT count(*), string_agg(event.digest(l), ''::bytea ORDER BY l.xid, l.seq),
		(array_agg(l.xid ORDER BY l.xid, l.seq))[1], (array_agg(l.seq ORDER BY l.xid, l.seq))[1],
		(array_agg(l.xid ORDER BY l.xid DESC, l.seq DESC))[1],
		(array_agg(l.seq ORDER BY l.xid DESC, l.seq DESC))[1]
	INTO b.n, b.digests, b.first_xid, b.first_seq, b.last_xid, b.last_seq
	FROM (SELECT * FROM event.log
		WHERE (xid, seq) > (coalesce(v_last.last_xid, '0'::xid8), coalesce(v_last.last_seq, 0))
		AND xid < v_horizon ORDER BY xid, seq LIMIT p_max) l;
	IF b.n = 0 THEN
		RETURN 0;
	END IF;
	b.no := coalesce(v_last.no, 0) + 1;
	b.at := clock_timestamp();
	b.horizon := v_horizon;
	b.prev := coalesce(v_last.hash, decode(repeat('00', 32), 'hex'));
	b.hash := event.block_hash(b.prev, b.no, b.n, b.digests);
	INSERT INTO event.block SELECT b.*;
	RETURN b.n;
END $$;
