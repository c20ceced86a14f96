-- Takes every customer record with it: for rehearsals and development only.
DROP SCHEMA crm CASCADE;
DROP FUNCTION change.shape();
DROP FUNCTION change.published_columns();
DELETE FROM change.field;
DELETE FROM change.resource WHERE parent IS NOT NULL;
DELETE FROM change.resource;
