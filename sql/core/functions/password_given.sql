-- access.reset_use(hash, phc) -> the generation, or NULL: the secret works once. Who made it could have used it as well: that is kept
-- beside the password, and stays when the password is changed by the old one, which he could do too.
CREATE OR REPLACE FUNCTION access.reset_use(p_hash bytea, p_phc text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_principal uuid;
	v_by text;
	v_generation bigint;
BEGIN
	DELETE FROM access.password_reset r USING access.principal p WHERE r.hash = p_hash AND r.expires_at > now() AND p.id = r.principal
		AND p.disabled_at IS NULL RETURNING r.principal, r.made_by INTO v_principal, v_by;
	IF v_principal IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('bimodal.actor', v_principal::text, true);
	v_generation := access.password_set(v_principal, p_phc, NULL);
	UPDATE access.credential SET given_by = v_by WHERE principal = v_principal;
	RETURN v_generation;
END $$;
