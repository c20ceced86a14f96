-- The ledger's two hashes. body_hash binds what stays in core; hash chains what is published, so that
-- any holder of the published columns can check the chain.
CREATE FUNCTION change.ledger_body_hash(actor text, body jsonb) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(convert_to(actor || E'\x1f' || body::text, 'UTF8'));

CREATE FUNCTION change.ledger_hash(seq bigint, at timestamptz, kind text, ref text, body_hash bytea,
	prev bytea) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN sha256(prev || convert_to(concat_ws(E'\x1f', seq, extract(epoch FROM at)::text, kind, ref,
	encode(body_hash, 'hex')), 'UTF8'));
