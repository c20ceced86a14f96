-- Sign-in by OpenID Connect: who is who at the provider, which roles came by its groups, and which flows were used. The app role writes
-- none of it by hand.
CREATE TABLE access.identity (
	issuer text NOT NULL CHECK (length(issuer) <= 500),
	subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (issuer, subject),
	UNIQUE (principal, issuer)
);

-- A flow is good for one return; rows go when it would be over anyway.
CREATE TABLE access.oidc_flow (
	hash bytea PRIMARY KEY CHECK (length(hash) = 32),
	ends_at timestamptz NOT NULL
);
CREATE INDEX oidc_flow_ends ON access.oidc_flow (ends_at);

-- by_group: given and taken by the groups of the provider at each sign-in. False: by hand, and only by hand.
ALTER TABLE access.role_grant ADD COLUMN by_group boolean NOT NULL DEFAULT false;

ALTER TABLE access.session DROP CONSTRAINT session_method_check;
ALTER TABLE access.session ADD CONSTRAINT session_method_check CHECK (method IN ('password', 'oidc'));

DROP FUNCTION access.session_begin(uuid, uuid, bytea, text, text, text, interval, interval, bytea, text, text);
-- include functions/session_open.sql
-- include functions/oidc_enter.sql
-- include functions/oidc_begin.sql
-- include functions/identity_forget.sql

CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON access.identity
	FOR EACH ROW EXECUTE FUNCTION access.record('users', 'principal', 'identity.');

GRANT SELECT ON access.identity TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION
	access.session_begin(uuid, uuid, bytea, text, text, text, interval, interval, bytea, text, text),
	access.oidc_enter(bytea, interval, text),
	access.oidc_refuse(text, text, text, int, interval),
	access.oidc_begin(text, text, text, boolean, text, text, text[], boolean, uuid, uuid, bytea, text, text, interval, interval, bytea),
	access.identity_forget(uuid, text, uuid) TO bimodal_app;
