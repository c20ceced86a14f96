-- crm.feed_mark(kind) -> id. The airlock surrounds a re-sync of its own with markers; their ids are negative, so
-- that they never meet core's.
CREATE FUNCTION crm.feed_mark(p_kind text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
INSERT INTO crm.feed_control (id, kind, at, lsn)
SELECT least(min(id), 0) - 1, p_kind, clock_timestamp(), NULL FROM crm.feed_control
RETURNING id
$$;
