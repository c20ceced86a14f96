-- Flags: ramps that let a rule take in more, step by step, and what is to happen to a flag at a time.

-- rule_id: null where the rule has none; then its place names it. rule_hash: all of the rule but its coverage. steps: what is asked of each
-- before the next, see flag.ramp_start. begun_at: what the present step's duration counts from; moved_at: when it was really made, what its
-- sample counts from. guarded_from: since when the guardrails are watched; planned_units: where their watch is sharpest.
CREATE TABLE flag.ramp (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	flag text NOT NULL REFERENCES flag.flag,
	rule_id text,
	rule_place int NOT NULL,
	rule_hash text NOT NULL,
	variations text[] NOT NULL,
	steps jsonb NOT NULL CHECK (jsonb_typeof(steps) = 'array' AND jsonb_array_length(steps) BETWEEN 1 AND 21),
	guardrails jsonb NOT NULL CHECK (jsonb_typeof(guardrails) = 'array' AND jsonb_array_length(guardrails) <= 6),
	on_breach text NOT NULL CHECK (on_breach IN ('hold', 'back', 'kill')),
	planned_units int NOT NULL CHECK (planned_units > 0),
	comment text NOT NULL,
	coverage_before numeric NOT NULL,
	state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'held', 'done', 'cancelled')),
	step int NOT NULL DEFAULT 0,
	begun_at timestamptz NOT NULL DEFAULT now(),
	moved_at timestamptz NOT NULL DEFAULT now(),
	approved_at timestamptz,
	approved_by uuid,
	asked_at timestamptz,
	held_at timestamptz,
	held_by uuid,
	held_reason text,
	guarded_from timestamptz NOT NULL DEFAULT now(),
	judged_at timestamptz,
	judged jsonb,
	started_at timestamptz NOT NULL DEFAULT now(),
	started_by uuid NOT NULL,
	ended_at timestamptz,
	CHECK ((state = 'held') <= (held_at IS NOT NULL) AND (state IN ('done', 'cancelled')) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX ramp_active ON flag.ramp (flag, (rule_id IS NULL), coalesce(rule_id, rule_place::text)) WHERE state IN ('running', 'held');
CREATE INDEX ramp_flag ON flag.ramp (flag, id);
CREATE INDEX ramp_running ON flag.ramp (id) WHERE state = 'running';

-- What has happened to a ramp. actor: null where nobody did it.
CREATE TABLE flag.ramp_move (
	ramp uuid NOT NULL REFERENCES flag.ramp,
	n int NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	what text NOT NULL CHECK (what IN ('start', 'step', 'back', 'hold', 'resume', 'wait', 'approve', 'breach', 'done', 'cancel')),
	step int NOT NULL,
	coverage numeric NOT NULL,
	revision bigint REFERENCES flag.revision,
	actor uuid,
	note text NOT NULL,
	PRIMARY KEY (ramp, n)
);

CREATE TABLE flag.schedule (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	flag text NOT NULL REFERENCES flag.flag,
	at timestamptz NOT NULL,
	action text NOT NULL CHECK (action IN ('enable', 'disable', 'publish', 'coverage')),
	document jsonb,
	base bigint REFERENCES flag.revision,
	rule_id text,
	rule_place int,
	rule_hash text,
	coverage numeric CHECK (coverage BETWEEN 0 AND 1),
	comment text NOT NULL,
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed', 'cancelled')),
	made_at timestamptz NOT NULL DEFAULT now(),
	made_by uuid NOT NULL,
	ended_at timestamptz,
	ended_by uuid,
	revision bigint REFERENCES flag.revision,
	note text NOT NULL DEFAULT '',
	CHECK ((action = 'publish') = (document IS NOT NULL AND base IS NOT NULL)),
	CHECK ((action = 'coverage') = (coverage IS NOT NULL AND rule_hash IS NOT NULL))
);
CREATE INDEX schedule_flag ON flag.schedule (flag, id);
CREATE INDEX schedule_waiting ON flag.schedule (at, id) WHERE state = 'waiting';

-- Samples and guardrails count first exposures since a time: by the index of change 0023.

-- include functions/flag_ramp_rule.sql
-- include functions/flag_ramp_move.sql
-- include functions/flag_ramp_turn.sql
-- include functions/flag_ramp_go.sql
-- include functions/flag_ramp_json.sql
-- include functions/flag_ramp_judge.sql
-- include functions/flag_schedule.sql
-- include functions/flag_ramp_guard.sql

-- Named to come after "current".
CREATE TRIGGER ramp AFTER INSERT ON flag.revision
	FOR EACH ROW EXECUTE FUNCTION flag.ramp_guard();
CREATE TRIGGER ended AFTER UPDATE OF archived_at ON flag.flag
	FOR EACH ROW WHEN (OLD.archived_at IS NULL AND NEW.archived_at IS NOT NULL) EXECUTE FUNCTION flag.ramps_end();

-- Who turned a flag on last is a person: what acts by itself has nobody to tell.
CREATE OR REPLACE VIEW notice.flag_source AS
SELECT f.key, f.purpose, f.business_owner, f.technical_owner, f.created_by, (SELECT r.actor FROM flag.revision r
	WHERE r.key = f.key AND r.enabled AND r.actor <> '00000000-0000-0000-0000-000000000000' ORDER BY r.revision DESC LIMIT 1) AS editor
FROM flag.flag f;

INSERT INTO notice.kind (name, label, ops, source, source_key, event_key, fields, recipients, but_not, task, ends, subject, title, body,
	link, record, channels)
VALUES
	('flag.ramp_held', 'A ramp of a flag of mine is held', '{flag.ramp_hold}', 'notice.flag_source', 'key', 'key',
	 '{purpose,business_owner,technical_owner,created_by}', '{named:business_owner,named:technical_owner,named:created_by}', '{actor}',
	 false, '{}', 'flags/{key}/ramps/{ramp}', 'The ramp of {key} is held at {percent}', '{reason}', '/flags/{key}', '/v1/flags/{key}',
	 '{app,email,webhook}'),
	('flag.ramp_waits', 'A ramp waits for approval', '{flag.ramp_wait}', 'notice.flag_source', 'key', 'key',
	 '{purpose,business_owner,technical_owner}', '{right:flag.toggle}', '{}', true,
	 '{flag.ramp_approve,flag.ramp_back,flag.ramp_cancel,flag.ramp_done}', 'flags/{key}/ramps/{ramp}',
	 'The ramp of {key} waits at {percent} for an approval', 'Step {step} of {of}. What the flag is for: {purpose}', '/flags/{key}',
	 '/v1/flags/{key}', '{app,email,webhook}'),
	('flag.ramp_done', 'A ramp of a flag of mine is done', '{flag.ramp_done}', 'notice.flag_source', 'key', 'key',
	 '{purpose,business_owner,technical_owner,created_by}', '{named:business_owner,named:technical_owner,named:created_by}', '{}', false,
	 '{}', 'flags/{key}/ramps/{ramp}', 'The ramp of {key} is done: {percent}', 'What the flag is for: {purpose}', '/flags/{key}',
	 '/v1/flags/{key}', '{app,webhook}'),
	('flag.schedule_failed', 'A schedule of a flag of mine could not be done', '{flag.schedule_failed}', 'notice.flag_source', 'key', 'key',
	 '{purpose,business_owner,technical_owner}', '{named:business_owner,named:technical_owner,named:made_by}', '{}', false, '{}',
	 'flags/{key}/schedules/{schedule}', 'What was planned for {key} could not be done: {action}', '{reason}', '/flags/{key}',
	 '/v1/flags/{key}', '{app,email,webhook}');

GRANT SELECT ON flag.ramp, flag.ramp_move, flag.schedule TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.ramp_start(text, text, int, jsonb, jsonb, text, int, text, uuid, text),
	flag.ramp_turn(text, uuid, text, text, uuid, text), flag.ramp_json(flag.ramp), flag.ramp_seen(flag.ramp), flag.ramp_covers(flag.ramp),
	flag.schedule_make(text, timestamptz, text, text, int, numeric, text, uuid, text), flag.schedule_cancel(text, uuid, uuid, text),
	flag.schedule_json(flag.schedule) TO bimodal_app;
GRANT EXECUTE ON FUNCTION flag.rule_place(jsonb, text, int), flag.rule_hash(jsonb), flag.rule_cover(jsonb, int, numeric),
	flag.ramp_go(uuid, text), flag.ramp_wants(flag.ramp), flag.ramp_seen(flag.ramp), flag.ramp_sums(uuid),
	flag.ramp_judged(uuid, timestamptz, timestamptz, jsonb, text, text), flag.schedule_go(uuid, text) TO bimodal_executor;
