-- crm.touch(): every update is a new version; identity and birth of a record do not change.
CREATE FUNCTION crm.touch() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.id <> OLD.id THEN
		RAISE EXCEPTION 'could not change the id of a record' USING ERRCODE = 'CR004';
	END IF;
	NEW.version := OLD.version + 1;
	NEW.created_at := OLD.created_at;
	NEW.updated_at := pg_catalog.now();
	RETURN NEW;
END $$;
