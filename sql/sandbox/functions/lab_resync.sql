-- lab.resync_begin(subscription, reason): its copy is about to be made anew. Until the end no row is taken for news.
CREATE FUNCTION lab.resync_begin(p_subscription text, p_reason text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	INSERT INTO lab.resync (subscription, reason) VALUES (p_subscription, p_reason) ON CONFLICT DO NOTHING;
	IF p_subscription = 'sandbox_crm' THEN
		UPDATE lab.position SET resyncing = true;
	END IF;
END $$;

-- lab.resync_end(subscription): the copy is complete. The airlock may be in a re-sync of its own, whose begin came with the copy: its end
-- is still to come.
CREATE FUNCTION lab.resync_end(p_subscription text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
BEGIN
	DELETE FROM lab.resync WHERE subscription = p_subscription;
	IF p_subscription = 'sandbox_crm' THEN
		UPDATE lab.position SET resyncing = coalesce((SELECT c.kind = 'resync-begin' FROM crm.feed_control c
			WHERE c.id < 0 ORDER BY c.id LIMIT 1), false);
	END IF;
	PERFORM lab.renewed();
END $$;
