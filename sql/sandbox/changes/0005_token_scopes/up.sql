-- The scopes of a token arrive with its roles.
ALTER TABLE access.token_published ADD COLUMN scopes text[];
DROP FUNCTION access.snapshot();
-- include functions/access_snapshot_scopes.sql
GRANT EXECUTE ON FUNCTION access.snapshot() TO bimodal_app, bimodal_deployer;
