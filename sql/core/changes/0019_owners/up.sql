-- Owner pairs: flags, changes and promoted features have two people in the place of two texts. Who is named must be here, hand-over finds
-- them by id, and the pair of a flag goes through the airlock (ids alone), because the sandbox's hypotheses follow it.
-- include functions/access_owner.sql
-- include functions/access_owners_before.sql

-- What the texts were is kept: the log has it for every row.
DO $$
BEGIN
	PERFORM set_config('bimodal.actor', coalesce(nullif(current_setting('bimodal.actor', true), ''), 'installation'), true);
	PERFORM event.note('flags', NULL, 'owner.name', jsonb_build_object('key', f.key, 'business_owner', f.business_owner,
		'technical_owner', f.technical_owner)) FROM flag.flag f ORDER BY f.key;
	PERFORM event.note('changes', r.id, 'owner.name', jsonb_build_object('key', r.number, 'business_owner', r.business_owner,
		'technical_owner', r.technical_owner)) FROM change.request r ORDER BY r.number;
END $$;

DELETE FROM access.owned WHERE relation IN ('flag.flag', 'change.request');
DROP VIEW notice.flag_source;

ALTER TABLE flag.flag
	ALTER COLUMN business_owner DROP DEFAULT,
	ALTER COLUMN technical_owner DROP DEFAULT,
	ALTER COLUMN business_owner TYPE uuid
		USING (access.owners_before(business_owner, technical_owner, created_by, archived_at IS NOT NULL))[1],
	ALTER COLUMN technical_owner TYPE uuid
		USING (access.owners_before(business_owner, technical_owner, created_by, archived_at IS NOT NULL))[2];
ALTER TABLE change.request
	ALTER COLUMN business_owner DROP DEFAULT,
	ALTER COLUMN technical_owner DROP DEFAULT,
	ALTER COLUMN business_owner TYPE uuid USING (access.owners_before(business_owner, technical_owner, author,
		state IN ('applied', 'rejected', 'rolled_back')))[1],
	ALTER COLUMN technical_owner TYPE uuid USING (access.owners_before(business_owner, technical_owner, author,
		state IN ('applied', 'rejected', 'rolled_back')))[2];
ALTER TABLE change.feature ADD COLUMN business_owner uuid;
ALTER TABLE change.feature ADD COLUMN technical_owner uuid;
UPDATE change.feature f SET business_owner = x.business_owner, technical_owner = x.technical_owner FROM flag.flag x WHERE x.key = f.flag_key;
ALTER TABLE change.feature ALTER COLUMN business_owner SET NOT NULL;
ALTER TABLE change.feature ALTER COLUMN technical_owner SET NOT NULL;
DROP FUNCTION access.owners_before(text, text, uuid, boolean);

SELECT access.own('flag.flag', 'flags'), access.own('change.request', 'changes'), access.own('change.feature', 'features');
-- What is over keeps its owners.
UPDATE access.owned SET key = 'key', live = 'archived_at IS NULL', recorded = false WHERE relation = 'flag.flag';
UPDATE access.owned SET key = 'number', recorded = false,
	live = $$state IN ('draft', 'checked', 'rehearsed', 'approved', 'applying', 'failed')$$ WHERE relation = 'change.request';
UPDATE access.owned SET key = 'slug', recorded = false WHERE relation = 'change.feature';

-- A flag with who turned it on last: a kill or an expiry is news for him.
CREATE VIEW notice.flag_source AS
SELECT f.key, f.purpose, f.business_owner, f.technical_owner, f.created_by, (SELECT r.actor FROM flag.revision r
	WHERE r.key = f.key AND r.enabled ORDER BY r.revision DESC LIMIT 1) AS editor
FROM flag.flag f;

DROP FUNCTION change.request_file(uuid, uuid, text, text, text, text, text, text, text, text, text, text, bytea, jsonb, text);
DROP FUNCTION change.request_edit(uuid, uuid, text, text, text, text, text, text, text, text, text);
DROP FUNCTION change.request_json(uuid);
DROP FUNCTION change.feature_put(uuid, text, text, jsonb);
DROP FUNCTION change.feature_drop(text);
DROP FUNCTION change.publish_sql();
-- include functions/request_file_owners.sql
-- include functions/request_json_owners.sql
-- include functions/run_feature_owners.sql
-- include functions/publish_sql_owners.sql

SELECT change.publish();
-- The copies hear of the pairs by a write of each row after its columns are published.
UPDATE flag.flag SET business_owner = business_owner WHERE archived_at IS NULL;

GRANT EXECUTE ON FUNCTION access.owner(text, text), access.name_of(uuid), change.request_json(uuid) TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION
	change.request_file(uuid, uuid, text, text, text, text, text, text, text, text, text, text, bytea, jsonb, text),
	change.request_edit(uuid, uuid, text, text, text, text, text, text, text, text, text) TO bimodal_app;
GRANT EXECUTE ON FUNCTION change.feature_put(uuid, text, text, jsonb), change.feature_drop(text), change.publish_sql()
	TO bimodal_executor;
