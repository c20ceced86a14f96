-- crm.uuid_v7() -> a UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, the rest random. The API
-- makes its own ids in C; this one serves COPY and rows written by SQL.
CREATE FUNCTION crm.uuid_v7() RETURNS uuid
LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
	PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
	FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid;

-- crm.uuid_v7_floor(at): the smallest UUIDv7 of that millisecond, as a partition bound.
CREATE FUNCTION crm.uuid_v7_floor(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;
