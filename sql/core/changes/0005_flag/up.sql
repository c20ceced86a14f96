-- Schema flag: all flags, their revisions (append only), first exposures.
CREATE SCHEMA flag;
GRANT USAGE ON SCHEMA flag TO bimodal_executor, bimodal_app, bimodal_feed;

CREATE TABLE flag.flag (
	key text PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
	kind text NOT NULL CHECK (kind IN ('release', 'experiment')),
	purpose text NOT NULL DEFAULT '',
	business_owner text NOT NULL DEFAULT '',
	technical_owner text NOT NULL DEFAULT '',
	expires_at timestamptz NOT NULL,
	created_by uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	revision bigint,
	archived_at timestamptz
);

-- A document that names a personal field or literal is core_only and never published.
CREATE TABLE flag.revision (
	revision bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	key text NOT NULL REFERENCES flag.flag,
	document jsonb NOT NULL,
	enabled boolean NOT NULL,
	core_only boolean NOT NULL DEFAULT false,
	actor uuid NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	comment text NOT NULL DEFAULT ''
);
CREATE INDEX revision_key ON flag.revision (key, revision);
CREATE UNIQUE INDEX revision_identity ON flag.revision (revision, core_only);
ALTER TABLE flag.revision REPLICA IDENTITY USING INDEX revision_identity;
ALTER TABLE flag.flag ADD FOREIGN KEY (revision) REFERENCES flag.revision;

CREATE TABLE flag.state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	generation bigint NOT NULL DEFAULT 1
);
INSERT INTO flag.state DEFAULT VALUES;

CREATE TABLE flag.exposure (
	flag text NOT NULL,
	unit text NOT NULL CHECK (length(unit) <= 200),
	variation text NOT NULL,
	revision bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (flag, unit)
);

-- include functions/flag_changed.sql
-- include functions/flag_snapshot.sql

CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON flag.revision
	FOR EACH ROW EXECUTE FUNCTION change.append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON flag.revision
	FOR EACH STATEMENT EXECUTE FUNCTION change.append_only();
CREATE TRIGGER current AFTER INSERT ON flag.revision
	FOR EACH ROW EXECUTE FUNCTION flag.revised();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON flag.flag
	FOR EACH STATEMENT EXECUTE FUNCTION flag.changed();

GRANT SELECT ON ALL TABLES IN SCHEMA flag TO bimodal_app, bimodal_executor;
GRANT INSERT, UPDATE ON flag.flag TO bimodal_app, bimodal_executor;
GRANT INSERT ON flag.revision, flag.exposure TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.snapshot() TO bimodal_app, bimodal_executor;
