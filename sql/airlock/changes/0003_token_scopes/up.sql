-- The scopes of a token pass with its roles.
ALTER TABLE access.token_published ADD COLUMN scopes text[];
ALTER PUBLICATION bimodal_registry DROP TABLE access.token_published;
ALTER PUBLICATION bimodal_registry ADD TABLE access.token_published (hash, principal, roles, scopes, expires_at);
