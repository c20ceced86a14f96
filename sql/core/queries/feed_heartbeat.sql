-- feed_heartbeat.sql — one row a second through the feed, so that an idle core does not look like a dead feed.
-- lane slow
-- prepare lazy
select crm.feed_heartbeat()
