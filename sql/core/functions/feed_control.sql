-- The feed's own rows. They travel in the same publication as crm, so that a row's arrival says that every
-- earlier write of crm has arrived.
CREATE FUNCTION crm.feed_heartbeat() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
INSERT INTO crm.feed_control (id, kind) VALUES (0, 'heartbeat')
ON CONFLICT (id) DO UPDATE SET at = clock_timestamp(), lsn = pg_current_wal_insert_lsn()
$$;

-- crm.feed_mark(kind, change) -> id of the row. The last thousand are kept. A row of kind 'shape' carries change.shape(): where it has
-- arrived, every row written under an earlier shape has arrived too, and what that shape had and this one has not can be dropped.
-- So it is written in the transaction that drops it in core, which waits for all writers of the table.
CREATE FUNCTION crm.feed_mark(p_kind text, p_change uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v bigint;
BEGIN
	INSERT INTO crm.feed_control (kind, change_id) VALUES (p_kind, p_change) RETURNING id INTO v;
	DELETE FROM crm.feed_control WHERE id BETWEEN 1 AND v - 1000;
	RETURN v;
END $$;
