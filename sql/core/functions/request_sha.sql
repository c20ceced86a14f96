-- change.request_sha(): what an approval binds to. A promotion is its package; a schema change its three texts, each with its length.
CREATE FUNCTION change.request_sha(kind text, up text, down text, verify text, package bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN kind = 'promotion' THEN encode(sha256(package), 'hex')
	ELSE encode(sha256(convert_to(concat(E'bimodal-change 1\nup ', octet_length(up), E'\n', up, E'\ndown ', octet_length(down), E'\n',
		down, E'\nverify ', octet_length(verify), E'\n', verify, E'\n'), 'UTF8')), 'hex') END;

-- Whoever writes a request, the hash is that of its bytes.
CREATE FUNCTION change.request_sha_set() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	NEW.sha256 := change.request_sha(NEW.kind, NEW.up, NEW.down, NEW.verify, NEW.package);
	RETURN NEW;
END $$;
