-- crm.person_resolve(pseudonym, reason, owners): the person behind a pseudonym, or NULL. Every look leaves a row in the log, also one
-- that finds nobody; the pseudonym itself is secret and stays out of it. With owners only their people are found.
CREATE FUNCTION crm.person_resolve(p_pseudonym uuid, p_reason text, p_owners text[]) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_id uuid;
BEGIN
	SELECT p.id INTO v_id FROM crm.person p
	 WHERE p.pseudonym = p_pseudonym AND (p_owners IS NULL OR p.owner = ANY (p_owners));
	PERFORM event.note('people', v_id, 'people.resolve', jsonb_build_object('reason', p_reason, 'found', v_id IS NOT NULL));
	RETURN v_id;
END $$;
REVOKE ALL ON FUNCTION crm.person_resolve(uuid, text, text[]) FROM PUBLIC;
