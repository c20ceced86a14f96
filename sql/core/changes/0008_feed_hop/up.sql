-- What the jobs child last saw of each hop of the feed. Workers cannot look for themselves: the airlock is not theirs to
-- reach, and the sandbox is nobody's of core.
CREATE TABLE change.feed_hop (
	hop text PRIMARY KEY CHECK (hop IN ('core-airlock', 'airlock-sandbox')),
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	state jsonb NOT NULL
);
GRANT SELECT ON change.feed_hop TO bimodal_app, bimodal_executor;
GRANT INSERT, UPDATE ON change.feed_hop TO bimodal_executor;
