-- access.act(actor, request): whose write this transaction is. access.must(…): one check of a value, with its place in the body.
CREATE FUNCTION access.act(p_actor uuid, p_request text) RETURNS void
LANGUAGE sql SET search_path = '' AS $$
SELECT set_config('bimodal.actor', p_actor::text, true), set_config('bimodal.request', p_request, true)
$$;

CREATE FUNCTION access.must(p_ok boolean, p_column text, p_message text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF NOT p_ok THEN
		RAISE EXCEPTION '%', p_message USING ERRCODE = 'CR422', COLUMN = p_column;
	END IF;
END $$;
