-- The tables of the registry's publication as they stand in airlock and sandbox: the published columns only,
-- the same types, no foreign keys, nothing required but the key. The crm tables come from the registry.
CREATE SCHEMA change;
CREATE SCHEMA access;
CREATE SCHEMA flag;
CREATE SCHEMA crm;
GRANT USAGE ON SCHEMA change, access, flag, crm TO bimodal_apply;

CREATE TABLE change.resource (
	name text PRIMARY KEY,
	singular text,
	table_name text,
	parent text,
	parent_field text,
	person_field text,
	published boolean,
	label text,
	position int
);

CREATE TABLE change.field (
	resource text,
	name text,
	position int,
	type text,
	class text,
	kind text,
	required boolean,
	writable boolean,
	filterable boolean,
	sortable boolean,
	reference text,
	choices text[],
	max_length int,
	help text,
	PRIMARY KEY (resource, name)
);

CREATE TABLE change.ledger (
	seq bigint PRIMARY KEY,
	at timestamptz,
	kind text,
	ref text,
	body_hash bytea,
	prev bytea,
	hash bytea
);

CREATE TABLE access.token_published (
	hash bytea PRIMARY KEY,
	principal uuid,
	roles text[],
	expires_at timestamptz
);

CREATE TABLE flag.flag (
	key text PRIMARY KEY,
	kind text,
	expires_at timestamptz,
	revision bigint,
	archived_at timestamptz
);

CREATE TABLE flag.revision (
	revision bigint PRIMARY KEY,
	key text,
	document jsonb,
	enabled boolean,
	core_only boolean
);

CREATE TABLE flag.state (
	one boolean PRIMARY KEY,
	generation bigint
);

CREATE TABLE crm.feed_control (
	id bigint PRIMARY KEY,
	kind text,
	at timestamptz,
	lsn pg_lsn,
	change_id uuid
);

GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ALL TABLES IN SCHEMA change, access, flag, crm TO bimodal_apply;
