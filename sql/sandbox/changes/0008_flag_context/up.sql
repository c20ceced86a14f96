-- Assignments that experiments keep here. Nothing of them comes from core, and nothing goes there.
-- What experiments keep: who has which variation of what. The value that was hashed is kept as a digest; `person` is the pseudonym,
-- where the unit is one, so that the row ends with the person.
CREATE TABLE lab.sticky (
	who bytea CHECK (octet_length(who) = 32),
	experiment text CHECK (length(experiment) <= 200),
	version bigint,
	flag text NOT NULL,
	variation text NOT NULL,
	person uuid,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (who, experiment, version)
);
CREATE INDEX sticky_flag ON lab.sticky (flag);
CREATE INDEX sticky_person ON lab.sticky (person) WHERE person IS NOT NULL;

-- include functions/lab_sticky.sql

CREATE TRIGGER anew AFTER UPDATE OF archived_at ON flag.flag FOR EACH ROW
	WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION lab.begun_anew();
ALTER TABLE flag.flag ENABLE ALWAYS TRIGGER anew;
CREATE TRIGGER sticky AFTER INSERT ON lab.outbox FOR EACH ROW
	WHEN (NEW.tab = 'person' AND NEW.op = 'delete' AND NEW.unit IS NOT NULL) EXECUTE FUNCTION lab.person_gone();
ALTER TABLE lab.outbox ENABLE ALWAYS TRIGGER sticky;

GRANT SELECT ON lab.sticky TO bimodal_app;
GRANT SELECT, DELETE ON lab.sticky TO bimodal_deployer;
GRANT EXECUTE ON FUNCTION lab.who(text, text), lab.kept(text[], text[], text, jsonb[], text[], text[]),
	lab.sticky_add(text[], text[], text[], text[], text[], bigint[], text[]) TO bimodal_app;
GRANT EXECUTE ON FUNCTION lab.sticky_forget(int), lab.sticky_orphans() TO bimodal_deployer;
