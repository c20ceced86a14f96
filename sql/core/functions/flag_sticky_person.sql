-- flag.person_gone(): nothing is kept of a person who is not there any more; who comes back has another pseudonym.
CREATE FUNCTION flag.person_gone() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	DELETE FROM flag.sticky s WHERE s.person = OLD.pseudonym;
	RETURN NULL;
END $$;
