-- crm.person_link(): a child row takes pseudonym and lab_ok from its person and never keeps other values.
-- FOR KEY SHARE waits for a transaction that is changing lab_ok (a column of a unique index, so that change
-- locks the row in full) and makes it wait for this one: no child slips past a withdrawal.
CREATE FUNCTION crm.person_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF NEW.person_id IS NOT NULL THEN
		SELECT pseudonym, lab_ok INTO NEW.person_pseudonym, NEW.lab_ok
			FROM crm.person WHERE id = NEW.person_id FOR KEY SHARE;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'could not find the person %', NEW.person_id
				USING ERRCODE = '23503', COLUMN = 'person_id', SCHEMA = 'crm',
				TABLE = tg_table_name;
		END IF;
	ELSE
		NEW.person_pseudonym := NULL;
		-- A row whose person was deleted stays hidden if it was; it must not come back unlinked.
		-- A restore gives the value that the row had; an ordinary INSERT gives none.
		NEW.lab_ok := CASE WHEN tg_op = 'INSERT' THEN coalesce(NEW.lab_ok, true) ELSE OLD.lab_ok END;
	END IF;
	RETURN NEW;
END $$;
