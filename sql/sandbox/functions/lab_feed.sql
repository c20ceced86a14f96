-- lab.copying(): is this row part of an initial copy? A table's first copy is made by a worker of its own, which has
-- the table in pg_stat_subscription; the answer holds for the life of that worker and is kept in its session.
CREATE FUNCTION lab.copying() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v text := current_setting('bimodal.copying', true);
BEGIN
	IF coalesce(v, '') = '' THEN
		v := EXISTS (SELECT FROM pg_stat_subscription s
			WHERE s.pid = pg_backend_pid() AND s.relid IS NOT NULL)::text;
		PERFORM set_config('bimodal.copying', v, false);
	END IF;
	RETURN v::boolean;
END $$;

-- lab.feed(name of the unit's column or ''): the only trigger of the replicated tables. It notes what changed and whose
-- it is, and does nothing that could fail: an error here would stop the feed.
CREATE FUNCTION lab.feed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_kind text := CASE WHEN lab.copying() OR (SELECT resyncing FROM lab.position) THEN 'copy' ELSE 'live' END;
	v_old uuid;
	v_new uuid;
	v_id uuid;
BEGIN
	IF tg_argv[0] = 'pseudonym' THEN
		IF tg_op <> 'DELETE' THEN v_new := NEW.pseudonym; END IF;
		IF tg_op <> 'INSERT' THEN v_old := OLD.pseudonym; END IF;
	ELSE
		IF tg_op = 'DELETE' THEN v_id := OLD.id; ELSE v_id := NEW.id; END IF;
		IF tg_argv[0] = 'person_pseudonym' THEN
			IF tg_op <> 'DELETE' THEN v_new := NEW.person_pseudonym; END IF;
			IF tg_op <> 'INSERT' THEN v_old := OLD.person_pseudonym; END IF;
		END IF;
	END IF;
	INSERT INTO lab.outbox (tab, op, kind, row_id, unit)
	VALUES (tg_table_name, lower(tg_op), v_kind, v_id, coalesce(v_new, v_old));
	-- A row that moved to another unit leaves two units to fold again.
	IF v_old <> v_new THEN
		INSERT INTO lab.outbox (tab, op, kind, row_id, unit)
		VALUES (tg_table_name, lower(tg_op), v_kind, v_id, v_old);
	END IF;
	RETURN NULL;
END $$;

-- lab.renewed(): the copy, or a part of it, was made anew, and nothing told what became of each row. Who holds something of it reads it
-- again: flags, tokens and resources; and the folding looks for people who are gone.
CREATE FUNCTION lab.renewed() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v bigint;
BEGIN
	INSERT INTO lab.outbox (tab, op, kind) VALUES ('feed_control', 'insert', 'copy');
	UPDATE access.state SET generation = generation + 1 RETURNING generation INTO v;
	PERFORM pg_notify('bimodal_generation', 'access ' || v);
	PERFORM change.schema_bump();
	PERFORM pg_notify('bimodal_generation', 'flag ' || s.generation) FROM flag.state s;
END $$;

-- lab.control(): a control row has arrived, and with it every earlier write of core. It counts only once all tables have been
-- copied; markers of the airlock's own re-sync open and close the time in which rows are of kind copy.
CREATE FUNCTION lab.control() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	IF lab.copying() THEN
		RETURN NULL;
	END IF;
	IF NEW.kind IN ('resync-begin', 'resync-end') THEN
		UPDATE lab.position SET resyncing = (NEW.kind = 'resync-begin' OR EXISTS (SELECT FROM lab.resync
			WHERE subscription = 'sandbox_crm'));
		IF NEW.kind = 'resync-end' THEN
			PERFORM lab.renewed();
		END IF;
	ELSIF NOT EXISTS (SELECT FROM pg_subscription_rel WHERE srsubstate NOT IN ('r', 's')) THEN
		UPDATE lab.position SET lsn = NEW.lsn, at = NEW.at, received_at = clock_timestamp()
			WHERE NOT resyncing AND (at IS NULL OR at <= NEW.at);
	END IF;
	RETURN NULL;
END $$;
