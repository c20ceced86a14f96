DROP TABLE change.feed_hop;
