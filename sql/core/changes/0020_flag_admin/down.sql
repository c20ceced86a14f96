-- Drafts are lost: what was published stays.
DROP TABLE flag.draft;
DROP FUNCTION flag.diff(jsonb, jsonb);
DROP FUNCTION flag.core_only(jsonb);
