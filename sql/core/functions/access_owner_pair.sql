-- The owner pair: a business and a technical owner, two different people who are here. access.owner_pair() is the row trigger of every
-- table that has one. It holds the owners' rows until the end of the transaction, so that nobody leaves while he is being named.
CREATE FUNCTION access.owner_pair() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	p record;
BEGIN
	IF NEW.business_owner = NEW.technical_owner THEN
		RAISE EXCEPTION 'the business and the technical owner must be two people' USING ERRCODE = 'CR422', COLUMN = 'technical_owner';
	ELSIF (NEW.business_owner IS NULL) <> (NEW.technical_owner IS NULL) THEN
		RAISE EXCEPTION 'business and technical owner are given together' USING ERRCODE = 'CR422',
			COLUMN = CASE WHEN NEW.business_owner IS NULL THEN 'business_owner' ELSE 'technical_owner' END;
	END IF;
	FOR p IN SELECT x.side, x.id, u.id AS there, u.kind, u.disabled_at
		FROM (VALUES ('business_owner', NEW.business_owner), ('technical_owner', NEW.technical_owner)) AS x (side, id)
		LEFT JOIN LATERAL (SELECT * FROM access.principal q WHERE q.id = x.id FOR SHARE) u ON true
		WHERE x.id IS NOT NULL AND (tg_op = 'INSERT' OR x.id::text IS DISTINCT FROM (to_jsonb(OLD) ->> x.side))
		ORDER BY x.id
	LOOP
		IF p.there IS NULL OR p.kind <> 'user' OR p.disabled_at IS NOT NULL THEN
			RAISE EXCEPTION 'there is no active user %', p.id USING ERRCODE = 'CR422', COLUMN = p.side;
		END IF;
	END LOOP;
	RETURN NEW;
END $$;

-- access.own(table, resource): gives a table that has the columns business_owner and technical_owner all the rest of the pair, and lists
-- it for hand-over. For changes; the resource is the table's name in the API and in event.log.
CREATE FUNCTION access.own(p_table regclass, p_resource text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_name text := (SELECT c.relname FROM pg_catalog.pg_class c WHERE c.oid = p_table);
BEGIN
	EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I FOREIGN KEY (business_owner) REFERENCES access.principal,'
		' ADD CONSTRAINT %I FOREIGN KEY (technical_owner) REFERENCES access.principal,'
		' ADD CONSTRAINT %I CHECK ((business_owner IS NULL) = (technical_owner IS NULL) AND business_owner <> technical_owner)',
		p_table, v_name || '_business_owner_fkey', v_name || '_technical_owner_fkey', v_name || '_owner_pair');
	EXECUTE format('CREATE INDEX %I ON %s (business_owner)', v_name || '_business_owner', p_table);
	EXECUTE format('CREATE INDEX %I ON %s (technical_owner)', v_name || '_technical_owner', p_table);
	EXECUTE format('CREATE TRIGGER owner_pair BEFORE INSERT OR UPDATE OF business_owner, technical_owner ON %s'
		' FOR EACH ROW EXECUTE FUNCTION access.owner_pair()', p_table);
	INSERT INTO access.owned (relation, resource) VALUES (p_table::text, p_resource);
END $$;

-- access.owned_all(): what is listed, and every resource of the registry that has a text field "owner" with a name in it.
CREATE FUNCTION access.owned_all() RETURNS SETOF access.owned
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT * FROM access.owned
UNION ALL
SELECT 'crm.' || r.table_name, r.name, 'id', 'owner', NULL, 'name', 'owner IS NOT NULL', true
FROM change.resource r JOIN change.field f ON f.resource = r.name AND f.name = 'owner' AND f.kind = 'text'
$$;
