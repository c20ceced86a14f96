-- Change 0 of the airlock: the only place that reads core's publications. It holds open columns and pseudonyms.
-- Run once by a superuser in the new database "bimodal". Makes the roles (no passwords: deploy/ sets them)
-- and takes away what PUBLIC has. Safe to run again. bimodal_apply owns the subscriptions; LOGIN is what the apply
-- workers need, and without a password no client gets in.
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT * FROM (VALUES
		('bimodal_owner', 'NOLOGIN NOINHERIT'),
		('bimodal_executor', 'LOGIN NOINHERIT REPLICATION CONNECTION LIMIT 8'),
		('bimodal_apply', 'LOGIN NOINHERIT'),
		('bimodal_hop', 'LOGIN NOINHERIT REPLICATION CONNECTION LIMIT 32')) AS v(name, attributes)
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
	EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO bimodal_executor, bimodal_hop,'
		' bimodal_apply', current_database());
	EXECUTE pg_catalog.format('GRANT CREATE ON DATABASE %I TO bimodal_owner', current_database());
	FOR r IN SELECT p.oid::regprocedure AS f FROM pg_catalog.pg_proc p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace
		AND p.proname ~ '^(lo_.*|loread|lowrite)$'
	LOOP
		EXECUTE pg_catalog.format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', r.f);
	END LOOP;
END $$;

GRANT bimodal_owner, bimodal_apply TO bimodal_executor;

REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- The hop role needs it: the subscriber's worker empties search_path with it when it connects.
REVOKE ALL ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean)
	TO bimodal_owner, bimodal_executor, bimodal_hop;

ALTER DEFAULT PRIVILEGES FOR ROLE bimodal_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE bimodal_owner REVOKE USAGE ON TYPES FROM PUBLIC;
