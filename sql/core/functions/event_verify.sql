-- event.verify(from block) -> the first broken block, or null. A row without a salt passes only if an
-- erasure of its record stands in the log after it.
CREATE FUNCTION event.verify(p_from bigint DEFAULT 1) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	b event.block;
	v_prev bytea;
	v_no bigint := p_from - 1;
	v_n bigint;
	v_bad bigint;
BEGIN
	SELECT hash INTO v_prev FROM event.block WHERE no = v_no;
	v_prev := coalesce(v_prev, decode(repeat('00', 32), 'hex'));
	FOR b IN SELECT * FROM event.block WHERE no >= p_from ORDER BY no LOOP
		IF b.no <> v_no + 1 OR b.prev <> v_prev
			OR b.hash <> event.block_hash(b.prev, b.no, b.n, b.digests)
		THEN
			RETURN b.no;
		END IF;
		SELECT count(*), count(*) FILTER (WHERE CASE WHEN x.salt IS NOT NULL
			THEN x.digest <> substring(b.digests FROM (x.place::int - 1) * 32 + 1 FOR 32)
			ELSE x.before IS NOT NULL OR x.after IS NOT NULL OR NOT EXISTS (
				SELECT FROM event.log e WHERE e.resource = x.resource
				AND e.record_id = x.record_id AND e.op = 'erase' AND e.seq > x.seq)
			END)
		INTO v_n, v_bad
		FROM (SELECT l.*, event.digest(l) AS digest, row_number() OVER (ORDER BY l.xid, l.seq) AS place
			FROM event.log l WHERE (l.xid, l.seq) >= (b.first_xid, b.first_seq)
			AND (l.xid, l.seq) <= (b.last_xid, b.last_seq)) x;
		IF v_n <> b.n OR v_bad > 0 THEN
			RETURN b.no;
		END IF;
		v_no := b.no;
		v_prev := b.hash;
	END LOOP;
	RETURN NULL;
END $$;
