-- event.digest(row): the salted digest of one row. Knowing the digest tells nothing of the payload once
-- the salt is gone. A row that was erased before it was sealed has none: its place in the chain is kept all the same.
CREATE FUNCTION event.digest(l event.log) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
SELECT sha256(coalesce(l.salt, ''::bytea) || convert_to(jsonb_build_array(l.seq, l.xid::text, extract(epoch FROM l.at), l.actor,
	l.request_id, l.resource, l.record_id, l.op, l.version, l.before, l.after)::text, 'UTF8'))
$$;

CREATE FUNCTION event.block_hash(prev bytea, no bigint, n int, digests bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(prev || int8send(no) || int4send(n) || digests);
