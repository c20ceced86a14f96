-- Takes the saved views with it.
DELETE FROM access.owned WHERE relation = 'views.saved';
DROP SCHEMA views CASCADE;
CREATE INDEX person_organization ON crm.person (organization_id);
CREATE INDEX opportunity_organization ON crm.opportunity (organization_id);
CREATE INDEX support_case_organization ON crm.support_case (organization_id);
DROP INDEX crm.person_organization_newest;
DROP INDEX crm.opportunity_organization_stage;
DROP INDEX crm.support_case_organization_status;
DROP INDEX crm.person_search;
DROP INDEX crm.organization_search;
DROP INDEX crm.opportunity_search;
DROP INDEX crm.support_case_search;
DROP FUNCTION crm.search_query(text, boolean);
DROP FUNCTION crm.search_vector(text, text, text, text, text);
DROP FUNCTION crm.restore(text, uuid);
DROP FUNCTION crm.restore_conflicts(event.log[]);
