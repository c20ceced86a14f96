-- lab.keep_frozen(): the rule of an experiment is what it was when it was frozen; start and planned end are set once.
CREATE FUNCTION lab.keep_frozen() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF (NEW.slug, NEW.flag_key, NEW.frozen, NEW.frozen_sha256, NEW.planned_units, NEW.runs)
		IS DISTINCT FROM (OLD.slug, OLD.flag_key, OLD.frozen, OLD.frozen_sha256, OLD.planned_units, OLD.runs)
		OR (OLD.started_at IS NOT NULL AND (NEW.started_at, NEW.planned_end) IS DISTINCT FROM (OLD.started_at, OLD.planned_end))
	THEN
		RAISE EXCEPTION 'the rule of experiment % is frozen', OLD.slug USING ERRCODE = 'CR004';
	END IF;
	RETURN NEW;
END $$;
