-- crm.triggers_ensure(table): the triggers every table of a resource has, made again from the registry (the
-- secret fields are arguments of the trigger, so that a write looks nothing up).
CREATE FUNCTION crm.triggers_ensure(p_table text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r change.resource;
	v_args text;
BEGIN
	SELECT * INTO STRICT r FROM change.resource WHERE table_name = p_table;
	SELECT string_agg(quote_literal(x), ', ' ORDER BY o) INTO v_args FROM (
		SELECT r.name AS x, 0 AS o
		UNION ALL
		SELECT name, position FROM change.field WHERE resource = r.name AND class = 'secret') s;
	EXECUTE format('CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON crm.%I'
		' FOR EACH ROW EXECUTE FUNCTION crm.touch()', p_table);
	EXECUTE format('CREATE OR REPLACE TRIGGER record AFTER INSERT OR UPDATE OR DELETE ON crm.%I'
		' FOR EACH ROW EXECUTE FUNCTION event.record(%s)', p_table, v_args);
	IF r.person_field <> 'id' THEN
		EXECUTE format('CREATE OR REPLACE TRIGGER person_link BEFORE INSERT ON crm.%I'
			' FOR EACH ROW EXECUTE FUNCTION crm.person_link()', p_table);
		EXECUTE format('CREATE OR REPLACE TRIGGER person_relink BEFORE UPDATE ON crm.%I'
			' FOR EACH ROW WHEN ((OLD.person_id, OLD.person_pseudonym, OLD.lab_ok)'
			' IS DISTINCT FROM (NEW.person_id, NEW.person_pseudonym, NEW.lab_ok))'
			' EXECUTE FUNCTION crm.person_link()', p_table);
	END IF;
END $$;
