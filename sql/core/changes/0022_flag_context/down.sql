-- What was kept is lost: the hash decides again. So are segments: nobody is in them.
DELETE FROM access.owned WHERE relation = 'flag.segment';
DROP FUNCTION flag.core_only(jsonb);
-- include functions/flag_core_only.sql
GRANT EXECUTE ON FUNCTION flag.core_only(jsonb) TO bimodal_app, bimodal_executor;
DROP FUNCTION flag.segment_json(flag.segment);
DROP FUNCTION flag.segment_users(text);
DROP FUNCTION flag.segments_of(jsonb);
DROP TABLE flag.segment;
DROP TRIGGER sticky ON crm.person;
DROP TRIGGER anew ON flag.flag;
DROP TABLE flag.sticky;
DROP FUNCTION flag.person_gone();
DROP FUNCTION flag.sticky_forget(int);
DROP FUNCTION flag.begun_anew();
DROP FUNCTION flag.kept(text[], text[], text, jsonb[], text[], text[]);
DROP FUNCTION flag.who(text, text);
