-- access.owner(name, side): the person who is named as an owner; NULL names nobody. Only who is here can answer for something, so a name
-- that is not one, or that of a leaver, is refused with the side as its place.
CREATE FUNCTION access.owner(p_name text, p_side text) RETURNS uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_id uuid;
BEGIN
	IF p_name IS NULL THEN
		RETURN NULL;
	END IF;
	SELECT p.id INTO v_id FROM access.principal p WHERE p.name = p_name AND p.kind = 'user' AND p.disabled_at IS NULL;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no active user "%"', left(p_name, 100) USING ERRCODE = 'CR422', COLUMN = p_side;
	END IF;
	RETURN v_id;
END $$;

-- access.name_of(id): what the API shows of an owner.
CREATE FUNCTION access.name_of(p_id uuid) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
BEGIN
	RETURN (SELECT p.name FROM access.principal p WHERE p.id = p_id);
END $$;
