DROP PUBLICATION bimodal_crm;
DROP PUBLICATION bimodal_registry;
DROP PUBLICATION bimodal_nothing;
DO $$
DECLARE
	r record;
BEGIN
	FOR r IN SELECT format('%I.%I', n.nspname, c.relname) AS t FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('change', 'access', 'flag', 'crm') AND c.relkind IN ('r', 'p', 'v')
		AND NOT c.relispartition
	LOOP
		EXECUTE format('REVOKE ALL ON %s FROM bimodal_feed, bimodal_feature', r.t);
	END LOOP;
END $$;
DROP TABLE crm.feed_control;
DROP FUNCTION crm.feed_heartbeat();
DROP FUNCTION crm.feed_mark(text, uuid);
DROP FUNCTION change.publish();
DROP FUNCTION change.canary();
DROP FUNCTION change.publish_sql();
