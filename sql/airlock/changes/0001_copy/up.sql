-- The airlock: the copies of core's published tables, and the same publications again for the sandboxes. Other
-- than core it publishes TRUNCATE, so that a re-sync here empties the sandbox too.
-- include functions/copy_tables.sql
-- include functions/published_columns.sql
-- include functions/projection_local.sql
-- include functions/projection_sql.sql
-- include functions/feed_mark.sql
-- include functions/catalog_lines.sql
-- include functions/fingerprint.sql

CREATE PUBLICATION bimodal_nothing;
CREATE PUBLICATION bimodal_registry FOR TABLE
	change.resource (name, singular, table_name, parent, parent_field, person_field, published, label, position),
	change.field (resource, name, position, type, class, kind, required, writable, filterable, sortable,
		reference, choices, max_length, help),
	change.ledger (seq, at, kind, ref, body_hash, prev, hash),
	access.token_published (hash, principal, roles, expires_at),
	flag.flag (key, kind, expires_at, revision, archived_at),
	flag.revision (revision, key, document, enabled, core_only),
	flag.state (one, generation);
CREATE PUBLICATION bimodal_crm FOR TABLE crm.feed_control (id, kind, at, lsn, change_id);

GRANT USAGE ON SCHEMA change, access, flag, crm TO bimodal_hop, bimodal_executor;
GRANT SELECT ON ALL TABLES IN SCHEMA change, access, flag, crm TO bimodal_hop;
GRANT SELECT ON crm.feed_control TO bimodal_executor;
GRANT EXECUTE ON FUNCTION crm.feed_mark(text), change.published_columns(), change.shape(), change.shape_arrived(), change.projection_local(),
	change.projection_sql(), change.projection_apply(), change.catalog_lines(), change.fingerprint_lines(),
	change.fingerprint() TO bimodal_executor;
