-- Sign-in: passwords (argon2id, as PHC strings), console sessions, one-time secrets that set a password, and the delays that slow
-- guessing down. Only hashes of secrets are here. The app role writes none of it by hand: the functions below are the only way, and
-- each leaves its row in event.log.
CREATE TABLE access.credential (
	principal uuid PRIMARY KEY REFERENCES access.principal ON DELETE CASCADE,
	phc text NOT NULL CHECK (length(phc) <= 300
		AND phc ~ '^[$]argon2id[$]v=19[$]m=[0-9]{1,7},t=[0-9]{1,3},p=1[$][A-Za-z0-9+/]+[$][A-Za-z0-9+/]+$'),
	set_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE access.password_reset (
	principal uuid PRIMARY KEY REFERENCES access.principal ON DELETE CASCADE,
	hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
	made_by text NOT NULL,
	expires_at timestamptz NOT NULL
);

-- `idle`: so long without a request, and it ends. Rows stay 30 days after their end: who signed in from an address before is not held
-- up by what strangers do to his account.
CREATE TABLE access.session (
	id uuid PRIMARY KEY,
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	hash bytea NOT NULL UNIQUE CHECK (length(hash) = 32),
	method text NOT NULL CHECK (method IN ('password')),
	address text NOT NULL CHECK (length(address) <= 64),
	agent text NOT NULL CHECK (agent ~ '^[^[:cntrl:]]{0,200}$'),
	created_at timestamptz NOT NULL DEFAULT now(),
	last_seen_at timestamptz NOT NULL DEFAULT now(),
	idle interval NOT NULL,
	expires_at timestamptz NOT NULL,
	revoked_at timestamptz
);
CREATE INDEX session_principal ON access.session (principal, created_at);
CREATE INDEX session_expires ON access.session (expires_at);

-- One row an account or client address that failed lately; the key is a hash, so that a mistyped password in the place of a login is
-- not kept.
CREATE TABLE access.lockout (
	kind text NOT NULL CHECK (kind IN ('account', 'address')),
	key bytea NOT NULL CHECK (length(key) = 32),
	failures int NOT NULL,
	last_at timestamptz NOT NULL,
	locked_until timestamptz NOT NULL,
	PRIMARY KEY (kind, key)
);
CREATE INDEX lockout_last ON access.lockout (last_at);

-- A token of the sandbox that a console session was exchanged for. No foreign key: sessions are cleaned away later than their tokens.
ALTER TABLE access.token ADD COLUMN session uuid;
CREATE INDEX token_session ON access.token (session) WHERE session IS NOT NULL;

-- include functions/session_lockout.sql
-- include functions/session_enter.sql
-- include functions/session_begin.sql
-- include functions/session_end.sql
-- include functions/session_token.sql
-- include functions/session_care.sql
-- include functions/password.sql

CREATE TRIGGER ended AFTER UPDATE OF revoked_at ON access.session
	FOR EACH ROW WHEN (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION access.session_ended();

INSERT INTO access.ending (relation, resource) VALUES ('access.session', 'sessions');

GRANT SELECT ON access.session TO bimodal_app, bimodal_executor;
GRANT UPDATE (last_seen_at) ON access.session TO bimodal_app;
GRANT EXECUTE ON FUNCTION
	access.session_enter(text, text, int, interval),
	access.session_refuse(text, uuid, text, int, interval),
	access.session_begin(uuid, uuid, bytea, text, text, text, interval, interval, bytea, text, text),
	access.session_end(uuid, uuid, uuid, boolean, text),
	access.session_token(uuid, uuid, uuid, bytea, text, interval),
	access.password_of(uuid),
	access.password_set(uuid, text, uuid),
	access.reset_make(uuid, bytea, interval),
	access.reset_look(bytea),
	access.reset_use(bytea, text) TO bimodal_app;
GRANT EXECUTE ON FUNCTION access.session_care(), access.admin_make(uuid, text, bytea, interval, boolean) TO bimodal_executor;
