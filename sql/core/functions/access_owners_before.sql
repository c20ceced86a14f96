-- access.owners_before(business, technical, maker, is over): the pair for a record of before 0019, whose owners were any two texts. A text
-- that is a person's name is that person, once the record is over a leaver too. Else: the maker of the record, an operator, anybody who is
-- here, in this order, the oldest first; never one person twice. The texts themselves stay in the event log.
CREATE FUNCTION access.owners_before(p_business text, p_technical text, p_maker uuid, p_over boolean) RETURNS uuid[]
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
	v_pair uuid[] := '{}';
	v_named uuid[] := ARRAY(SELECT (SELECT p.id FROM access.principal p WHERE p.name = x.name AND p.kind = 'user'
		AND (p_over OR p.disabled_at IS NULL)) FROM unnest(ARRAY[p_business, p_technical]) WITH ORDINALITY x (name, place)
		ORDER BY x.place);
	v_one uuid;
BEGIN
	FOR i IN 1 .. 2 LOOP
		SELECT p.id INTO v_one FROM access.principal p
			WHERE p.kind = 'user' AND p.id <> ALL (v_pair) AND (i = 2 OR p.id IS DISTINCT FROM v_named[2] OR v_named[1] = v_named[2])
			ORDER BY coalesce(p.id = v_named[i], false) DESC, p.disabled_at IS NULL DESC, coalesce(p.id = p_maker, false) DESC,
				EXISTS (SELECT FROM access.role_grant g WHERE g.principal = p.id AND g.role = 'operator') DESC, p.created_at, p.name
			LIMIT 1;
		IF v_one IS NULL THEN
			RAISE EXCEPTION 'flags and changes need a business and a technical owner: make two users first' USING ERRCODE = 'CR409';
		END IF;
		v_pair := v_pair || v_one;
	END LOOP;
	RETURN v_pair;
END $$;
