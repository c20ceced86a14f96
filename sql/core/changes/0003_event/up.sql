-- Schema event: the one log of every write, the chain of sealed blocks over it.
CREATE SCHEMA event;
GRANT USAGE ON SCHEMA event TO bimodal_executor, bimodal_app;

CREATE SEQUENCE event.log_seq AS bigint;

CREATE TABLE event.log (
	seq bigint NOT NULL DEFAULT nextval('event.log_seq'),
	xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	actor text NOT NULL CHECK (actor <> ''),
	request_id text NOT NULL,
	resource text,
	record_id uuid,
	op text NOT NULL,
	version int,
	before jsonb,
	after jsonb,
	salt bytea
) PARTITION BY RANGE (seq);
ALTER SEQUENCE event.log_seq OWNED BY event.log.seq;
CREATE INDEX log_order ON event.log (xid, seq);
CREATE INDEX log_record ON event.log (record_id, seq);

CREATE TABLE event.block (
	no bigint PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	first_xid xid8 NOT NULL,
	first_seq bigint NOT NULL,
	last_xid xid8 NOT NULL,
	last_seq bigint NOT NULL,
	horizon xid8 NOT NULL,
	n int NOT NULL CHECK (n > 0),
	digests bytea NOT NULL CHECK (length(digests) = 32 * n),
	prev bytea NOT NULL,
	hash bytea NOT NULL UNIQUE
);

-- include functions/event_partition_ensure.sql
-- include functions/event_keep.sql
-- include functions/event_record.sql
-- include functions/event_note.sql
-- include functions/event_digest.sql
-- include functions/event_seal.sql
-- include functions/event_verify.sql
-- include functions/event_erase.sql

CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON event.log FOR EACH ROW EXECUTE FUNCTION event.keep();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON event.log
	FOR EACH STATEMENT EXECUTE FUNCTION change.append_only();
CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON event.block
	FOR EACH ROW EXECUTE FUNCTION change.append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON event.block
	FOR EACH STATEMENT EXECUTE FUNCTION change.append_only();

SELECT event.partition_ensure();

GRANT SELECT ON event.log, event.block TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION event.partition_ensure(), event.seal(int) TO bimodal_executor;
GRANT EXECUTE ON FUNCTION event.verify(bigint), event.erase(text, uuid),
	event.note(text, uuid, text, jsonb) TO bimodal_app, bimodal_executor;
