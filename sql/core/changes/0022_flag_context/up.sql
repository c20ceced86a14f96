-- What flags know of those who ask: assignments that experiments keep, and segments of the record.
-- What experiments keep: who has which variation of what. The value that was hashed is kept as a digest; `person` is the pseudonym,
-- where the unit is one, so that the row ends with the person.
CREATE TABLE flag.sticky (
	who bytea CHECK (octet_length(who) = 32),
	experiment text CHECK (length(experiment) <= 200),
	version bigint,
	flag text NOT NULL,
	variation text NOT NULL,
	person uuid,
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (who, experiment, version)
);
CREATE INDEX sticky_flag ON flag.sticky (flag);
CREATE INDEX sticky_person ON flag.sticky (person) WHERE person IS NOT NULL;

-- include functions/flag_sticky.sql
-- include functions/flag_sticky_person.sql

CREATE TRIGGER anew AFTER UPDATE OF archived_at ON flag.flag FOR EACH ROW
	WHEN (OLD.archived_at IS NOT NULL AND NEW.archived_at IS NULL) EXECUTE FUNCTION flag.begun_anew();
CREATE TRIGGER sticky AFTER DELETE ON crm.person FOR EACH ROW EXECUTE FUNCTION flag.person_gone();

GRANT SELECT, INSERT, UPDATE ON flag.sticky TO bimodal_app;
GRANT SELECT, DELETE ON flag.sticky TO bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.who(text, text), flag.kept(text[], text[], text, jsonb[], text[], text[]) TO bimodal_app;
GRANT EXECUTE ON FUNCTION flag.sticky_forget(int) TO bimodal_executor;

-- A segment is a filter over people or organizations, as in the query string of a list, under a name.
CREATE TABLE flag.segment (
	name text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,99}$'),
	resource text NOT NULL CHECK (resource IN ('people', 'organizations')),
	query text NOT NULL CHECK (octet_length(query) BETWEEN 1 AND 4000),
	purpose text NOT NULL,
	business_owner uuid NOT NULL,
	technical_owner uuid NOT NULL,
	created_by uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	changed_at timestamptz NOT NULL DEFAULT now(),
	version int NOT NULL DEFAULT 1
);
-- include functions/flag_segment.sql
-- include functions/flag_core_only_segments.sql

SELECT access.own('flag.segment', 'segments');
UPDATE access.owned SET key = 'name', recorded = false WHERE relation = 'flag.segment';

-- Segments are of the snapshot that the workers serve.
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON flag.segment FOR EACH STATEMENT EXECUTE FUNCTION flag.changed();

GRANT SELECT, INSERT, UPDATE, DELETE ON flag.segment TO bimodal_app;
GRANT SELECT ON flag.segment TO bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.segments_of(jsonb), flag.segment_users(text), flag.segment_json(flag.segment)
	TO bimodal_app, bimodal_executor;
