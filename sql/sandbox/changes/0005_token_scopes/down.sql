DROP FUNCTION access.snapshot();
ALTER TABLE access.token_published DROP COLUMN scopes;
-- include functions/access_snapshot.sql
GRANT EXECUTE ON FUNCTION access.snapshot() TO bimodal_app, bimodal_deployer;
