-- A new revision becomes the flag's current one; every change of a flag raises the generation and tells
-- the workers once a transaction has committed.
CREATE FUNCTION flag.revised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE flag.flag SET revision = NEW.revision WHERE key = NEW.key;
	RETURN NULL;
END $$;

CREATE FUNCTION flag.changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v bigint;
BEGIN
	UPDATE flag.state SET generation = generation + 1 RETURNING generation INTO v;
	PERFORM pg_notify('bimodal_generation', 'flag ' || v);
	RETURN NULL;
END $$;
