-- change.schema_bump() -> the new schema generation; every worker reloads its resources on the notice.
CREATE FUNCTION change.schema_bump() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v bigint;
BEGIN
	UPDATE change.state SET schema_generation = schema_generation + 1
		RETURNING schema_generation INTO v;
	PERFORM pg_notify('bimodal_generation', 'schema ' || v);
	RETURN v;
END $$;
