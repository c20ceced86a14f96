-- access.operator_stays(column of the principal): somebody must stay who can administer. Fires when an operator is disabled or loses
-- the role, by whatever way.
CREATE FUNCTION access.operator_stays() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_who uuid := (to_jsonb(OLD) ->> tg_argv[0])::uuid;
BEGIN
	PERFORM FROM access.state FOR UPDATE;
	IF tg_table_name = 'principal' AND NOT EXISTS (SELECT FROM access.role_grant g WHERE g.principal = v_who AND g.role = 'operator')
		-- The rows of a principal that is deleted go with it.
		OR tg_table_name = 'role_grant' AND NOT EXISTS (SELECT FROM access.principal p WHERE p.id = v_who AND p.disabled_at IS NULL
			AND p.kind = 'user')
	THEN
		RETURN NULL;
	END IF;
	IF NOT EXISTS (SELECT FROM access.role_grant g JOIN access.principal p ON p.id = g.principal
		WHERE g.role = 'operator' AND p.kind = 'user' AND p.disabled_at IS NULL)
	THEN
		RAISE EXCEPTION 'this is the last active operator: make another one first' USING ERRCODE = 'CR409';
	END IF;
	RETURN NULL;
END $$;
