-- Mode 2 as a whole: every experiment off at once, held there, and back.
--
-- Locks are taken in one order by all: rows of flags, then flag.mode2. An experiment that is just being turned on either has
-- committed before the stop looks, or sees that Mode 2 is stopped.

-- Before anything of Mode 2 is turned on or proposed. Whoever asks may ask again later; what acts by itself at its time (a schedule) has
-- failed, and says why.
CREATE FUNCTION flag.mode2_held() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	s flag.mode2;
BEGIN
	IF tg_table_name = 'revision' THEN
		IF (SELECT f.kind FROM flag.flag f WHERE f.key = NEW.key) IS DISTINCT FROM 'experiment' THEN
			RETURN NEW;
		END IF;
	END IF;
	SELECT * INTO s FROM flag.mode2 FOR SHARE;
	IF s.stopped_at IS NOT NULL THEN
		RAISE EXCEPTION 'Mode 2 was stopped by % at %: nothing of it is turned on or proposed until it is started again (%)',
			access.name_of(s.stopped_by), to_char(s.stopped_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"'), left(s.reason, 200)
			USING ERRCODE = CASE WHEN current_setting('bimodal.actor', true) LIKE 'system:%' THEN 'CR409' ELSE 'CR503' END;
	END IF;
	RETURN NEW;
END $$;

-- While it is stopped: an experiment that is turned off by hand (its rules stay what they are) is not brought back by the start; one
-- whose rules are changed is brought back with those.
CREATE FUNCTION flag.mode2_revised() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE flag.stopped s SET revision = NEW.revision, by_hand = s.by_hand OR o.document = NEW.document
	FROM flag.revision o WHERE s.key = NEW.key AND o.revision = s.revision AND s.revision < NEW.revision;
	RETURN NULL;
END $$;

-- flag.mode2_stop(actor, request, reason) -> was anything changed, and the answer's members.
CREATE FUNCTION flag.mode2_stop(p_actor uuid, p_request text, p_reason text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '3s' AS $$
DECLARE
	v_list jsonb;
BEGIN
	PERFORM set_config('bimodal.actor', p_actor::text, true), set_config('bimodal.request', p_request, true);
	PERFORM FROM flag.flag f WHERE f.kind = 'experiment' AND f.archived_at IS NULL ORDER BY f.key FOR UPDATE;
	PERFORM FROM flag.mode2 m FOR UPDATE;
	UPDATE flag.mode2 SET stopped_at = now(), stopped_by = p_actor, reason = p_reason WHERE stopped_at IS NULL;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	WITH made AS (
		INSERT INTO flag.revision (key, document, enabled, core_only, actor, comment)
		SELECT f.key, r.document, false, r.core_only, p_actor, left('Mode 2 was stopped: ' || p_reason, 2000)
		FROM flag.flag f JOIN flag.revision r ON r.revision = f.revision
		WHERE f.kind = 'experiment' AND f.archived_at IS NULL AND f.expires_at > now() AND r.enabled
		ORDER BY f.key
		RETURNING key, revision
	), kept AS (
		INSERT INTO flag.stopped (key, revision) SELECT m.key, m.revision FROM made m RETURNING key, revision
	)
	SELECT coalesce(jsonb_agg(jsonb_build_object('key', k.key, 'revision', k.revision) ORDER BY k.key), '[]') INTO v_list FROM kept k;
	PERFORM event.note('flags', NULL, 'flag.stop', x.value || jsonb_build_object('enabled', false, 'comment', p_reason))
	FROM jsonb_array_elements(v_list) x;
	PERFORM event.note(NULL, NULL, 'experiments.stop', jsonb_build_object('reason', p_reason, 'flags', v_list,
		'count', jsonb_array_length(v_list)));
	RETURN true;
END $$;
REVOKE ALL ON FUNCTION flag.mode2_stop(uuid, text, text) FROM PUBLIC;

-- flag.mode2_start(actor, request, reason) -> what was turned on again and what was left off, and why; null: it was not stopped. What
-- one person may not turn on alone he does not turn on by this either.
CREATE FUNCTION flag.mode2_start(p_actor uuid, p_request text, p_reason text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' SET lock_timeout = '3s' AS $$
DECLARE
	v_list jsonb;
	v_left jsonb;
BEGIN
	PERFORM set_config('bimodal.actor', p_actor::text, true), set_config('bimodal.request', p_request, true);
	PERFORM FROM flag.flag f WHERE f.key IN (SELECT s.key FROM flag.stopped s) ORDER BY f.key FOR UPDATE;
	PERFORM FROM flag.mode2 m FOR UPDATE;
	UPDATE flag.mode2 SET stopped_at = NULL, stopped_by = NULL, reason = '' WHERE stopped_at IS NOT NULL;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	WITH judged AS (
		SELECT s.key, r.document, r.core_only,
			CASE WHEN f.archived_at IS NOT NULL OR f.created_at > s.at THEN 'it was archived meanwhile'
			     WHEN f.expires_at <= now() THEN 'it has expired'
			     WHEN f.kind <> 'experiment' THEN 'it is no experiment any more'
			     WHEN s.by_hand THEN 'it was turned off by hand meanwhile'
			     WHEN f.protected THEN 'it is protected: turning it on takes a second person'
			     WHEN r.enabled THEN 'it is on already' END AS why
		FROM flag.stopped s JOIN flag.flag f ON f.key = s.key JOIN flag.revision r ON r.revision = f.revision
	), made AS (
		INSERT INTO flag.revision (key, document, enabled, core_only, actor, comment)
		SELECT j.key, j.document, true, j.core_only, p_actor, left('Mode 2 was started again: ' || p_reason, 2000)
		FROM judged j WHERE j.why IS NULL ORDER BY j.key
		RETURNING key, revision
	)
	SELECT coalesce((SELECT jsonb_agg(jsonb_build_object('key', m.key, 'revision', m.revision) ORDER BY m.key) FROM made m), '[]'),
		coalesce((SELECT jsonb_agg(jsonb_build_object('key', j.key, 'why', j.why) ORDER BY j.key) FROM judged j
			WHERE j.why IS NOT NULL), '[]')
	INTO v_list, v_left;
	DELETE FROM flag.stopped;
	PERFORM event.note('flags', NULL, 'flag.start', x.value || jsonb_build_object('enabled', true, 'comment', p_reason))
	FROM jsonb_array_elements(v_list) x;
	PERFORM event.note(NULL, NULL, 'experiments.start', jsonb_build_object('reason', p_reason, 'flags', v_list, 'left_off', v_left,
		'count', jsonb_array_length(v_list)));
	RETURN jsonb_build_object('flags', v_list, 'left_off', v_left);
END $$;
REVOKE ALL ON FUNCTION flag.mode2_start(uuid, text, text) FROM PUBLIC;
