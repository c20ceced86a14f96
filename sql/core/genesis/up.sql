-- Change 0 of core. Run once by a superuser in the new database "bimodal". Makes the roles (no passwords: deploy/
-- sets them), takes away what PUBLIC has, and puts the DDL guard in place. Safe to run again. The SHA-256 of this file is
-- the genesis of the ledger: who runs it sets it with ALTER DATABASE bimodal SET bimodal.genesis = '<hex>'.
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES
		('bimodal_owner', 'NOLOGIN NOINHERIT'),
		('bimodal_executor', 'LOGIN NOINHERIT CREATEROLE REPLICATION CONNECTION LIMIT 16'),
		('bimodal_app', 'LOGIN NOINHERIT'),
		('bimodal_feed', 'LOGIN NOINHERIT REPLICATION CONNECTION LIMIT 32'),
		('bimodal_feature', 'NOLOGIN NOINHERIT')) AS v(name, attributes)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = r.name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I %s', r.name, r.attributes);
		ELSE
			EXECUTE pg_catalog.format('ALTER ROLE %I %s', r.name, r.attributes);
		END IF;
		EXECUTE pg_catalog.format('ALTER ROLE %I SET jit = off', r.name);
		EXECUTE pg_catalog.format('ALTER ROLE %I SET timezone = ''UTC''', r.name);
		EXECUTE pg_catalog.format('ALTER ROLE %I SET search_path = ''''', r.name);
	END LOOP;
	EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
	EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO bimodal_executor, bimodal_app,'
		' bimodal_feed, bimodal_feature', current_database());
	EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO bimodal_owner, bimodal_executor',
		current_database());
	-- Large objects have no grants of their own to hold the app role back: the functions go.
	FOR r IN SELECT p.oid::regprocedure AS f FROM pg_catalog.pg_proc p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace
		AND p.proname ~ '^(lo_.*|loread|lowrite)$'
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', r.f);
	END LOOP;
END $$;

GRANT bimodal_owner TO bimodal_executor;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- A feature's query must not be able to change settings. The feed role needs it: the subscriber's
-- worker empties search_path with it when it connects.
REVOKE ALL ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean)
	TO bimodal_owner, bimodal_executor, bimodal_app, bimodal_feed;

ALTER DEFAULT PRIVILEGES FOR ROLE bimodal_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE bimodal_owner REVOKE USAGE ON TYPES FROM PUBLIC;

-- The guard reads only: a ddl_command_start trigger that writes breaks DROP INDEX CONCURRENTLY.
CREATE SCHEMA IF NOT EXISTS guard;

CREATE OR REPLACE FUNCTION guard.ddl() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF (session_user = 'bimodal_executor'
		OR (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = session_user))
		AND coalesce(pg_catalog.current_setting('bimodal.change', true), '') <> ''
	THEN
		RETURN;
	END IF;
	RAISE EXCEPTION 'could not run %: the schema changes only through an approved change', tg_tag
		USING ERRCODE = 'CR003';
END $$;

DROP EVENT TRIGGER IF EXISTS bimodal_guard;
CREATE EVENT TRIGGER bimodal_guard ON ddl_command_start EXECUTE FUNCTION guard.ddl();
