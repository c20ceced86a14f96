-- event.digest(row): the salted digest of one row. Knowing the digest tells nothing of the payload once
-- the salt is gone.
CREATE FUNCTION event.digest(l event.log) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT sha256(l.salt || convert_to(jsonb_build_array(l.seq, l.xid::text, extract(epoch FROM l.at), l.actor,
	l.request_id, l.resource, l.record_id, l.op, l.version, l.before, l.after)::text, 'UTF8'))
$$;

CREATE FUNCTION event.block_hash(prev bytea, no bigint, n int, digests bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(prev || int8send(no) || int4send(n) || digests);
