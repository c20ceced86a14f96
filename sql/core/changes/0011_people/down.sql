DROP FUNCTION change.approval_person() CASCADE;
DROP FUNCTION access.hand_over(uuid, text, uuid, uuid, text, boolean);
DROP FUNCTION access.hand_over_move(access.owned, text, text);
DROP FUNCTION access.hand_over_look(uuid, uuid);
DROP FUNCTION access.token_revoke(uuid, text, uuid, boolean);
DROP FUNCTION access.token_rotate(uuid, text, uuid, uuid, text, text, int, timestamptz, timestamptz);
DROP FUNCTION access.token_create(uuid, text, uuid, uuid, text, text, text, text, text[], timestamptz);
DROP FUNCTION access.token_json(uuid);
DROP FUNCTION access.team_member(uuid, text, uuid, uuid, boolean);
DROP FUNCTION access.team_change(uuid, text, uuid, bigint, jsonb, boolean);
DROP FUNCTION access.team_create(uuid, text, uuid, jsonb);
DROP FUNCTION access.team_check(jsonb);
DROP FUNCTION access.team_json(uuid);
DROP FUNCTION access.user_roles(uuid, text, uuid, text[], text[]);
DROP FUNCTION access.user_able(uuid, text, uuid, boolean);
DROP FUNCTION access.user_change(uuid, text, uuid, bigint, jsonb);
DROP FUNCTION access.user_hold(uuid, bigint);
DROP FUNCTION access.user_create(uuid, text, uuid, jsonb, text[]);
DROP FUNCTION access.roles_put(uuid, text[], text[], uuid);
DROP FUNCTION access.user_check(jsonb);
DROP FUNCTION access.user_json(uuid, boolean);
DROP FUNCTION access.must(boolean, text, text);
DROP FUNCTION access.act(uuid, text);
DROP INDEX crm.organization_owner;
DROP INDEX crm.person_owner;
DROP INDEX crm.opportunity_owner;
DROP INDEX crm.support_case_owner;
DROP FUNCTION access.changed() CASCADE;
DROP FUNCTION access.record() CASCADE;
DROP FUNCTION access.touch() CASCADE;
DROP FUNCTION access.operator_stays() CASCADE;
DROP FUNCTION access.owner_pair() CASCADE;
DROP FUNCTION access.own(regclass, text);
DROP FUNCTION access.owned_all();
DROP FUNCTION access.snapshot();
DROP FUNCTION change.publish_sql();
DROP TABLE access.membership;
DROP TABLE access.team;
DROP FUNCTION access.team_place();
DROP TABLE access.owned;
DROP TABLE access.ending;
-- include functions/publish_sql.sql
SELECT change.publish();
ALTER TABLE access.token_published DROP COLUMN scopes;
ALTER TABLE access.token DROP COLUMN scopes;
ALTER TABLE access.token DROP COLUMN label;
ALTER TABLE access.token DROP COLUMN created_by;
ALTER TABLE access.token DROP COLUMN replaced_by;
ALTER TABLE access.principal DROP CONSTRAINT principal_person;
ALTER TABLE access.principal DROP CONSTRAINT principal_owned;
ALTER TABLE access.principal DROP COLUMN email;
ALTER TABLE access.principal DROP COLUMN display_name;
ALTER TABLE access.principal DROP COLUMN locale;
ALTER TABLE access.principal DROP COLUMN business_owner;
ALTER TABLE access.principal DROP COLUMN technical_owner;
ALTER TABLE access.principal DROP COLUMN version;
ALTER TABLE access.principal DROP COLUMN created_at;
ALTER TABLE access.principal DROP COLUMN updated_at;
-- include functions/access_snapshot.sql
-- include functions/access_changed.sql
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON access.principal
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON access.role_grant
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR DELETE OR TRUNCATE
	OR UPDATE OF principal, audience, hash, expires_at, revoked_at ON access.token
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
REVOKE UPDATE (last_used_at) ON access.token FROM bimodal_app;
GRANT INSERT, UPDATE ON access.principal, access.token TO bimodal_app;
GRANT INSERT, DELETE ON access.role_grant TO bimodal_app;
GRANT EXECUTE ON FUNCTION access.snapshot() TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION change.publish_sql() TO bimodal_executor;
