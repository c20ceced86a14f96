-- A request's bytes are fixed once it left the draft state; an approval is never the author's own and
-- binds to the bytes and closure the request has now.
CREATE FUNCTION change.request_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	IF tg_op = 'UPDATE' THEN
		NEW.updated_at := now();
		IF NEW.id <> OLD.id OR NEW.number <> OLD.number OR NEW.author <> OLD.author
			OR (OLD.state <> 'draft' AND NEW.state <> 'draft'
			AND (NEW.up, NEW.down, NEW.verify, NEW.package, NEW.sha256, NEW.kind)
			IS DISTINCT FROM (OLD.up, OLD.down, OLD.verify, OLD.package, OLD.sha256, OLD.kind))
		THEN
			RAISE EXCEPTION 'could not alter the text of change %: it has left the draft state',
				OLD.number USING ERRCODE = 'CR004';
		END IF;
	END IF;
	RETURN NEW;
END $$;

CREATE FUNCTION change.request_tell() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	PERFORM pg_notify('bimodal_generation', 'change ' || NEW.id);
	RETURN NULL;
END $$;

CREATE FUNCTION change.approval_guard() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	r record;
BEGIN
	SELECT author, sha256, closure_hash, state INTO r FROM change.request
		WHERE id = NEW.request;
	IF r.author = NEW.principal THEN
		RAISE EXCEPTION 'could not approve: an author does not approve the own change'
			USING ERRCODE = 'CR005';
	ELSIF r.state NOT IN ('rehearsed', 'approved') THEN
		RAISE EXCEPTION 'could not approve: the change is %, not rehearsed', r.state
			USING ERRCODE = 'CR005';
	ELSIF r.sha256 IS DISTINCT FROM NEW.sha256
		OR r.closure_hash IS DISTINCT FROM NEW.closure_hash
	THEN
		RAISE EXCEPTION 'could not approve: the change is no longer the one that was shown'
			USING ERRCODE = 'CR005';
	END IF;
	RETURN NEW;
END $$;
