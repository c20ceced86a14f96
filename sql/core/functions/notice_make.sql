-- notice.make(holders, mail, max) -> how many events were passed (max: there may be more), how many notices were made. Follows the log in the order (xid, seq) below the
-- horizon, which no later commit can come before, from where the last call ended: notices and position are one transaction, so
-- a process that is killed has lost or doubled nothing. holders: {"right": [role, …]} of roles.yaml; mail: is
-- there a mail server. At most 200 events that matter a call, so that a flood is many short transactions.
CREATE FUNCTION notice.make(p_holders jsonb, p_mail boolean, p_max int) RETURNS TABLE (events int, notices int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	s notice.state;
	v_horizon xid8;
	v_xid xid8;
	v_seq bigint;
	v_ops text[];
	v_mattered int := 0;
	e event.log;
	k notice.kind;
BEGIN
	SELECT * INTO s FROM notice.state;
	v_horizon := pg_snapshot_xmin(pg_current_snapshot());
	notices := 0;
	SELECT count(*), (array_agg(l.xid ORDER BY l.xid DESC, l.seq DESC))[1], (array_agg(l.seq ORDER BY l.xid DESC, l.seq DESC))[1]
	INTO events, v_xid, v_seq
	FROM (SELECT x.xid, x.seq FROM event.log x WHERE (x.xid, x.seq) > (s.xid, s.seq) AND x.xid < v_horizon
		ORDER BY x.xid, x.seq LIMIT p_max) l;
	IF events = 0 THEN
		RETURN NEXT;
		RETURN;
	END IF;
	-- Locked only now: a look that finds nothing must not write.
	PERFORM FROM notice.state x WHERE (x.xid, x.seq) = (s.xid, s.seq) FOR UPDATE;
	IF NOT FOUND THEN
		RETURN NEXT;
		RETURN;
	END IF;
	SELECT array_agg(DISTINCT o) INTO v_ops FROM notice.kind x, unnest(x.ops || x.ends) o;
	FOR e IN SELECT l.* FROM event.log l WHERE (l.xid, l.seq) > (s.xid, s.seq) AND (l.xid, l.seq) <= (v_xid, v_seq)
		AND l.op = ANY (v_ops) ORDER BY l.xid, l.seq
	LOOP
		FOR k IN SELECT * FROM notice.kind x WHERE e.op = ANY (x.ends) LOOP
			UPDATE notice.notice n SET done_at = e.at WHERE n.kind = k.name AND n.task AND n.done_at IS NULL
				AND n.subject = notice.render(k.subject, notice.fields(k, e), 200);
		END LOOP;
		FOR k IN SELECT * FROM notice.kind x WHERE e.op = ANY (x.ops) AND coalesce(e.after, '{}') @> x.matches ORDER BY x.name LOOP
			notices := notices + notice.tell(k, e, p_holders, p_mail);
		END LOOP;
		v_mattered := v_mattered + 1;
		IF v_mattered = 200 THEN
			v_xid := e.xid;
			v_seq := e.seq;
			events := p_max;
			EXIT;
		END IF;
	END LOOP;
	UPDATE notice.state SET xid = v_xid, seq = v_seq;
	RETURN NEXT;
END $$;

-- notice.due(max): what is told because its time came becomes an event, once: a token that expires within seven days.
CREATE FUNCTION notice.due(p_max int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	t record;
	v int := 0;
BEGIN
	FOR t IN SELECT x.id, x.principal, x.prefix, x.expires_at, p.name, p.kind FROM access.token x JOIN access.principal p ON p.id = x.principal
		WHERE x.revoked_at IS NULL AND x.expires_at > now() AND x.expires_at <= now() + interval '7 days'
		AND x.expires_at > x.created_at + interval '14 days' AND p.disabled_at IS NULL
		AND NOT EXISTS (SELECT FROM notice.warned w WHERE w.what = 'token:' || x.id) ORDER BY x.expires_at LIMIT p_max
	LOOP
		INSERT INTO notice.warned (what) VALUES ('token:' || t.id);
		PERFORM set_config('bimodal.actor', 'system:notices', true);
		PERFORM event.note('tokens', t.id, 'token.expiring', jsonb_build_object('principal', t.principal, 'prefix', t.prefix, 'name', t.name,
			'kind', t.kind, 'expires_on', to_char(t.expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')));
		v := v + 1;
	END LOOP;
	RETURN v;
END $$;
