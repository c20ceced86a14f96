-- change.feed_empty(publication): empties the copies of its tables before they are copied anew. Runs as the subscriptions' owner, who
-- may. Waiting for a reader holds up all later readers, so it gives up soon and is tried again.
CREATE FUNCTION change.feed_empty(p_publication text) RETURNS void
LANGUAGE plpgsql SET search_path = '' SET lock_timeout = '2s' AS $$
DECLARE
	v text;
BEGIN
	IF p_publication = 'bimodal_registry' THEN
		TRUNCATE change.resource, change.field, change.ledger, access.token_published, flag.flag, flag.revision, flag.state;
	ELSIF p_publication = 'bimodal_crm' THEN
		SELECT string_agg(format('crm.%I', c.relname), ', ') INTO v FROM pg_catalog.pg_class c
			WHERE c.relnamespace = 'crm'::pg_catalog.regnamespace AND c.relkind = 'r';
		EXECUTE 'TRUNCATE ' || v;
	ELSE
		RAISE EXCEPTION 'there is no publication %', p_publication USING ERRCODE = '22023';
	END IF;
END $$;
