-- Flags: a protected one changes only by two people. What one of them asks for waits here, with the hash of what it would do; the other
-- one approves exactly that. The table of revisions itself refuses what a worker writes without it.
ALTER TABLE flag.flag ADD COLUMN protected boolean NOT NULL DEFAULT false;

CREATE TABLE flag.request (
	id uuid PRIMARY KEY DEFAULT crm.uuid_v7(),
	key text NOT NULL REFERENCES flag.flag,
	kind text NOT NULL CHECK (kind IN ('revise', 'publish', 'rollback', 'enable', 'unprotect')),
	base bigint NOT NULL REFERENCES flag.revision,
	document jsonb,
	rebucket boolean NOT NULL,
	comment text NOT NULL,
	sha256 text NOT NULL,
	author uuid NOT NULL,
	filed_at timestamptz NOT NULL DEFAULT now(),
	state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'approved', 'rejected', 'withdrawn')),
	decided_by uuid,
	decided_at timestamptz,
	note text NOT NULL DEFAULT '',
	CHECK ((document IS NULL) = (kind IN ('enable', 'unprotect'))),
	CHECK ((state = 'waiting') = (decided_by IS NULL))
);
CREATE UNIQUE INDEX request_waiting ON flag.request (key) WHERE state = 'waiting';
CREATE INDEX request_key ON flag.request (key, id);
ALTER TABLE flag.revision ADD COLUMN request uuid REFERENCES flag.request;

-- include functions/flag_protected.sql
-- include functions/flag_request.sql

CREATE TRIGGER protected BEFORE INSERT ON flag.revision FOR EACH ROW EXECUTE FUNCTION flag.revision_protected();

INSERT INTO notice.kind (name, label, ops, recipients, but_not, task, ends, subject, title, body, link, record, channels)
VALUES
	('flag.waiting', 'A change of a protected flag waits for a second person', '{flag.request}', '{right:flag.approve}', '{actor}', true,
	 '{flag.approve,flag.reject,flag.withdraw}', 'flag-requests/{request}', '{actor_name} asks to {what} the protected flag {key}',
	 '{comment}', '/flags/{key}', '/v1/flag-requests/{request}', '{app,email,webhook}'),
	('flag.approved', 'What I asked of a protected flag was approved', '{flag.approve}', '{named:author}', '{actor}', false, '{}',
	 'flag-requests/{request}', '{actor_name} approved it: {what} the flag {key}', '{note}', '/flags/{key}',
	 '/v1/flag-requests/{request}', '{app,webhook}'),
	('flag.rejected', 'What I asked of a protected flag was rejected', '{flag.reject}', '{named:author}', '{actor}', false, '{}',
	 'flag-requests/{request}', '{actor_name} rejected it: {what} the flag {key}', '{note}', '/flags/{key}',
	 '/v1/flag-requests/{request}', '{app,email,webhook}');

GRANT SELECT ON flag.request TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.request_file(uuid, text, text, text, jsonb, boolean, text, bigint),
	flag.request_approve(uuid, text, uuid, text, text), flag.request_end(uuid, text, uuid, text, text), flag.request_json(uuid),
	flag.protect(uuid, text, text) TO bimodal_app;
