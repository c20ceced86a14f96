-- access.identity_forget(actor, request, principal) -> how many: whom the provider says this is. His next sign-in goes by the login again,
-- as after an account was made anew at the provider.
CREATE FUNCTION access.identity_forget(p_actor uuid, p_request text, p_principal uuid) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v int;
BEGIN
	PERFORM access.act(p_actor, p_request);
	DELETE FROM access.identity i WHERE i.principal = p_principal;
	GET DIAGNOSTICS v = ROW_COUNT;
	RETURN v;
END $$;
