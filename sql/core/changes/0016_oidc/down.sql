DROP FUNCTION access.identity_forget(uuid, text, uuid);
DROP FUNCTION access.oidc_begin(text, text, text, boolean, text, text, text[], boolean, uuid, uuid, bytea, text, text, interval, interval, bytea);
DROP FUNCTION access.oidc_roles(uuid, text[]);
DROP FUNCTION access.oidc_person(text, text, text, boolean, text, text, boolean, uuid);
DROP FUNCTION access.oidc_refuse(text, text, text, int, interval);
DROP FUNCTION access.oidc_enter(bytea, interval, text);
DROP FUNCTION access.session_begin(uuid, uuid, bytea, text, text, text, interval, interval, bytea, text, text);
DROP FUNCTION access.session_open(uuid, uuid, bytea, text, text, text, interval, interval, bytea, jsonb);
-- include functions/session_begin.sql
GRANT EXECUTE ON FUNCTION
	access.session_begin(uuid, uuid, bytea, text, text, text, interval, interval, bytea, text, text) TO bimodal_app;
DELETE FROM access.session WHERE method = 'oidc';
ALTER TABLE access.session DROP CONSTRAINT session_method_check;
ALTER TABLE access.session ADD CONSTRAINT session_method_check CHECK (method IN ('password'));
ALTER TABLE access.role_grant DROP COLUMN by_group;
DROP TABLE access.oidc_flow;
DROP TABLE access.identity;
