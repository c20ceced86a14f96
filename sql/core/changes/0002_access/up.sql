-- Schema access: principals, roles, tokens (hashes only), and the part of it that goes through the airlock.
CREATE SCHEMA access;
GRANT USAGE ON SCHEMA access TO bimodal_executor, bimodal_app, bimodal_feed;

CREATE TABLE access.principal (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name text NOT NULL UNIQUE CHECK (name <> '' AND length(name) <= 200),
	kind text NOT NULL CHECK (kind IN ('user', 'service')),
	disabled_at timestamptz
);

CREATE TABLE access.role_grant (
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	role text NOT NULL CHECK (role IN ('operator', 'innovator', 'product_owner', 'agent', 'service')),
	PRIMARY KEY (principal, role)
);

CREATE TABLE access.token (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	audience text NOT NULL CHECK (audience IN ('core', 'sandbox')),
	hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
	prefix text NOT NULL CHECK (length(prefix) <= 16),
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz,
	last_used_at timestamptz
);
CREATE INDEX token_principal ON access.token (principal);

CREATE TABLE access.state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	generation bigint NOT NULL DEFAULT 1
);
INSERT INTO access.state DEFAULT VALUES;

-- Kept by trigger; no names.
CREATE TABLE access.token_published (
	hash bytea PRIMARY KEY,
	principal uuid NOT NULL,
	roles text[] NOT NULL,
	expires_at timestamptz NOT NULL
);

-- include functions/access_snapshot.sql
-- include functions/access_changed.sql

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON access.principal
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON access.role_grant
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
-- last_used_at is written in batches and changes nobody's rights.
CREATE TRIGGER changed AFTER INSERT OR DELETE OR TRUNCATE
	OR UPDATE OF principal, audience, hash, expires_at, revoked_at ON access.token
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();

GRANT SELECT ON ALL TABLES IN SCHEMA access TO bimodal_app, bimodal_executor;
GRANT INSERT, UPDATE ON access.principal, access.token TO bimodal_app, bimodal_executor;
GRANT INSERT, DELETE ON access.role_grant TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION access.snapshot() TO bimodal_app, bimodal_executor;
