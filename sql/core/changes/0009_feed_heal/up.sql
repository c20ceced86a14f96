-- A lost slot heals by itself: what is being made anew, and by whose wish. One row a slot; the procedure's own state stands in the
-- catalogs of the subscriber.
CREATE TABLE change.feed_resync (
	slot text PRIMARY KEY CHECK (slot IN ('airlock_registry', 'airlock_crm', 'sandbox_registry', 'sandbox_crm')),
	reason text NOT NULL,
	asked_by text NOT NULL,
	begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	ended_at timestamptz,
	error text
);
GRANT SELECT ON change.feed_resync TO bimodal_app, bimodal_executor;

-- include functions/feed_resync.sql

GRANT EXECUTE ON FUNCTION change.feed_slot_ask(text, uuid) TO bimodal_app;
GRANT EXECUTE ON FUNCTION change.feed_resync_begin(text, text), change.feed_resync_end(text, text) TO bimodal_executor;
