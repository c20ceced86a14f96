-- notice.settings_json(principal): the choices as GET /v1/me/notices shows them, with every kind and the channels it takes now.
CREATE OR REPLACE FUNCTION notice.settings_json(p_principal uuid) RETURNS json
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = '' AS $$
SELECT json_build_object('email', p.email, 'time_zone', coalesce(s.time_zone, 'UTC'),
	'hours', CASE WHEN s.hours_from IS NOT NULL THEN json_build_object(
		'from', to_char(make_interval(mins => s.hours_from), 'HH24:MI'), 'to', to_char(make_interval(mins => s.hours_to), 'HH24:MI')) END,
	'days', (SELECT json_agg((ARRAY['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])[d] ORDER BY d) FROM unnest(s.days) d),
	'digest', CASE WHEN s.digest_hour IS NOT NULL THEN json_build_object('hour', s.digest_hour) END,
	'channels', (SELECT coalesce(json_object_agg(c.about, to_json(c.channels) ORDER BY c.about), '{}') FROM notice.channel c
		WHERE c.principal = p.id),
	'kinds', (SELECT json_agg(json_build_object('name', k.name, 'label', k.label, 'task', k.task, 'default', to_json(k.channels),
		'channels', to_json(coalesce((SELECT c.channels FROM notice.channel c WHERE c.principal = p.id
			AND c.about IN (k.name, split_part(k.name, '.', 1), '*') ORDER BY length(c.about) DESC LIMIT 1), k.channels)))
		ORDER BY k.name) FROM notice.kind k),
	'mails', json_build_object('waiting', (SELECT count(*) FROM notice.mail m WHERE m.principal = p.id AND m.state = 'waiting'),
		'dead', (SELECT count(*) FROM notice.mail m WHERE m.principal = p.id AND m.state = 'dead'),
		'error', (SELECT m.error FROM notice.mail m WHERE m.principal = p.id AND m.state <> 'sent' AND m.error IS NOT NULL
			ORDER BY m.id DESC LIMIT 1)))
FROM access.principal p LEFT JOIN notice.setting s ON s.principal = p.id WHERE p.id = p_principal
$$;

-- notice.settings_put(principal, choices): all of them at once; what is left out is as it was before anything was chosen. The worker
-- has checked the form; what only the database knows (time zones, kinds) is checked here.
CREATE OR REPLACE FUNCTION notice.settings_put(p_principal uuid, p jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_zone text := coalesce(p ->> 'time_zone', 'UTC');
	v_bad text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names WHERE name = v_zone) THEN
		RAISE EXCEPTION 'there is no time zone "%"; one is "Europe/Berlin"', left(v_zone, 64) USING ERRCODE = 'CR422', COLUMN = 'time_zone';
	END IF;
	SELECT c.key INTO v_bad FROM jsonb_object_keys(coalesce(p -> 'channels', '{}')) c(key)
		WHERE c.key <> '*' AND NOT EXISTS (SELECT FROM notice.kind k WHERE c.key IN (k.name, split_part(k.name, '.', 1))) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'there is no kind of notice "%" and no group of that name', left(v_bad, 64)
			USING ERRCODE = 'CR422', COLUMN = 'channels/' || left(v_bad, 64);
	END IF;
	INSERT INTO notice.setting (principal, time_zone, hours_from, hours_to, digest_hour, days)
	VALUES (p_principal, v_zone, (p ->> 'from')::int, (p ->> 'to')::int, (p ->> 'digest_hour')::int,
		CASE WHEN p ? 'days' THEN ARRAY(SELECT DISTINCT d::int FROM jsonb_array_elements_text(p -> 'days') d ORDER BY 1) END)
	ON CONFLICT (principal) DO UPDATE SET time_zone = excluded.time_zone, hours_from = excluded.hours_from, hours_to = excluded.hours_to,
		digest_hour = excluded.digest_hour, days = excluded.days, updated_at = now();
	DELETE FROM notice.channel WHERE principal = p_principal;
	INSERT INTO notice.channel (principal, about, channels)
	SELECT p_principal, c.key, ARRAY(SELECT DISTINCT x FROM jsonb_array_elements_text(c.value) x ORDER BY x)
	FROM jsonb_each(coalesce(p -> 'channels', '{}')) c;
	PERFORM event.note('notices', NULL, 'notice.settings', p || jsonb_build_object('principal', p_principal));
END $$;
