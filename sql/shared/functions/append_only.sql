-- change.append_only() refuses every statement that would alter or remove a kept row.
CREATE FUNCTION change.append_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	RAISE EXCEPTION 'could not % %.%: its rows are kept as they were written',
		lower(tg_op), tg_table_schema, tg_table_name USING ERRCODE = 'CR002';
END $$;
