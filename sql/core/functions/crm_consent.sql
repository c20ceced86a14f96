-- Consent to analysis decides lab_ok of the person, and lab_ok of the person that of every row about them, all
-- in the transaction of the consent itself and under its actor.
CREATE FUNCTION crm.consent_fixed() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	RAISE EXCEPTION 'could not change the person or the purpose of a consent: make another one'
		USING ERRCODE = 'CR422', COLUMN = CASE WHEN NEW.purpose <> OLD.purpose THEN 'purpose' ELSE 'person_id' END;
END $$;

-- Runs after the links to the person were made. The consent that decides lab_ok has its new value from the start: were it
-- left to the cascade, the row would be written twice and its writer told a version that is no longer the last.
CREATE FUNCTION crm.consent_own() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	NEW.lab_ok := (NEW.state = 'granted');
	RETURN NEW;
END $$;

CREATE FUNCTION crm.consent_analysis() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE crm.person SET lab_ok = (NEW.state = 'granted')
		WHERE id = NEW.person_id AND lab_ok <> (NEW.state = 'granted');
	RETURN NULL;
END $$;

-- The tables are those the registry says are about a person.
CREATE FUNCTION crm.person_relink() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT table_name, person_field FROM change.resource
		WHERE person_field <> 'id' ORDER BY position
	LOOP
		EXECUTE format('UPDATE crm.%I SET lab_ok = $1, person_pseudonym = $2 WHERE %I = $3'
			' AND (lab_ok, person_pseudonym) IS DISTINCT FROM ($1, $2)', r.table_name, r.person_field) USING NEW.lab_ok, NEW.pseudonym, NEW.id;
	END LOOP;
	RETURN NULL;
END $$;
