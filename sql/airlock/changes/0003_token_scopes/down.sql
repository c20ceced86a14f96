ALTER PUBLICATION bimodal_registry DROP TABLE access.token_published;
ALTER PUBLICATION bimodal_registry ADD TABLE access.token_published (hash, principal, roles, expires_at);
ALTER TABLE access.token_published DROP COLUMN scopes;
