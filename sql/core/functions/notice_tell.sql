-- notice.fields(kind, event): what the kind's templates and rules may name: the row it comes from, over it the event's own detail.
CREATE FUNCTION notice.fields(k notice.kind, e event.log) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = '' AS $$
DECLARE
	v_event jsonb := coalesce(e.after, '{}') || jsonb_build_object('actor', e.actor, 'record', e.record_id);
	v_row jsonb;
BEGIN
	IF k.source IS NOT NULL THEN
		EXECUTE format('SELECT to_jsonb(s) FROM (SELECT %s FROM %s t WHERE t.%I::text = $1) s',
			(SELECT string_agg(format('t.%I', f), ', ') FROM unnest(k.fields) f), k.source::regclass, k.source_key)
			INTO v_row USING v_event ->> k.event_key;
	END IF;
	RETURN coalesce(v_row, '{}') || v_event || jsonb_build_object('actor_name',
		coalesce((SELECT coalesce(nullif(p.display_name, ''), p.name) FROM access.principal p WHERE p.id::text = e.actor), e.actor));
END $$;

-- notice.tell(kind, event, holders, mail): the notices of one event for all who get it, by each one's choice of channels. At most 1000.
-- A task that still waits is not told a second time.
CREATE FUNCTION notice.tell(k notice.kind, e event.log, p_holders jsonb, p_mail boolean) RETURNS int
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_fields jsonb := notice.fields(k, e);
	v_roles text[];
	v_named text[];
	v_not text[];
	v_made uuid[];
BEGIN
	SELECT array_agg(r.role) INTO v_roles FROM unnest(k.recipients) x CROSS JOIN LATERAL (
		SELECT substr(x, 6) AS role WHERE x LIKE 'role:%'
		UNION ALL
		SELECT h.v FROM unnest(ARRAY[substr(x, 7), '*.' || split_part(x, '.', 2)]) n,
			jsonb_array_elements_text(coalesce(p_holders -> n, '[]')) h(v) WHERE x LIKE 'right:%') r;
	SELECT array_agg(v_fields ->> substr(x, 7)) INTO v_named FROM unnest(k.recipients) x
		WHERE x LIKE 'named:%' AND coalesce(v_fields ->> substr(x, 7), '') <> '';
	SELECT coalesce(array_agg(v_fields ->> x), '{}') INTO v_not FROM unnest(k.but_not) x WHERE v_fields ->> x IS NOT NULL;
	WITH who AS (
		SELECT p.id, p.email FROM access.principal p
		WHERE p.disabled_at IS NULL AND p.id::text <> ALL (v_not) AND (p.id::text = ANY (v_named) OR p.name = ANY (v_named)
			OR p.kind = 'user' AND EXISTS (SELECT FROM access.role_grant g WHERE g.principal = p.id AND g.role = ANY (v_roles)))
		ORDER BY p.id LIMIT 1000
	), wanted AS (
		SELECT w.id, w.email, coalesce((SELECT c.channels FROM notice.channel c WHERE c.principal = w.id
			AND c.about IN (k.name, split_part(k.name, '.', 1), '*') ORDER BY length(c.about) DESC LIMIT 1), k.channels) AS channels
		FROM who w
	), made AS (
		INSERT INTO notice.notice AS n (principal, kind, task, event, subject, title, body, link, record, app, mail_due)
		SELECT w.id, k.name, k.task, e.seq, notice.render(k.subject, v_fields, 200), notice.render(k.title, v_fields, 300),
			notice.render(k.body, v_fields, 2000), notice.render(k.link, v_fields, 500), notice.render(k.record, v_fields, 500),
			'app' = ANY (w.channels), CASE WHEN p_mail AND 'email' = ANY (w.channels) AND w.email IS NOT NULL
			THEN notice.mail_due(s, clock_timestamp()) END
		FROM wanted w LEFT JOIN notice.setting s ON s.principal = w.id WHERE cardinality(w.channels) > 0
		ON CONFLICT DO NOTHING
		RETURNING n.id, n.principal
	)
	SELECT array_agg(m.id) INTO v_made FROM made m;
	PERFORM webhook.enqueue('notice.' || n.kind, n.id::text, n.principal, NULL, jsonb_build_object('id', n.id, 'kind', n.kind,
		'task', n.task, 'title', n.title, 'body', n.body, 'link', n.link, 'record', n.record, 'at', n.at))
	FROM notice.notice n JOIN LATERAL (SELECT coalesce((SELECT c.channels FROM notice.channel c WHERE c.principal = n.principal
		AND c.about IN (k.name, split_part(k.name, '.', 1), '*') ORDER BY length(c.about) DESC LIMIT 1), k.channels) AS channels) w ON true
	WHERE n.id = ANY (v_made) AND 'webhook' = ANY (w.channels);
	PERFORM webhook.enqueue('notice.' || n.kind, t.team || ':' || n.event || ':' || n.kind, NULL, t.team, jsonb_build_object('kind', n.kind,
		'task', n.task, 'title', n.title, 'body', n.body, 'link', n.link, 'record', n.record, 'at', n.at))
	FROM (SELECT m.team, min(n.id::text)::uuid AS id FROM notice.notice n JOIN access.membership m ON m.principal = n.principal
		WHERE n.id = ANY (v_made) AND 'webhook' = ANY (coalesce((SELECT c.channels FROM notice.channel c WHERE c.principal = n.principal
			AND c.about IN (k.name, split_part(k.name, '.', 1), '*') ORDER BY length(c.about) DESC LIMIT 1), k.channels))
		AND EXISTS (SELECT FROM webhook.endpoint w WHERE w.team = m.team AND w.disabled_at IS NULL) GROUP BY m.team) t
	JOIN notice.notice n ON n.id = t.id;
	RETURN coalesce(cardinality(v_made), 0);
END $$;
