-- What the airlock's re-sync after a lost slot needs (core/feed/heal.c runs it, as the subscriptions' owner).
-- include functions/feed_empty.sql

GRANT EXECUTE ON FUNCTION change.feed_empty(text), crm.feed_mark(text) TO bimodal_apply;
