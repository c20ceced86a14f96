-- The pairs become two names again.
DROP FUNCTION change.request_file(uuid, uuid, text, text, text, text, text, text, text, text, text, text, bytea, jsonb, text);
DROP FUNCTION change.request_edit(uuid, uuid, text, text, text, text, text, text, text, text, text);
DROP FUNCTION change.request_json(uuid);
DROP FUNCTION change.feature_put(uuid, text, text, jsonb);
DROP FUNCTION change.feature_drop(text);
DROP FUNCTION change.publish_sql();
-- include functions/request_file.sql
-- include functions/request_json.sql
-- include functions/run_feature.sql
-- include functions/publish_sql_scopes.sql
SELECT change.publish();

DROP VIEW notice.flag_source;
DELETE FROM access.owned WHERE relation IN ('flag.flag', 'change.request', 'change.feature');
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT x.t, split_part(x.t, '.', 1) AS s, split_part(x.t, '.', 2) AS n
		FROM unnest(ARRAY['flag.flag', 'change.request', 'change.feature']) x (t)
	LOOP
		EXECUTE format('DROP TRIGGER owner_pair ON %s', r.t);
		EXECUTE format('DROP INDEX %I.%I, %I.%I', r.s, r.n || '_business_owner', r.s, r.n || '_technical_owner');
		EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I, DROP CONSTRAINT %I, DROP CONSTRAINT %I', r.t, r.n || '_business_owner_fkey',
			r.n || '_technical_owner_fkey', r.n || '_owner_pair');
	END LOOP;
END $$;
ALTER TABLE change.feature DROP COLUMN business_owner;
ALTER TABLE change.feature DROP COLUMN technical_owner;
ALTER TABLE flag.flag
	ALTER COLUMN business_owner TYPE text USING access.name_of(business_owner),
	ALTER COLUMN technical_owner TYPE text USING access.name_of(technical_owner),
	ALTER COLUMN business_owner SET DEFAULT '',
	ALTER COLUMN technical_owner SET DEFAULT '';
ALTER TABLE change.request
	ALTER COLUMN business_owner TYPE text USING access.name_of(business_owner),
	ALTER COLUMN technical_owner TYPE text USING access.name_of(technical_owner),
	ALTER COLUMN business_owner SET DEFAULT '',
	ALTER COLUMN technical_owner SET DEFAULT '';
DROP FUNCTION access.owner(text, text);
DROP FUNCTION access.name_of(uuid);
CREATE VIEW notice.flag_source AS
SELECT f.key, f.purpose, f.business_owner, f.technical_owner, f.created_by, (SELECT r.actor FROM flag.revision r
	WHERE r.key = f.key AND r.enabled ORDER BY r.revision DESC LIMIT 1) AS editor
FROM flag.flag f;
INSERT INTO access.owned (relation, resource, key, holds, live, recorded) VALUES
	('flag.flag', 'flags', 'key', 'name', 'archived_at IS NULL', false),
	('change.request', 'changes', 'number', 'name', $$state IN ('draft', 'checked', 'rehearsed', 'approved', 'failed')$$, false);

GRANT EXECUTE ON FUNCTION change.request_json(uuid) TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION
	change.request_file(uuid, uuid, text, text, text, text, text, text, text, text, text, text, bytea, jsonb, text),
	change.request_edit(uuid, uuid, text, text, text, text, text, text, text, text, text) TO bimodal_app;
GRANT EXECUTE ON FUNCTION change.feature_put(uuid, text, text, jsonb), change.feature_drop(text), change.publish_sql()
	TO bimodal_executor;
