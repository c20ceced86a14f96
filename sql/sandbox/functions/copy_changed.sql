-- The sandbox's workers are told as core's are: a new flag generation arrives with its rows in one transaction;
-- tokens have no generation in the feed, so the sandbox counts its own.
CREATE FUNCTION flag.arrived() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	PERFORM pg_notify('bimodal_generation', 'flag ' || NEW.generation);
	RETURN NULL;
END $$;

CREATE FUNCTION access.arrived() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v bigint;
BEGIN
	UPDATE access.state SET generation = generation + 1 RETURNING generation INTO v;
	PERFORM pg_notify('bimodal_generation', 'access ' || v);
	RETURN NULL;
END $$;
