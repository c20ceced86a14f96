-- access.session_ended(): with a session end the tokens it was exchanged for. Their own trigger raises the generation, which makes every
-- worker forget what it remembers of the session.
CREATE FUNCTION access.session_ended() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE access.token SET revoked_at = now() WHERE session = NEW.id AND revoked_at IS NULL;
	RETURN NULL;
END $$;

-- access.session_end(session or NULL: all of, principal or NULL: of whoever, but this one or NULL, may end those of others, op) -> how
-- many live ones were ended, and the generation that workers must reach to know. The actor is that of the transaction.
CREATE FUNCTION access.session_end(p_session uuid, p_principal uuid, p_but uuid, p_others boolean, p_op text,
	OUT ended int, OUT generation bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_actor text := current_setting('bimodal.actor', true);
	r record;
BEGIN
	ended := 0;
	FOR r IN UPDATE access.session s SET revoked_at = now()
		WHERE (s.id = p_session OR p_session IS NULL AND s.principal = p_principal) AND s.id IS DISTINCT FROM p_but
			AND (p_others OR s.principal::text = v_actor) AND s.revoked_at IS NULL AND s.expires_at > now()
		RETURNING s.id, s.principal
	LOOP
		PERFORM event.note('sessions', r.id, p_op, jsonb_build_object('principal', r.principal));
		ended := ended + 1;
	END LOOP;
	SELECT s.generation INTO generation FROM access.state s;
END $$;
