-- change.approval_person(): approvals are people's. Who may make the tokens of a service would else approve his own change through it.
CREATE FUNCTION change.approval_person() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF EXISTS (SELECT FROM access.principal p WHERE p.id = NEW.principal AND p.kind = 'service') THEN
		RAISE EXCEPTION 'could not approve: a service does not approve, a person does' USING ERRCODE = 'CR005';
	END IF;
	RETURN NEW;
END $$;
