-- What was stopped stays off; it is turned on by hand then.
DELETE FROM notice.notice WHERE kind IN ('experiments.stopped', 'experiments.started');
DELETE FROM notice.kind WHERE name IN ('experiments.stopped', 'experiments.started');
DROP TRIGGER stopped ON flag.revision;
DROP TRIGGER held ON change.request;
DROP TRIGGER held ON flag.revision;
DROP TRIGGER current ON flag.revision;
DROP FUNCTION flag.revised_all();
CREATE FUNCTION flag.revised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE flag.flag SET revision = NEW.revision WHERE key = NEW.key;
	RETURN NULL;
END $$;
CREATE TRIGGER current AFTER INSERT ON flag.revision FOR EACH ROW EXECUTE FUNCTION flag.revised();
DROP FUNCTION flag.mode2_start(uuid, text, text);
DROP FUNCTION flag.mode2_stop(uuid, text, text);
DROP FUNCTION flag.mode2_revised();
DROP FUNCTION flag.mode2_held();
DROP TABLE flag.stopped;
DROP TABLE flag.mode2;
