-- notice.care(keep, max): forget what is old: notices and messages past `keep`, of one principal all but the newest `max`; what the
-- webhooks need no more. A bounded number a call.
CREATE FUNCTION notice.care(p_keep interval, p_max int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v int;
	w int;
BEGIN
	DELETE FROM notice.notice WHERE id IN (SELECT n.id FROM notice.notice n WHERE n.at < now() - p_keep
		AND (NOT n.task OR n.done_at IS NOT NULL) ORDER BY n.at LIMIT 5000);
	GET DIAGNOSTICS v = ROW_COUNT;
	DELETE FROM notice.notice WHERE id IN (SELECT n.id FROM (SELECT c.principal FROM notice.notice c GROUP BY c.principal
		HAVING count(*) > p_max LIMIT 100) f CROSS JOIN LATERAL (SELECT o.id FROM notice.notice o WHERE o.principal = f.principal
		ORDER BY o.id DESC OFFSET p_max LIMIT 1000) n);
	GET DIAGNOSTICS w = ROW_COUNT;
	DELETE FROM notice.mail WHERE id IN (SELECT m.id FROM notice.mail m WHERE m.state <> 'waiting' AND m.ended_at < now() - p_keep LIMIT 5000);
	DELETE FROM notice.warned x WHERE x.at < now() - interval '1 year';
	RETURN v + w;
END $$;

-- webhook.care(keep, max): messages past `keep` that wait for nobody, with their deliveries and attempts; secrets that have ended.
CREATE FUNCTION webhook.care(p_keep interval, p_max int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v int;
BEGIN
	UPDATE webhook.delivery d SET state = 'dead', error = 'the webhook was switched off', ended_at = clock_timestamp(), leased_until = NULL
		FROM webhook.endpoint e WHERE e.id = d.endpoint AND e.disabled_at IS NOT NULL AND d.state = 'waiting';
	DELETE FROM webhook.message WHERE id IN (SELECT m.id FROM webhook.message m WHERE m.at < now() - p_keep
		AND NOT EXISTS (SELECT FROM webhook.delivery d WHERE d.message = m.id AND d.state = 'waiting') ORDER BY m.at LIMIT p_max);
	GET DIAGNOSTICS v = ROW_COUNT;
	DELETE FROM webhook.secret WHERE expires_at < now();
	RETURN v;
END $$;
