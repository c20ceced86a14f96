-- session_used.sql — note when sessions were last used, many at once; more often than every 20 seconds is not worth a write.
-- $1 bytea[]   hashes
-- lane write
update access.session set last_seen_at = now()
 where hash = any ($1) and revoked_at is null and last_seen_at < now() - interval '20 seconds'
