-- webhook.take(max, each, lease): deliveries to make now, at most `each` of one endpoint under way, so that a slow receiver holds up
-- nobody but himself; who has the fewest under way comes first. Who takes one has it until the lease ends; a process that is killed meanwhile leaves it to the next.
-- secrets: hex, the newest first, with commas. tries: attempts in the present schedule, this one included.
CREATE FUNCTION webhook.take(p_max int, p_each int, p_lease interval) RETURNS TABLE (delivery uuid, message uuid, attempts int, tries int,
	url text, payload text, secrets text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
-- Nothing is due most of the time, and this is asked all the time.
IF NOT EXISTS (SELECT FROM webhook.delivery x WHERE x.state = 'waiting' AND x.due_at <= now()) THEN
	RETURN;
END IF;
RETURN QUERY WITH busy AS (
	SELECT b.endpoint, count(*) AS n FROM webhook.delivery b WHERE b.state = 'waiting' AND b.leased_until > now() GROUP BY b.endpoint
), next AS (
	SELECT n.id FROM webhook.endpoint e LEFT JOIN busy u ON u.endpoint = e.id CROSS JOIN LATERAL (
		SELECT d.id, d.due_at FROM webhook.delivery d WHERE d.endpoint = e.id AND d.state = 'waiting' AND d.due_at <= now()
		AND coalesce(d.leased_until <= now(), true) ORDER BY d.due_at LIMIT greatest(0, p_each - coalesce(u.n, 0))
		FOR UPDATE SKIP LOCKED) n
	WHERE e.disabled_at IS NULL
	ORDER BY coalesce(u.n, 0), n.due_at LIMIT p_max
), taken AS (
	UPDATE webhook.delivery d SET attempts = d.attempts + 1, leased_until = now() + p_lease FROM next x WHERE d.id = x.id
	RETURNING d.id, d.message, d.endpoint, d.attempts, d.attempts - d.base_attempts AS tries
)
SELECT t.id, m.id, t.attempts, t.tries, e.url, m.payload, (SELECT string_agg(encode(s.secret, 'hex'), ',' ORDER BY s.created_at DESC)
	FROM webhook.secret s WHERE s.endpoint = e.id AND coalesce(s.expires_at > now(), true))
FROM taken t JOIN webhook.message m ON m.id = t.message JOIN webhook.endpoint e ON e.id = t.endpoint;
END $$;
