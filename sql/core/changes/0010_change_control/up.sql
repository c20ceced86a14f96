-- Change control: what is to be done with a request (intents, written by the workers and done by the jobs child), the lines of the
-- accepted catalog that drift is measured against, and the features that promotions brought into core. The app role loses its
-- writes on requests and approvals: the functions below are the only way, and each of them checks the state it starts from.
ALTER TABLE change.request ADD COLUMN filed_by uuid;
ALTER TABLE change.request ADD COLUMN slug text CHECK (slug ~ '^[a-z][a-z0-9_]{2,40}$');
ALTER TABLE change.request ADD COLUMN objects text[];
ALTER TABLE change.request ADD COLUMN rehearsed_at timestamptz;
ALTER TABLE change.request ADD COLUMN applied_at timestamptz;
ALTER TABLE change.request ADD COLUMN rolled_back_at timestamptz;
ALTER TABLE change.state ADD COLUMN accepted_at timestamptz;

CREATE TABLE change.intent (
	id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	request uuid NOT NULL REFERENCES change.request,
	kind text NOT NULL CHECK (kind IN ('rehearse', 'apply', 'rollback')),
	actor uuid NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed')),
	phase text NOT NULL DEFAULT 'begin' CHECK (phase IN ('begin', 'main', 'airlock', 'finish')),
	attempts int NOT NULL DEFAULT 0,
	started_at timestamptz,
	ended_at timestamptz,
	error text
);
CREATE UNIQUE INDEX intent_open ON change.intent (request) WHERE state IN ('waiting', 'running');
CREATE INDEX intent_next ON change.intent (id) WHERE state IN ('waiting', 'running');
CREATE INDEX intent_request ON change.intent (request, id);

CREATE TABLE change.accepted_line (
	hash bytea PRIMARY KEY,
	class text NOT NULL,
	id text NOT NULL,
	definition text NOT NULL
);

-- The password is that of the feature's own login: whoever serves the feature needs it, nobody else may read it.
CREATE TABLE change.feature (
	slug text PRIMARY KEY CHECK (slug ~ '^[a-z][a-z0-9_]{2,40}$'),
	request uuid NOT NULL REFERENCES change.request,
	sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
	package bytea NOT NULL,
	flag_key text NOT NULL,
	password text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now()
);

-- include functions/request_sha.sql
-- include functions/request_file.sql
-- include functions/request_decide.sql
-- include functions/request_intend.sql
-- include functions/request_json.sql
-- include functions/accept.sql
-- include functions/unpublish.sql
-- include functions/run_begin.sql
-- include functions/run_end.sql
-- include functions/run_feature.sql

CREATE TRIGGER sha BEFORE INSERT OR UPDATE ON change.request
	FOR EACH ROW EXECUTE FUNCTION change.request_sha_set();

REVOKE INSERT, UPDATE ON change.request FROM bimodal_app, bimodal_executor;
REVOKE INSERT, DELETE ON change.approval FROM bimodal_app;
REVOKE UPDATE ON change.state FROM bimodal_executor;
GRANT SELECT ON change.intent, change.accepted_line TO bimodal_app, bimodal_executor;
GRANT SELECT ON change.feature TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION change.request_sha(text, text, text, text, bytea), change.request_json(uuid),
	change.published_columns() TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION
	change.request_file(uuid, uuid, text, text, text, text, text, text, text, text, text, text, bytea, jsonb, text),
	change.request_edit(uuid, uuid, text, text, text, text, text, text, text, text, text),
	change.request_approve(uuid, uuid, text, text),
	change.request_reject(uuid, uuid, text),
	change.request_intend(uuid, uuid, text) TO bimodal_app;
GRANT EXECUTE ON FUNCTION change.accept(), change.drift_check(), change.unpublish(),
	change.run_take(), change.run_begin(bigint, text, boolean), change.run_step(bigint, text, text),
	change.run_finish(bigint, boolean), change.run_end(bigint), change.run_later(bigint, text), change.run_fail(bigint, text, boolean),
	change.run_rehearsed(bigint, text, text, jsonb, text[], text, text),
	change.feature_put(uuid, text, text, jsonb), change.feature_drop(text) TO bimodal_executor;
