-- The owner pair of a flag passes with it, as ids: the sandbox's hypotheses belong to whom their flags belong to.
ALTER TABLE flag.flag ADD COLUMN business_owner uuid;
ALTER TABLE flag.flag ADD COLUMN technical_owner uuid;
ALTER PUBLICATION bimodal_registry DROP TABLE flag.flag;
ALTER PUBLICATION bimodal_registry ADD TABLE flag.flag (key, kind, business_owner, technical_owner, expires_at, revision, archived_at);
