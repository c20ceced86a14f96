-- People and teams: who is behind a principal, teams with members, who owns what, tokens narrowed by scopes. The app role loses its
-- writes here: the functions of schema access are the only way, and each of them keeps its law (a team is never below itself, the last
-- operator stays, nobody raises himself, nothing is left without an owner).
ALTER TABLE access.principal ADD COLUMN email text
	CHECK (email ~ '^[^@[:space:][:cntrl:]]{1,64}@[^@[:space:][:cntrl:]]{1,190}$');
ALTER TABLE access.principal ADD COLUMN display_name text CHECK (display_name ~ '^[^[:cntrl:]]{1,200}$');
ALTER TABLE access.principal ADD COLUMN locale text CHECK (locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$');
ALTER TABLE access.principal ADD COLUMN business_owner uuid;
ALTER TABLE access.principal ADD COLUMN technical_owner uuid;
ALTER TABLE access.principal ADD COLUMN version int NOT NULL DEFAULT 1;
ALTER TABLE access.principal ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE access.principal ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE access.principal ADD CONSTRAINT principal_person CHECK (kind = 'user' OR (email IS NULL AND locale IS NULL));
ALTER TABLE access.principal ADD CONSTRAINT principal_owned CHECK (kind = 'service' OR business_owner IS NULL);
CREATE UNIQUE INDEX principal_email_key ON access.principal (lower(email));

CREATE TABLE access.team (
	id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
	name text NOT NULL CHECK (name ~ '^[^[:cntrl:]]{1,200}$'),
	slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
	parent uuid REFERENCES access.team,
	version int NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	updated_at timestamptz NOT NULL DEFAULT now(),
	archived_at timestamptz
);
CREATE INDEX team_parent ON access.team (parent);

CREATE TABLE access.membership (
	principal uuid NOT NULL REFERENCES access.principal ON DELETE CASCADE,
	team uuid NOT NULL REFERENCES access.team,
	is_lead boolean NOT NULL DEFAULT false,
	since timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (principal, team)
);
CREATE INDEX membership_team ON access.membership (team, principal);

-- NULL: all that the principal's roles give. Else only what a pattern names: "people.read", "people.*", "*.read".
ALTER TABLE access.token ADD COLUMN scopes text[] CHECK (cardinality(scopes) BETWEEN 1 AND 32
	AND array_to_string(scopes, ',', '?') ~ '^([a-z][a-z0-9_]{0,62}|[*])[.]([a-z][a-z0-9_]{0,62}|[*])(,([a-z][a-z0-9_]{0,62}|[*])[.]([a-z][a-z0-9_]{0,62}|[*]))*$'
	AND length(array_to_string(scopes, ',')) <= 1000);
ALTER TABLE access.token ADD COLUMN label text NOT NULL DEFAULT '' CHECK (label ~ '^[^[:cntrl:]]{0,200}$');
ALTER TABLE access.token ADD COLUMN created_by uuid REFERENCES access.principal ON DELETE SET NULL;
ALTER TABLE access.token ADD COLUMN replaced_by uuid REFERENCES access.token ON DELETE SET NULL;
CREATE INDEX token_created_by ON access.token (created_by);
CREATE INDEX token_replaced_by ON access.token (replaced_by);
ALTER TABLE access.token_published ADD COLUMN scopes text[];

-- What is owned, and where its owners stand: hand-over finds everything here. The convention for a new table: columns business_owner
-- and technical_owner uuid (NOT NULL), then SELECT access.own(table, resource). A table with one owner alone (a saved view) or with
-- names in place of ids is listed by an INSERT of its own. `live` is a condition over the row: what is over keeps its owner.
-- `recorded`: the table's own trigger writes event.log; else hand-over does.
CREATE TABLE access.owned (
	relation text PRIMARY KEY CHECK (relation ~ '^[a-z_]+[.][a-z_0-9]+$'),
	resource text NOT NULL,
	key text NOT NULL DEFAULT 'id',
	business text NOT NULL DEFAULT 'business_owner',
	technical text DEFAULT 'technical_owner',
	holds text NOT NULL DEFAULT 'id' CHECK (holds IN ('id', 'name')),
	live text NOT NULL DEFAULT 'true',
	recorded boolean NOT NULL DEFAULT true
);

-- What ends with its person: hand-over sets the column `ended` to now() where it is still NULL.
CREATE TABLE access.ending (
	relation text PRIMARY KEY CHECK (relation ~ '^[a-z_]+[.][a-z_0-9]+$'),
	resource text NOT NULL,
	principal text NOT NULL DEFAULT 'principal',
	ended text NOT NULL DEFAULT 'revoked_at'
);

DROP FUNCTION access.snapshot();
DROP FUNCTION access.changed() CASCADE;
DROP FUNCTION change.publish_sql();
-- include functions/access_snapshot_scopes.sql
-- include functions/access_changed_scopes.sql
-- include functions/publish_sql_scopes.sql
-- include functions/access_record.sql
-- include functions/access_owner_pair.sql
-- include functions/access_team_place.sql
-- include functions/access_operator_stays.sql
-- include functions/access_must.sql
-- include functions/access_user.sql
-- include functions/access_team.sql
-- include functions/access_token.sql
-- include functions/access_hand_over.sql
-- include functions/approval_person.sql

CREATE TRIGGER changed AFTER INSERT OR UPDATE OF name, kind, disabled_at OR DELETE OR TRUNCATE ON access.principal
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON access.role_grant
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();
-- last_used_at is written in batches and changes nobody's rights.
CREATE TRIGGER changed AFTER INSERT OR DELETE OR TRUNCATE
	OR UPDATE OF principal, audience, hash, expires_at, revoked_at, scopes ON access.token
	FOR EACH STATEMENT EXECUTE FUNCTION access.changed();

CREATE TRIGGER touch BEFORE UPDATE ON access.principal FOR EACH ROW EXECUTE FUNCTION access.touch();
CREATE TRIGGER touch BEFORE UPDATE ON access.team FOR EACH ROW EXECUTE FUNCTION access.touch();
CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON access.principal
	FOR EACH ROW EXECUTE FUNCTION access.record('users', 'id', '');
CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON access.role_grant
	FOR EACH ROW EXECUTE FUNCTION access.record('users', 'principal', 'role.');
CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON access.team
	FOR EACH ROW EXECUTE FUNCTION access.record('teams', 'id', '');
CREATE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON access.membership
	FOR EACH ROW EXECUTE FUNCTION access.record('teams', 'team', 'member.');
CREATE TRIGGER record AFTER INSERT OR DELETE
	OR UPDATE OF principal, audience, hash, expires_at, revoked_at, scopes, label, replaced_by ON access.token
	FOR EACH ROW EXECUTE FUNCTION access.record('tokens', 'id', '', 'hash', 'last_used_at');
CREATE TRIGGER place BEFORE INSERT OR UPDATE OF parent, archived_at ON access.team
	FOR EACH ROW EXECUTE FUNCTION access.team_place();
CREATE TRIGGER operator_stays AFTER UPDATE OF disabled_at, kind ON access.principal
	FOR EACH ROW WHEN (NEW.disabled_at IS NOT NULL AND OLD.disabled_at IS NULL OR NEW.kind <> OLD.kind)
	EXECUTE FUNCTION access.operator_stays('id');
CREATE TRIGGER operator_stays AFTER DELETE ON access.role_grant
	FOR EACH ROW WHEN (OLD.role = 'operator') EXECUTE FUNCTION access.operator_stays('principal');

CREATE TRIGGER person BEFORE INSERT OR UPDATE OF principal ON change.approval
	FOR EACH ROW EXECUTE FUNCTION change.approval_person();

SELECT access.own('access.principal', 'users');
INSERT INTO access.owned (relation, resource, key, holds, live, recorded) VALUES
	('flag.flag', 'flags', 'key', 'name', 'archived_at IS NULL', false),
	('change.request', 'changes', 'number', 'name', $$state IN ('draft', 'checked', 'rehearsed', 'approved', 'failed')$$, false);
INSERT INTO access.ending (relation, resource) VALUES ('access.token', 'tokens');

-- The copies are asked for by the owner's name when somebody leaves.
CREATE INDEX organization_owner ON crm.organization (owner) WHERE owner IS NOT NULL;
CREATE INDEX person_owner ON crm.person (owner) WHERE owner IS NOT NULL;
CREATE INDEX opportunity_owner ON crm.opportunity (owner) WHERE owner IS NOT NULL;
CREATE INDEX support_case_owner ON crm.support_case (owner) WHERE owner IS NOT NULL;

SELECT change.publish();

REVOKE INSERT, UPDATE ON access.principal, access.token FROM bimodal_app;
REVOKE INSERT, DELETE ON access.role_grant FROM bimodal_app;
GRANT UPDATE (last_used_at) ON access.token TO bimodal_app;
GRANT SELECT ON access.team, access.membership, access.owned, access.ending TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION access.snapshot() TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION access.user_json(uuid, boolean), access.team_json(uuid), access.token_json(uuid),
	access.user_create(uuid, text, uuid, jsonb, text[]),
	access.user_change(uuid, text, uuid, bigint, jsonb),
	access.user_able(uuid, text, uuid, boolean),
	access.user_roles(uuid, text, uuid, text[], text[]),
	access.team_create(uuid, text, uuid, jsonb),
	access.team_change(uuid, text, uuid, bigint, jsonb, boolean),
	access.team_member(uuid, text, uuid, uuid, boolean),
	access.token_create(uuid, text, uuid, uuid, text, text, text, text, text[], timestamptz),
	access.token_rotate(uuid, text, uuid, uuid, text, text, int, timestamptz, timestamptz),
	access.token_revoke(uuid, text, uuid, boolean),
	access.hand_over(uuid, text, uuid, uuid, text, boolean) TO bimodal_app;
GRANT EXECUTE ON FUNCTION change.publish_sql() TO bimodal_executor;
