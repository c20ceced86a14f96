-- flag.revised_all(): new revisions become the current ones of their flags, all of a statement at once, so that many flags can change in
-- one generation.
CREATE FUNCTION flag.revised_all() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE flag.flag f SET revision = m.revision
	FROM (SELECT x.key, max(x.revision) AS revision FROM made x GROUP BY x.key) m WHERE f.key = m.key;
	RETURN NULL;
END $$;
