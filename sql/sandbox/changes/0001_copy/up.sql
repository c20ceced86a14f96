-- The sandbox's copies of core's published tables.
-- include functions/copy_tables.sql
-- include functions/published_columns.sql
-- include functions/projection_local.sql
-- include functions/projection_sql.sql
-- include functions/schema_bump.sql
-- include functions/catalog_lines.sql
-- include functions/fingerprint.sql
-- include functions/closure_hash.sql
-- include functions/ledger_hash.sql
-- include functions/ledger_broken.sql
-- include functions/copy_changed.sql
-- include functions/access_snapshot.sql
-- include functions/flag_snapshot.sql

CREATE TABLE change.state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	schema_generation bigint NOT NULL DEFAULT 1,
	fingerprint text,
	drift jsonb,
	checked_at timestamptz
);
INSERT INTO change.state DEFAULT VALUES;

CREATE TABLE access.state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	generation bigint NOT NULL DEFAULT 1
);
INSERT INTO access.state DEFAULT VALUES;

CREATE TRIGGER arrived AFTER INSERT OR UPDATE ON flag.state FOR EACH ROW EXECUTE FUNCTION flag.arrived();
ALTER TABLE flag.state ENABLE ALWAYS TRIGGER arrived;
CREATE TRIGGER arrived AFTER INSERT OR UPDATE OR DELETE ON access.token_published
	FOR EACH ROW EXECUTE FUNCTION access.arrived();
ALTER TABLE access.token_published ENABLE ALWAYS TRIGGER arrived;

GRANT USAGE ON SCHEMA change, access, flag, crm TO bimodal_app, bimodal_deployer;
GRANT USAGE ON SCHEMA crm TO bimodal_feature;
GRANT SELECT ON ALL TABLES IN SCHEMA change, access, flag, crm TO bimodal_app, bimodal_deployer;
GRANT UPDATE ON change.state TO bimodal_deployer;
GRANT EXECUTE ON FUNCTION change.ledger_hash(bigint, timestamptz, text, text, bytea, bytea), access.snapshot(),
	flag.snapshot(), change.published_columns(), change.catalog_lines(), change.fingerprint_lines(),
	change.fingerprint(), change.closure_hash(text[]) TO bimodal_app, bimodal_deployer;
GRANT EXECUTE ON FUNCTION change.shape(), change.shape_arrived(), change.projection_local(), change.projection_sql(), change.projection_apply(),
	change.schema_bump() TO bimodal_deployer;
