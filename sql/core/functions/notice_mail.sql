-- notice.mail_gather(max): what is due becomes messages, one a recipient with up to 50 notices. What was done or read meanwhile
-- is not sent any more; who has no address any more gets none.
CREATE FUNCTION notice.mail_gather(p_max int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r record;
	v_mail uuid;
	v int := 0;
BEGIN
	UPDATE notice.notice n SET mail_due = NULL WHERE n.mail_due <= now() AND n.mail IS NULL
		AND (n.done_at IS NOT NULL OR n.read_at IS NOT NULL
			OR NOT EXISTS (SELECT FROM access.principal p WHERE p.id = n.principal AND p.email IS NOT NULL AND p.disabled_at IS NULL));
	FOR r IN SELECT d.principal, p.email FROM (SELECT DISTINCT n.principal FROM notice.notice n WHERE n.mail_due <= now() AND n.mail IS NULL
		LIMIT p_max) d JOIN access.principal p ON p.id = d.principal
	LOOP
		INSERT INTO notice.mail (principal, address, notices) SELECT r.principal, r.email, array_agg(x.id ORDER BY x.id)
			FROM (SELECT n.id FROM notice.notice n WHERE n.principal = r.principal AND n.mail_due <= now() AND n.mail IS NULL
				ORDER BY n.id LIMIT 50) x
			RETURNING id INTO v_mail;
		UPDATE notice.notice n SET mail = v_mail FROM notice.mail m WHERE m.id = v_mail AND n.id = ANY (m.notices);
		v := v + 1;
	END LOOP;
	RETURN v;
END $$;

-- notice.mail_take(max, lease): messages to send now. Who takes one has it until the lease ends; a process that is killed meanwhile
-- leaves it to the next. notices: [{title, body, link}].
CREATE FUNCTION notice.mail_take(p_max int, p_lease interval) RETURNS TABLE (mail uuid, address text, attempts int, tries int, at timestamptz,
	notices json)
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
WITH next AS (
	SELECT m.id FROM notice.mail m WHERE m.state = 'waiting' AND m.due_at <= now() AND coalesce(m.leased_until <= now(), true)
	ORDER BY m.due_at LIMIT p_max FOR UPDATE SKIP LOCKED
), taken AS (
	UPDATE notice.mail m SET attempts = m.attempts + 1, leased_until = now() + p_lease FROM next x WHERE m.id = x.id
	RETURNING m.id, m.address, m.attempts, m.attempts - m.base_attempts AS tries, m.created_at, m.notices
)
SELECT t.id, t.address, t.attempts, t.tries, t.created_at, (SELECT json_agg(json_build_object('title', n.title, 'body', n.body, 'link', n.link)
	ORDER BY n.id) FROM notice.notice n WHERE n.id = ANY (t.notices))
FROM taken t
$$;

-- notice.mail_done(mail, attempt, outcome, error, after): sent, dead, or again after so many milliseconds.
CREATE FUNCTION notice.mail_done(p_mail uuid, p_attempt int, p_outcome text, p_error text, p_after_ms bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
UPDATE notice.mail SET state = CASE p_outcome WHEN 'again' THEN 'waiting' ELSE p_outcome END, error = left(p_error, 500), leased_until = NULL,
	due_at = CASE p_outcome WHEN 'again' THEN clock_timestamp() + make_interval(secs => p_after_ms / 1000.0) ELSE due_at END,
	ended_at = CASE p_outcome WHEN 'again' THEN NULL ELSE clock_timestamp() END
WHERE id = p_mail AND attempts = p_attempt AND state = 'waiting'
$$;

-- notice.mail_again(mail): a dead message is tried again from the beginning. False if there is none.
CREATE FUNCTION notice.mail_again(p_mail uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	UPDATE notice.mail SET state = 'waiting', base_attempts = attempts, due_at = clock_timestamp(), ended_at = NULL
		WHERE id = p_mail AND state = 'dead';
	IF FOUND THEN
		PERFORM event.note('mails', p_mail, 'mail.retry', '{}');
	END IF;
	RETURN FOUND;
END $$;
