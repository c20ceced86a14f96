DROP FUNCTION change.feed_resync_begin(text, text);
DROP FUNCTION change.feed_slot_ask(text, uuid);
DROP FUNCTION change.feed_resync_end(text, text);
DROP TABLE change.feed_resync;
