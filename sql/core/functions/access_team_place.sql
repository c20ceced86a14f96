-- access.team_place(): a team stands below a live team, never below itself, at most 8 deep, and is archived only without live teams
-- below it. All writers of schema access queue on the row of access.state, so that two moves cannot close a circle together.
CREATE FUNCTION access.team_place() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	c_depth CONSTANT int := 8;
	v_above int := 0;
	v_below int;
	v_at uuid := NEW.parent;
BEGIN
	PERFORM FROM access.state FOR UPDATE;
	WHILE v_at IS NOT NULL LOOP
		v_above := v_above + 1;
		IF v_at = NEW.id THEN
			RAISE EXCEPTION 'a team cannot stand below itself' USING ERRCODE = 'CR422', COLUMN = 'parent';
		ELSIF v_above > c_depth THEN
			EXIT;
		END IF;
		SELECT t.parent INTO v_at FROM access.team t WHERE t.id = v_at;
	END LOOP;
	WITH RECURSIVE below (id, depth) AS (
		SELECT NEW.id, 1
		UNION ALL
		SELECT t.id, b.depth + 1 FROM below b JOIN access.team t ON t.parent = b.id WHERE b.depth <= c_depth
	)
	SELECT max(depth) INTO v_below FROM below;
	IF v_above + v_below > c_depth THEN
		RAISE EXCEPTION 'teams stand at most % deep', c_depth USING ERRCODE = 'CR422', COLUMN = 'parent';
	ELSIF NEW.archived_at IS NULL AND EXISTS (SELECT FROM access.team t WHERE t.id = NEW.parent AND t.archived_at IS NOT NULL) THEN
		RAISE EXCEPTION 'the team above is archived' USING ERRCODE = 'CR422', COLUMN = 'parent';
	ELSIF NEW.archived_at IS NOT NULL AND EXISTS (SELECT FROM access.team t WHERE t.parent = NEW.id AND t.archived_at IS NULL) THEN
		RAISE EXCEPTION 'teams below it are not archived' USING ERRCODE = 'CR409';
	END IF;
	RETURN NEW;
END $$;
