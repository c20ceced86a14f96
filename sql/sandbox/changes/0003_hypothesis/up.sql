-- Schema lab: hypotheses and their experiments. The app role proposes, asks for removal and for a stop, and notes exposures; the deployer's
-- login deploys, folds and judges; a verdict has one door, lab.verdict_record().
-- include functions/append_only.sql

-- Intention and state of one feature. Two machines side by side: the catalog (is_deployed) and the flag in core (flag_want, flag_state),
-- each driven by a job that tries again until it is where it must be.
CREATE TABLE lab.hypothesis (
	slug text PRIMARY KEY CHECK (slug ~ '^[a-z][a-z0-9_]{2,40}$'),
	deployment uuid NOT NULL UNIQUE,
	state text NOT NULL DEFAULT 'deploying' CHECK (state IN ('deploying', 'running', 'proven', 'disproven', 'inconclusive',
		'invalid', 'promoted', 'expired', 'removed', 'failed')),
	manifest jsonb NOT NULL,
	flag_key text NOT NULL UNIQUE,
	package bytea NOT NULL CHECK (octet_length(package) <= 1048576),
	sha256 text NOT NULL CHECK (sha256 = encode(sha256(package), 'hex')),
	author uuid NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	lasts interval NOT NULL CHECK (lasts > interval '0' AND lasts <= interval '90 days'),
	is_deployed boolean NOT NULL DEFAULT false,
	deployed_at timestamptz,
	expires_at timestamptz,
	ended_at timestamptz,
	remove_wanted_at timestamptz,
	remove_wanted_by uuid,
	error text,
	tries int NOT NULL DEFAULT 0,
	retry_at timestamptz NOT NULL DEFAULT '-infinity',
	flag_want text NOT NULL DEFAULT 'none' CHECK (flag_want IN ('none', 'made', 'off', 'archived')),
	flag_state text NOT NULL DEFAULT 'none' CHECK (flag_state IN ('none', 'made', 'off', 'archived')),
	flag_tries int NOT NULL DEFAULT 0,
	flag_retry_at timestamptz NOT NULL DEFAULT '-infinity',
	change_id uuid
);

-- The password of a deployed feature's login.
CREATE TABLE lab.feature (
	slug text PRIMARY KEY REFERENCES lab.hypothesis ON DELETE CASCADE,
	password text NOT NULL
);

CREATE TABLE lab.experiment (
	slug text PRIMARY KEY REFERENCES lab.hypothesis ON DELETE CASCADE,
	flag_key text NOT NULL UNIQUE,
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'ended', 'closed')),
	frozen text NOT NULL,
	frozen_sha256 text NOT NULL CHECK (frozen_sha256 = encode(sha256(convert_to(frozen, 'UTF8')), 'hex')),
	planned_units bigint NOT NULL,
	runs interval NOT NULL,
	started_at timestamptz,
	planned_end timestamptz,
	ended_at timestamptz,
	stop_reason text,
	stop_wanted_at timestamptz,
	stop_wanted_by uuid,
	withdrawn bigint NOT NULL DEFAULT 0,
	is_changed boolean NOT NULL DEFAULT true,
	fold_error text,
	fold_retry_at timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE lab.experiment_metric (
	slug text REFERENCES lab.experiment ON DELETE CASCADE,
	metric text,
	maturity interval NOT NULL,
	PRIMARY KEY (slug, metric)
);

-- Who met which variation first; is_noted: the fold has seen it.
CREATE TABLE lab.exposure (
	flag text,
	unit uuid,
	variation text NOT NULL,
	revision bigint NOT NULL,
	at timestamptz NOT NULL,
	is_noted boolean NOT NULL DEFAULT false,
	PRIMARY KEY (flag, unit)
);
CREATE INDEX exposure_unit ON lab.exposure (unit);
CREATE INDEX exposure_new ON lab.exposure (flag) WHERE NOT is_noted;

-- What is to be computed anew: not before it has matured (due, core's clock), nor before the control row that follows the change has arrived
-- (first_seen, our clock): only then does the position, which is the metric's "until", include the change. last_seen: changed again since.
CREATE TABLE lab.dirty (
	slug text REFERENCES lab.experiment ON DELETE CASCADE,
	metric text,
	unit uuid,
	due timestamptz NOT NULL,
	first_seen timestamptz NOT NULL,
	last_seen timestamptz NOT NULL,
	PRIMARY KEY (slug, metric, unit)
);
CREATE INDEX dirty_due ON lab.dirty (due);

CREATE TABLE lab.unit_metric (
	slug text REFERENCES lab.experiment ON DELETE CASCADE,
	metric text,
	unit uuid,
	value bigint NOT NULL,
	PRIMARY KEY (slug, metric, unit)
);
CREATE INDEX unit_metric_unit ON lab.unit_metric (unit);

CREATE TABLE lab.result (
	id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	slug text NOT NULL REFERENCES lab.experiment ON DELETE CASCADE,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	body jsonb NOT NULL
);
CREATE INDEX result_slug ON lab.result (slug, id);

CREATE TABLE lab.verdict (
	slug text PRIMARY KEY REFERENCES lab.hypothesis ON DELETE CASCADE,
	verdict text NOT NULL CHECK (verdict IN ('proven', 'disproven', 'inconclusive', 'invalid')),
	reasons jsonb NOT NULL,
	evidence jsonb NOT NULL,
	evidence_text text NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE lab.journal (
	id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	slug text NOT NULL,
	kind text NOT NULL,
	actor text NOT NULL,
	body jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX journal_slug ON lab.journal (slug, id);

-- The shape of crm that was last brought to the replicated registry.
CREATE TABLE lab.registry (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	hash text NOT NULL DEFAULT ''
);
INSERT INTO lab.registry DEFAULT VALUES;

-- include functions/lab_keep.sql
-- include functions/lab_hypothesis.sql
-- include functions/lab_verdict.sql
-- include functions/lab_fold.sql
-- include functions/lab_registry.sql

CREATE TRIGGER keep BEFORE UPDATE OR DELETE ON lab.journal FOR EACH ROW EXECUTE FUNCTION change.append_only();
CREATE TRIGGER keep_all BEFORE TRUNCATE ON lab.journal FOR EACH STATEMENT EXECUTE FUNCTION change.append_only();
CREATE TRIGGER keep BEFORE UPDATE ON lab.verdict FOR EACH ROW EXECUTE FUNCTION change.append_only();
CREATE TRIGGER frozen BEFORE UPDATE ON lab.experiment FOR EACH ROW EXECUTE FUNCTION lab.keep_frozen();

GRANT SELECT ON lab.hypothesis, lab.feature, lab.experiment, lab.experiment_metric, lab.exposure, lab.unit_metric, lab.dirty, lab.result,
	lab.verdict, lab.journal, lab.registry TO bimodal_app, bimodal_deployer;
GRANT INSERT ON lab.exposure TO bimodal_app;
REVOKE DELETE ON lab.outbox FROM bimodal_app;
GRANT UPDATE ON lab.hypothesis, lab.experiment, lab.exposure, lab.unit_metric, lab.registry TO bimodal_deployer;
GRANT INSERT, DELETE ON lab.feature, lab.experiment, lab.experiment_metric, lab.unit_metric, lab.dirty, lab.result TO bimodal_deployer;
GRANT UPDATE ON lab.dirty TO bimodal_deployer;
GRANT DELETE ON lab.exposure TO bimodal_deployer;
GRANT INSERT ON lab.journal TO bimodal_deployer;

GRANT EXECUTE ON FUNCTION lab.propose(text, uuid, jsonb, text, bytea, uuid, bigint), lab.want_remove(text, uuid), lab.want_stop(text, uuid),
	lab.promoted(text, uuid, uuid) TO bimodal_app;
GRANT EXECUTE ON FUNCTION lab.deployed(text, text, text), lab.removed(text), lab.flag_done(text, text, bigint),
	lab.deploy_failed(text, text), lab.verdict_record(text, text, jsonb, text, text), lab.purge(uuid[]), lab.orphans(),
	lab.consume(int), lab.registry_hash() TO bimodal_deployer;
