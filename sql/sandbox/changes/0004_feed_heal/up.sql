-- A subscription whose slot was lost heals by itself (sandbox/replica/heal.c): which ones are being copied anew.
CREATE TABLE lab.resync (
	subscription text PRIMARY KEY CHECK (subscription IN ('sandbox_registry', 'sandbox_crm')),
	reason text NOT NULL,
	begun_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
GRANT SELECT ON lab.resync TO bimodal_app, bimodal_deployer, bimodal_apply;
GRANT SELECT ON lab.position TO bimodal_apply;

-- include functions/feed_empty.sql
-- include functions/lab_resync.sql

GRANT EXECUTE ON FUNCTION change.feed_empty(text), lab.resync_begin(text, text), lab.resync_end(text),
	lab.registry_followed() TO bimodal_apply;
