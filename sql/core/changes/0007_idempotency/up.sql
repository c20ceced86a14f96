-- 0007_idempotency: replies of writes that carried an Idempotency-Key, kept 24 hours. The row is written by the very statement
-- that makes the change, so that both exist or neither.
CREATE TABLE event.idempotency (
	principal text NOT NULL,
	route text NOT NULL,
	key text NOT NULL,
	fingerprint bytea NOT NULL,
	status int NOT NULL,
	etag text,
	location text,
	body text,
	record_id uuid,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
	CONSTRAINT idempotency_pkey PRIMARY KEY (principal, route, key),
	CONSTRAINT idempotency_key_length CHECK (pg_catalog.length(key) BETWEEN 1 AND 270),
	CONSTRAINT idempotency_fingerprint_length CHECK (pg_catalog.octet_length(fingerprint) = 32)
);
-- An erasure removes the replies about a record.
CREATE INDEX idempotency_record ON event.idempotency (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX idempotency_created_at ON event.idempotency (created_at);
COMMENT ON TABLE event.idempotency IS 'Replies of writes with an Idempotency-Key; kept 24 hours';

GRANT SELECT, INSERT ON event.idempotency TO bimodal_app;

-- Removes what is older than 24 hours, at most 10,000 rows a call; returns how many.
CREATE FUNCTION event.idempotency_expire() RETURNS int
LANGUAGE sql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
	WITH old AS (
		SELECT principal, route, key FROM event.idempotency
		 WHERE created_at < now() - interval '24 hours'
		 ORDER BY created_at LIMIT 10000
		   FOR UPDATE SKIP LOCKED
	), gone AS (
		DELETE FROM event.idempotency i USING old o
		 WHERE i.principal = o.principal AND i.route = o.route AND i.key = o.key
		RETURNING 1
	)
	SELECT count(*)::int FROM gone
$$;
REVOKE ALL ON FUNCTION event.idempotency_expire() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION event.idempotency_expire() TO bimodal_executor;
