-- Records as people need them: what search and the view of a whole customer need of indexes, restoring from the log, saved views.
-- include functions/crm_search.sql
-- include functions/crm_restore.sql

-- A small pending list: it is read from end to end by every search.
CREATE INDEX person_search ON crm.person
	USING gin (crm.search_vector(given_name, family_name, email, phone, external_id)) WITH (gin_pending_list_limit = 256);
CREATE INDEX organization_search ON crm.organization
	USING gin (crm.search_vector(name, NULL, NULL, NULL, external_id)) WITH (gin_pending_list_limit = 256);
CREATE INDEX opportunity_search ON crm.opportunity
	USING gin (crm.search_vector(name, NULL, NULL, NULL, external_id)) WITH (gin_pending_list_limit = 256);
CREATE INDEX support_case_search ON crm.support_case
	USING gin (crm.search_vector(subject, NULL, NULL, NULL, NULL)) WITH (gin_pending_list_limit = 256);

-- Each takes the place of an index on its first column alone.
CREATE INDEX person_organization_newest ON crm.person (organization_id, id);
CREATE INDEX opportunity_organization_stage ON crm.opportunity (organization_id, stage);
CREATE INDEX support_case_organization_status ON crm.support_case (organization_id, status);
DROP INDEX crm.person_organization;
DROP INDEX crm.opportunity_organization;
DROP INDEX crm.support_case_organization;

-- A saved view is a list's query string under a name; whose fields it may name is asked again of everybody who uses it. Shared with the
-- team: with whoever is in a team with the owner.
CREATE SCHEMA views;
GRANT USAGE ON SCHEMA views TO bimodal_executor, bimodal_app;

CREATE TABLE views.saved (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	owner uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	resource text NOT NULL CHECK (resource ~ '^[a-z][a-z0-9_]{0,62}$'),
	name text NOT NULL CHECK (name <> '' AND length(name) <= 100),
	query text NOT NULL CHECK (octet_length(query) <= 1500),
	shared text NOT NULL DEFAULT 'private' CHECK (shared IN ('private', 'team', 'all'))
);
-- Not unique: who takes over from somebody may have a view of the same name.
CREATE INDEX saved_owner ON views.saved (owner, resource, name);
CREATE INDEX saved_shared ON views.saved (resource, name, id) WHERE shared <> 'private';

CREATE TRIGGER touch BEFORE UPDATE ON views.saved FOR EACH ROW EXECUTE FUNCTION crm.touch();
CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON views.saved
	FOR EACH ROW EXECUTE FUNCTION event.record('views');

-- What others use is handed over; what was private stays with him who left.
INSERT INTO access.owned (relation, resource, business, technical, live)
	VALUES ('views.saved', 'views', 'owner', NULL, $$shared <> 'private'$$);

GRANT SELECT, INSERT, UPDATE, DELETE ON views.saved TO bimodal_app;
GRANT SELECT ON views.saved TO bimodal_executor;
GRANT EXECUTE ON FUNCTION crm.search_vector(text, text, text, text, text), crm.search_query(text, boolean)
	TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION crm.restore(text, uuid), crm.restore_conflicts(event.log[]) TO bimodal_app;
