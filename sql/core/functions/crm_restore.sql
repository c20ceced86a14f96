-- crm.restore(resource, record) -> {"status", "version", "record", "restored", "linked", "detail"}: puts a deleted record back as the log
-- has it, with what its deletion took along (foreign keys ON DELETE CASCADE) and what it cut loose (ON DELETE SET NULL), which are the
-- rows of the same transaction. Ids stay, versions go on. Status 404, 409 or 410 and nothing is written. The caller's rights and the
-- actor are those of the statement. Secret fields are in no image: a person gets a new pseudonym, so the copies meet a stranger, and
-- lab_ok is what it was, so that who had withdrawn stays away from them.
CREATE FUNCTION crm.restore(p_resource text, p_record uuid) RETURNS jsonb
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_last event.log;
	v_gone event.log[];
	v_table text := (SELECT table_name FROM change.resource WHERE name = p_resource);
	v_detail jsonb;
	v_row jsonb;
	v_done jsonb := '{}';
	v_linked jsonb := '{}';
	v_n bigint;
	r record;
BEGIN
	SELECT * INTO v_last FROM event.log WHERE record_id = p_record AND resource = p_resource
		AND op IN ('create', 'update', 'delete') ORDER BY seq DESC LIMIT 1;
	IF NOT FOUND THEN
		RETURN jsonb_build_object('status', 404);
	ELSIF v_last.salt IS NULL OR EXISTS (SELECT FROM event.log WHERE record_id = p_record AND resource = p_resource
		AND op = 'erase')
	THEN
		RETURN jsonb_build_object('status', 410);
	ELSIF v_last.op <> 'delete' THEN
		RETURN jsonb_build_object('status', 409);
	END IF;

	WITH RECURSIVE fk AS (
		SELECT p.name AS parent, c.name AS child, a.attname
		FROM pg_constraint k
		JOIN change.resource p ON k.confrelid = to_regclass('crm.' || p.table_name)
		JOIN change.resource c ON k.conrelid = to_regclass('crm.' || c.table_name)
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
		WHERE k.contype = 'f' AND k.confdeltype = 'c' AND cardinality(k.conkey) = 1
	), gone AS (
		SELECT v_last.seq AS seq, p_resource AS resource, p_record AS id
		UNION
		SELECT l.seq, l.resource, l.record_id FROM gone g JOIN fk ON fk.parent = g.resource
		JOIN event.log l ON l.xid = v_last.xid AND l.resource = fk.child AND l.op = 'delete' AND l.salt IS NOT NULL
			AND l.before ->> fk.attname = g.id::text
	)
	SELECT array_agg(l) INTO v_gone FROM gone g JOIN event.log l ON l.xid = v_last.xid AND l.seq = g.seq;

	v_detail := crm.restore_conflicts(v_gone);
	IF v_detail IS NULL AND p_resource = 'consents' AND v_last.before ->> 'purpose' = 'analysis'
		AND v_last.before ->> 'state' = 'granted' AND EXISTS (SELECT FROM crm.person p
		WHERE p.id = (v_last.before ->> 'person_id')::uuid AND NOT p.lab_ok FOR KEY SHARE)
	THEN
		v_detail := '[{"resource":"consents","field":"state","why":"withdrawn since"}]';
	END IF;
	IF v_detail IS NOT NULL THEN
		RETURN jsonb_build_object('status', 409, 'detail', v_detail);
	END IF;

	-- What others refer to comes first; the order of the registry is that of the references.
	FOR r IN SELECT c.name, c.table_name FROM change.resource c
		WHERE EXISTS (SELECT FROM unnest(v_gone) g WHERE g.resource = c.name)
		ORDER BY c.name <> p_resource, c.position
	LOOP
		EXECUTE (SELECT format('INSERT INTO crm.%I (%s) SELECT %s FROM unnest($1) g, jsonb_populate_record(NULL::crm.%I,'
			' g.before || jsonb_build_object(''version'', g.version + 1, ''updated_at'', now())) n'
			' WHERE g.resource = $2', r.table_name, string_agg(quote_ident(f.name), ', ' ORDER BY f.position),
			string_agg(CASE WHEN a.attnotnull AND d.oid IS NOT NULL THEN format('coalesce(n.%I, %s)', f.name,
				pg_get_expr(d.adbin, d.adrelid)) ELSE format('n.%I', f.name) END, ', ' ORDER BY f.position),
			r.table_name)
			FROM change.field f JOIN pg_attribute a ON a.attrelid = to_regclass('crm.' || r.table_name)
				AND a.attname = f.name AND NOT a.attisdropped
			LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
			WHERE f.resource = r.name AND f.class <> 'secret') USING v_gone, r.name;
		GET DIAGNOSTICS v_n = ROW_COUNT;
		v_done := v_done || jsonb_build_object(r.name, v_n);
	END LOOP;

	FOR r IN SELECT c.name, c.table_name, a.attname
		FROM pg_constraint k JOIN change.resource c ON k.conrelid = to_regclass('crm.' || c.table_name)
		JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
		WHERE k.contype = 'f' AND k.confdeltype = 'n' AND cardinality(k.conkey) = 1
			AND k.confrelid = to_regclass('crm.' || v_table)
		ORDER BY c.position
	LOOP
		EXECUTE format('UPDATE crm.%I t SET %I = $1 WHERE t.%I IS NULL AND t.id IN (SELECT l.record_id FROM event.log l'
			' WHERE l.xid = $2 AND l.resource = $3 AND l.op = ''update'' AND l.before ->> %L = $1::text'
			' AND l.after ->> %L IS NULL)', r.table_name, r.attname, r.attname, r.attname, r.attname)
			USING p_record, v_last.xid, r.name;
		GET DIAGNOSTICS v_n = ROW_COUNT;
		IF v_n > 0 THEN
			v_linked := v_linked || jsonb_build_object(r.name, v_n);
		END IF;
	END LOOP;

	EXECUTE format('SELECT to_jsonb(t) FROM crm.%I t WHERE t.id = $1', v_table) INTO v_row USING p_record;
	RETURN jsonb_build_object('status', 200, 'version', v_row -> 'version', 'record', v_row, 'restored', v_done,
		'linked', v_linked);
END $$;

-- crm.restore_conflicts(images) -> why they cannot come back: references to what is neither there nor coming back too, and unique values
-- that another record has taken since; NULL if nothing is in the way.
CREATE FUNCTION crm.restore_conflicts(p_gone event.log[]) RETURNS jsonb
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_all jsonb := '[]';
	v_found boolean;
	r record;
	f record;
BEGIN
	FOR r IN SELECT c.name, c.table_name FROM change.resource c
		WHERE EXISTS (SELECT FROM unnest(p_gone) g WHERE g.resource = c.name) ORDER BY c.position
	LOOP
		FOR f IN SELECT x.name, x.reference, t.table_name FROM change.field x JOIN change.resource t ON t.name = x.reference
			WHERE x.resource = r.name AND x.kind = 'uuid' AND x.class <> 'secret' ORDER BY x.position
		LOOP
			EXECUTE format('SELECT EXISTS (SELECT FROM unnest($1) g WHERE g.resource = $2 AND g.before ->> %L IS NOT NULL'
				' AND NOT EXISTS (SELECT FROM crm.%I x WHERE x.id = (g.before ->> %L)::uuid)'
				' AND NOT EXISTS (SELECT FROM unnest($1) p WHERE p.resource = $3'
				' AND p.record_id = (g.before ->> %L)::uuid))', f.name, f.table_name, f.name, f.name)
				INTO v_found USING p_gone, r.name, f.reference;
			IF v_found THEN
				v_all := v_all || jsonb_build_object('resource', r.name, 'field', f.name, 'why', 'gone');
			END IF;
		END LOOP;
		FOR f IN SELECT array_agg(a.attname::text ORDER BY a.attnum) AS names
			FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
			JOIN change.field x ON x.resource = r.name AND x.name = a.attname
			WHERE i.indrelid = to_regclass('crm.' || r.table_name) AND i.indisunique AND NOT i.indisprimary
				AND i.indpred IS NULL AND i.indexprs IS NULL
			GROUP BY i.indexrelid
			HAVING bool_and(x.class <> 'secret' AND a.attname <> 'id')
			ORDER BY i.indexrelid
		LOOP
			EXECUTE format('SELECT EXISTS (SELECT FROM unnest($1) g, jsonb_populate_record(NULL::crm.%I, g.before) n,'
				' crm.%I x WHERE g.resource = $2 AND %s)', r.table_name, r.table_name,
				(SELECT string_agg(format('x.%I = n.%I', n, n), ' AND ') FROM unnest(f.names) n))
				INTO v_found USING p_gone, r.name;
			IF v_found THEN
				v_all := v_all || (SELECT jsonb_agg(jsonb_build_object('resource', r.name, 'field', n, 'why', 'taken'))
					FROM unnest(f.names) n);
			END IF;
		END LOOP;
	END LOOP;
	RETURN nullif(v_all, '[]');
END $$;
