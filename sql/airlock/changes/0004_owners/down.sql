ALTER PUBLICATION bimodal_registry DROP TABLE flag.flag;
ALTER PUBLICATION bimodal_registry ADD TABLE flag.flag (key, kind, expires_at, revision, archived_at);
ALTER TABLE flag.flag DROP COLUMN technical_owner;
ALTER TABLE flag.flag DROP COLUMN business_owner;
