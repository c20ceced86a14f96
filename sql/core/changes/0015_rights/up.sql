-- Rights: what was refused enters the event log, a pseudonym is looked behind only with a reason, and the workers hear when somebody
-- joins or leaves a team, because a scope may be that of a team.
-- include functions/access_refused.sql
-- include functions/person_resolve.sql

CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON access.membership
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER UPDATE OF archived_at ON access.team
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();

-- Refused tokens are looked up by what lists show of them.
CREATE INDEX token_prefix ON access.token (prefix);

GRANT EXECUTE ON FUNCTION access.refused(jsonb, uuid), crm.person_resolve(uuid, text, text[]) TO bimodal_app;
