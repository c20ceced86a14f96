-- Mode 2 as a whole: stopped or not, by whom and why, and what the stop turned off, so that the start brings back exactly that. The
-- revisions of one statement become current together: one generation, which the workers acknowledge once.
CREATE TABLE flag.mode2 (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	stopped_at timestamptz,
	stopped_by uuid,
	reason text NOT NULL DEFAULT '' CHECK (length(reason) <= 2000),
	CHECK ((stopped_at IS NULL) = (stopped_by IS NULL) AND (stopped_at IS NULL) = (reason = ''))
);
INSERT INTO flag.mode2 DEFAULT VALUES;

CREATE TABLE flag.stopped (
	key text PRIMARY KEY REFERENCES flag.flag,
	revision bigint NOT NULL REFERENCES flag.revision,
	by_hand boolean NOT NULL DEFAULT false,
	at timestamptz NOT NULL DEFAULT now()
);

-- include functions/mode2.sql
-- include functions/flag_revised_all.sql

DROP TRIGGER current ON flag.revision;
CREATE TRIGGER current AFTER INSERT ON flag.revision REFERENCING NEW TABLE AS made
	FOR EACH STATEMENT EXECUTE FUNCTION flag.revised_all();
DROP FUNCTION flag.revised();

CREATE TRIGGER held BEFORE INSERT ON flag.revision FOR EACH ROW WHEN (NEW.enabled) EXECUTE FUNCTION flag.mode2_held();
CREATE TRIGGER held BEFORE INSERT ON change.request FOR EACH ROW WHEN (NEW.kind = 'promotion') EXECUTE FUNCTION flag.mode2_held();
CREATE TRIGGER stopped AFTER INSERT ON flag.revision FOR EACH ROW WHEN (NOT NEW.enabled) EXECUTE FUNCTION flag.mode2_revised();

INSERT INTO notice.kind (name, label, ops, recipients, subject, title, body, link, record, channels) VALUES
	('experiments.stopped', 'Mode 2 was stopped', '{experiments.stop}', '{role:operator,role:product_owner,role:innovator}', 'mode2',
	 'Mode 2 was stopped by {actor_name}', '{reason} Experiments that are off now: {count}.', '/flags', '/v1/mode2', '{app,email,webhook}'),
	('experiments.started', 'Mode 2 was started again', '{experiments.start}', '{role:operator,role:product_owner,role:innovator}', 'mode2',
	 'Mode 2 was started again by {actor_name}', '{reason} Experiments that are on again: {count}.', '/flags', '/v1/mode2', '{app,webhook}');

GRANT SELECT ON flag.mode2, flag.stopped TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.mode2_stop(uuid, text, text), flag.mode2_start(uuid, text, text) TO bimodal_app;
