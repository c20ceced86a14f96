-- access_used.sql — note when tokens were last used, many at once.
-- $1 bytea[]   hashes
-- lane write
update access.token set last_used_at = now() where hash = any ($1)
