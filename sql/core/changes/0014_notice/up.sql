-- Notices: what waits for a principal, and what happened to what is his. One table (notice.kind) declares them all: which event makes
-- which notice for whom; a job of the leader follows the event log and makes them. The ledger's rows become events too, so that there
-- is one order to follow. Schema webhook is the engine that sends signed messages; notices are its first user.
CREATE SCHEMA notice;
CREATE SCHEMA webhook;
GRANT USAGE ON SCHEMA notice, webhook TO bimodal_executor, bimodal_app;

-- ---- the engine of webhooks -----------------------------------------------------------------------------------------

-- Of a person or of a team. A person's ends with him: a successor's notices must not go where the leaver listens.
CREATE TABLE webhook.endpoint (
	id uuid PRIMARY KEY,
	owner uuid REFERENCES access.principal ON DELETE CASCADE,
	team uuid REFERENCES access.team ON DELETE CASCADE,
	created_by uuid NOT NULL,
	url text NOT NULL CHECK (url ~ '^https?://' AND length(url) <= 2000),
	description text NOT NULL DEFAULT '' CHECK (length(description) <= 500),
	types text[] NOT NULL DEFAULT '{*}' CHECK (cardinality(types) BETWEEN 1 AND 50),
	disabled_at timestamptz,
	reason text,
	failing_since timestamptz,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CHECK (num_nonnulls(owner, team) = 1)
);
CREATE INDEX endpoint_owner ON webhook.endpoint (owner) WHERE owner IS NOT NULL;
CREATE INDEX endpoint_team ON webhook.endpoint (team) WHERE team IS NOT NULL;

-- What signs. Only the jobs child reads the bytes; the workers write them once and see their ages alone.
CREATE TABLE webhook.secret (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	endpoint uuid NOT NULL REFERENCES webhook.endpoint ON DELETE CASCADE,
	secret bytea NOT NULL CHECK (length(secret) BETWEEN 24 AND 64),
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires_at timestamptz
);
CREATE INDEX secret_endpoint ON webhook.secret (endpoint);

-- The id is the webhook-id of every attempt and every replay. The key makes it once.
CREATE TABLE webhook.message (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	key text NOT NULL UNIQUE,
	type text NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	payload text NOT NULL CHECK (length(payload) <= 65536)
);
CREATE INDEX message_at ON webhook.message (at);

-- base_attempts: how many there were when it was asked for again; the schedule of pauses counts from there.
CREATE TABLE webhook.delivery (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	message uuid NOT NULL REFERENCES webhook.message ON DELETE CASCADE,
	endpoint uuid NOT NULL REFERENCES webhook.endpoint ON DELETE CASCADE,
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
	attempts int NOT NULL DEFAULT 0,
	base_attempts int NOT NULL DEFAULT 0,
	due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	leased_until timestamptz,
	status int,
	error text,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at timestamptz,
	UNIQUE (message, endpoint)
);
CREATE INDEX delivery_due ON webhook.delivery (endpoint, due_at) WHERE state = 'waiting';
CREATE INDEX delivery_next ON webhook.delivery (due_at) WHERE state = 'waiting';
CREATE INDEX delivery_endpoint ON webhook.delivery (endpoint, id);

CREATE TABLE webhook.attempt (
	delivery uuid NOT NULL REFERENCES webhook.delivery ON DELETE CASCADE,
	n int NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	status int,
	ms int NOT NULL,
	error text,
	PRIMARY KEY (delivery, n)
);

-- ---- notices --------------------------------------------------------------------------------------------------------

-- ops, matches: the events that make it, and members their detail must have. source…: the row whose fields fill templates and rules
-- beside the event's own detail; `record`, `actor` and `actor_name` are fields as well. recipients: right:R and role:R are the people
-- who hold it, named:F the principal (by id or name) that field F names; but_not: fields that name who does not get it.
-- A task waits for its recipients until an event of `ends` about the same subject; anything else is news.
CREATE TABLE notice.kind (
	name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z_]{0,30}[.][a-z][a-z_]{0,30}$'),
	label text NOT NULL CHECK (label <> ''),
	ops text[] NOT NULL CHECK (cardinality(ops) > 0),
	matches jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(matches) = 'object'),
	source text,
	source_key text,
	event_key text,
	fields text[] NOT NULL DEFAULT '{}',
	recipients text[] NOT NULL CHECK (cardinality(recipients) > 0 AND array_to_string(recipients, ' ') ~ '^((right|role|named):[a-z_.]+ ?)+$'),
	but_not text[] NOT NULL DEFAULT '{}',
	task boolean NOT NULL DEFAULT false,
	ends text[] NOT NULL DEFAULT '{}',
	subject text NOT NULL,
	title text NOT NULL,
	body text NOT NULL,
	link text NOT NULL CHECK (link ~ '^/'),
	record text NOT NULL CHECK (record ~ '^/v1/'),
	channels text[] NOT NULL DEFAULT '{app,webhook}' CHECK (channels <@ '{app,email,webhook}'),
	CHECK ((source IS NULL) = (source_key IS NULL) AND (source IS NULL) = (event_key IS NULL)),
	CHECK (task OR ends = '{}')
);

-- app: it is in the inbox. mail_due: not before then by e-mail; mail: the message that carries it.
CREATE TABLE notice.notice (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	kind text NOT NULL REFERENCES notice.kind,
	task boolean NOT NULL,
	event bigint NOT NULL,
	subject text NOT NULL,
	title text NOT NULL,
	body text NOT NULL,
	link text NOT NULL,
	record text NOT NULL,
	app boolean NOT NULL,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	read_at timestamptz,
	done_at timestamptz,
	mail_due timestamptz,
	mail uuid,
	UNIQUE (event, kind, principal)
);
CREATE INDEX notice_principal ON notice.notice (principal, id);
CREATE UNIQUE INDEX notice_open ON notice.notice (kind, subject, principal) WHERE task AND done_at IS NULL;
CREATE INDEX notice_mail ON notice.notice (mail_due, principal) WHERE mail_due IS NOT NULL AND mail IS NULL;
CREATE INDEX notice_at ON notice.notice (at);

-- How far the log has been followed.
CREATE TABLE notice.state (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	xid xid8 NOT NULL,
	seq bigint NOT NULL
);
INSERT INTO notice.state (xid, seq) VALUES (pg_snapshot_xmin(pg_current_snapshot()), 0);

-- What has been told once because its time came (a token's expiry), not because something was written.
CREATE TABLE notice.warned (
	what text PRIMARY KEY,
	at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- hours: from … to in minutes of the day in time_zone, NULL: any time; digest_hour NULL: at once.
CREATE TABLE notice.setting (
	principal uuid PRIMARY KEY REFERENCES access.principal ON DELETE CASCADE,
	time_zone text NOT NULL DEFAULT 'UTC',
	hours_from int CHECK (hours_from BETWEEN 0 AND 1439),
	hours_to int CHECK (hours_to BETWEEN 0 AND 1439),
	digest_hour int CHECK (digest_hour BETWEEN 0 AND 23),
	updated_at timestamptz NOT NULL DEFAULT now(),
	CHECK ((hours_from IS NULL) = (hours_to IS NULL) AND hours_from IS DISTINCT FROM hours_to OR hours_from IS NULL)
);

-- about: a kind ("change.waiting"), a group ("change") or "*"; the most precise one holds.
CREATE TABLE notice.channel (
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	about text NOT NULL,
	channels text[] NOT NULL CHECK (channels <@ '{app,email,webhook}'),
	PRIMARY KEY (principal, about)
);

-- One e-mail with one or more notices. lease: who sends it has until then.
CREATE TABLE notice.mail (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	address text NOT NULL,
	notices uuid[] NOT NULL CHECK (cardinality(notices) BETWEEN 1 AND 50),
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead')),
	attempts int NOT NULL DEFAULT 0,
	base_attempts int NOT NULL DEFAULT 0,
	due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	leased_until timestamptz,
	error text,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at timestamptz
);
CREATE INDEX mail_due ON notice.mail (due_at) WHERE state = 'waiting';
CREATE INDEX mail_ended ON notice.mail (ended_at) WHERE state <> 'waiting';

-- A flag with who turned it on last: a kill or an expiry is news for him.
CREATE VIEW notice.flag_source AS
SELECT f.key, f.purpose, f.business_owner, f.technical_owner, f.created_by, (SELECT r.actor FROM flag.revision r
	WHERE r.key = f.key AND r.enabled ORDER BY r.revision DESC LIMIT 1) AS editor
FROM flag.flag f;

-- include functions/ledger_told.sql
-- include functions/webhook_enqueue.sql
-- include functions/webhook_take.sql
-- include functions/webhook_done.sql
-- include functions/notice_render.sql
-- include functions/notice_mail_due.sql
-- include functions/notice_tell.sql
-- include functions/notice_make.sql
-- include functions/notice_mail.sql
-- include functions/notice_care.sql
-- include functions/notice_settings.sql

INSERT INTO access.ending (relation, resource, principal, ended) VALUES ('webhook.endpoint', 'webhooks', 'owner', 'disabled_at');

CREATE TRIGGER told AFTER INSERT ON change.ledger FOR EACH ROW EXECUTE FUNCTION notice.ledger_told();

INSERT INTO notice.kind (name, label, ops, matches, source, source_key, event_key, fields, recipients, but_not, task, ends, subject,
	title, body, link, record, channels)
VALUES
	('change.waiting', 'A change waits for approval', '{change.rehearsed}', '{"state":"rehearsed"}', 'change.request', 'id', 'record',
	 '{number,title,kind,author,filed_by,why}', '{right:change.approve}', '{author,filed_by}', true,
	 '{change.approved,change.rejected,change.edited,change.rehearse-failed}', 'changes/{record}',
	 'Change {number} waits for approval: {title}', 'It was rehearsed up and down. Why it is wanted: {why}', '/changes/{record}',
	 '/v1/changes/{record}', '{app,email,webhook}'),
	('promotion.waiting', 'A proven feature waits for approval', '{change.rehearsed}', '{"state":"rehearsed","kind":"promotion"}',
	 'change.request', 'id', 'record', '{number,title,slug,author,filed_by}', '{named:business_owner,named:technical_owner,named:author}',
	 '{filed_by}', false, '{}', 'changes/{record}', 'The promotion of {slug} was rehearsed and waits for approval',
	 'Change {number}: {title}', '/changes/{record}', '/v1/changes/{record}', '{app,webhook}'),
	('change.ready', 'An approved change waits to be applied', '{change.approved}', '{}', 'change.request', 'id', 'record',
	 '{number,title,author}', '{right:change.apply}', '{}', true,
	 '{change.apply-ordered,change.applied,change.rejected,change.edited,change.rehearse-failed,change.apply-failed}', 'changes/{record}',
	 'Change {number} is approved and waits to be applied: {title}', 'Approved by {actor_name}.', '/changes/{record}',
	 '/v1/changes/{record}', '{app,email,webhook}'),
	('change.approved', 'A change of mine was approved', '{change.approved}', '{}', 'change.request', 'id', 'record',
	 '{number,title,author,filed_by}', '{named:author,named:filed_by}', '{actor}', false, '{}', 'changes/{record}',
	 'Change {number} was approved: {title}', 'Approved by {actor_name}.', '/changes/{record}', '/v1/changes/{record}', '{app,webhook}'),
	('change.rejected', 'A change of mine was rejected', '{change.rejected}', '{}', 'change.request', 'id', 'record',
	 '{number,title,author,filed_by}', '{named:author,named:filed_by}', '{actor}', false, '{}', 'changes/{record}',
	 'Change {number} was rejected: {title}', 'Rejected by {actor_name}: {note}', '/changes/{record}', '/v1/changes/{record}',
	 '{app,email,webhook}'),
	('change.applied', 'A change of mine was applied', '{change.applied}', '{}', 'change.request', 'id', 'record',
	 '{number,title,author,filed_by}', '{named:author,named:filed_by}', '{}', false, '{}', 'changes/{record}',
	 'Change {number} was applied: {title}', 'Core serves it now.', '/changes/{record}', '/v1/changes/{record}', '{app,email,webhook}'),
	('change.failed', 'A change of mine failed', '{change.rehearse-failed,change.apply-failed,change.rollback-failed}', '{}',
	 'change.request', 'id', 'record', '{number,title,author,filed_by}', '{named:author,named:filed_by}', '{}', false, '{}',
	 'changes/{record}', 'Change {number} failed: {title}', '{error}', '/changes/{record}', '/v1/changes/{record}', '{app,email,webhook}'),
	('change.rolled_back', 'A change of mine was rolled back', '{change.rolled-back}', '{}', 'change.request', 'id', 'record',
	 '{number,title,author,filed_by}', '{named:author,named:filed_by}', '{}', false, '{}', 'changes/{record}',
	 'Change {number} was rolled back: {title}', 'Ordered by {actor_name}.', '/changes/{record}', '/v1/changes/{record}',
	 '{app,email,webhook}'),
	('drift.found', 'The catalog differs from what was approved', '{drift.found}', '{}', NULL, NULL, NULL, '{}', '{role:operator}', '{}',
	 true, '{drift.gone,change.applied,base.applied}', 'drift', 'The catalog differs from what was approved',
	 'No change is applied until that is resolved.', '/drift', '/v1/drift', '{app,email,webhook}'),
	('flag.expired', 'A flag of mine has expired', '{flag.expire}', '{}', 'notice.flag_source', 'key', 'key',
	 '{purpose,business_owner,technical_owner,created_by,editor}',
	 '{named:business_owner,named:technical_owner,named:created_by,named:editor}', '{actor}', false,
	 '{}', 'flags/{key}', 'The flag {key} has expired', 'It serves its default now. What it was for: {purpose}', '/flags/{key}',
	 '/v1/flags/{key}', '{app,email,webhook}'),
	('flag.killed', 'A flag of mine was killed', '{flag.kill}', '{}', 'notice.flag_source', 'key', 'key',
	 '{purpose,business_owner,technical_owner,created_by,editor}',
	 '{named:business_owner,named:technical_owner,named:created_by,named:editor}', '{actor}', false,
	 '{}', 'flags/{key}', 'The flag {key} was killed by {actor_name}', '{comment}', '/flags/{key}', '/v1/flags/{key}',
	 '{app,email,webhook}'),
	('token.expiring', 'A token of mine is about to expire', '{token.expiring}', '{}', NULL, NULL, NULL, '{}', '{named:principal}', '{}',
	 false, '{}', 'tokens/{record}', 'The token {prefix}… expires on {expires_on}', 'Make another one before that day.',
	 '/tokens/{record}', '/v1/tokens', '{app,email,webhook}'),
	('token.service', 'A token of a service is about to expire', '{token.expiring}', '{"kind":"service"}', NULL, NULL, NULL, '{}',
	 '{role:operator}', '{principal}', false, '{}', 'tokens/{record}', 'The token {prefix}… of the service {name} expires on {expires_on}',
	 'What uses it stops then.', '/tokens/{record}', '/v1/tokens', '{app,email,webhook}'),
	('webhook.disabled', 'A webhook of mine was switched off', '{webhook.disabled}', '{}', 'webhook.endpoint', 'id', 'record',
	 '{url,description,owner,created_by}', '{named:owner,named:created_by}', '{}', false, '{}', 'webhooks/{record}', 'A webhook was switched off: {description}',
	 '{reason}', '/webhooks/{record}', '/v1/webhooks/{record}', '{app,email}');

GRANT SELECT ON notice.kind TO bimodal_executor;
GRANT SELECT ON notice.kind, notice.setting, notice.channel, notice.notice, notice.mail TO bimodal_app;
GRANT UPDATE (read_at) ON notice.notice TO bimodal_app;
GRANT EXECUTE ON FUNCTION notice.settings_put(uuid, jsonb), notice.settings_json(uuid), notice.mail_again(uuid) TO bimodal_app;
GRANT SELECT ON webhook.endpoint, webhook.message, webhook.delivery, webhook.attempt TO bimodal_app;
GRANT INSERT, DELETE ON webhook.endpoint TO bimodal_app;
GRANT UPDATE (url, description, types, disabled_at, reason, failing_since, updated_at) ON webhook.endpoint TO bimodal_app;
GRANT INSERT, SELECT (endpoint, created_at, expires_at), UPDATE (expires_at) ON webhook.secret TO bimodal_app;
GRANT EXECUTE ON FUNCTION webhook.again(uuid, uuid), webhook.send_test(uuid) TO bimodal_app;
GRANT EXECUTE ON FUNCTION notice.make(jsonb, boolean, int), notice.due(int), notice.care(interval, int), notice.mail_gather(int),
	notice.mail_take(int, interval), notice.mail_done(uuid, int, text, text, bigint), webhook.take(int, int, interval),
	webhook.done(uuid, int, text, int, int, text, bigint, interval), webhook.care(interval, int) TO bimodal_executor;
