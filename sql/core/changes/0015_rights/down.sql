DROP TRIGGER changed ON access.membership;
DROP TRIGGER changed ON access.team;
DROP INDEX access.token_prefix;
DROP FUNCTION access.refused(jsonb, uuid);
DROP FUNCTION crm.person_resolve(uuid, text, text[]);
