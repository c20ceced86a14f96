-- change.approval_person(): approvals are people's. Who may make the tokens of a service would else approve his own change through it;
-- and so would he through a person whose password comes from a secret that he made, until somebody else makes that person another one.
CREATE OR REPLACE FUNCTION change.approval_person() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF EXISTS (SELECT FROM access.principal p WHERE p.id = NEW.principal AND p.kind = 'service') THEN
		RAISE EXCEPTION 'could not approve: a service does not approve, a person does' USING ERRCODE = 'CR005';
	ELSIF EXISTS (SELECT FROM access.credential c JOIN change.request r ON c.given_by IN (r.author::text, r.filed_by::text)
		WHERE c.principal = NEW.principal AND r.id = NEW.request)
	THEN
		RAISE EXCEPTION 'could not approve: an author of this change made the secret that the approver''s password comes from'
			' (another operator can make a new one)' USING ERRCODE = 'CR005';
	END IF;
	RETURN NEW;
END $$;
