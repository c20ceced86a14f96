-- feed_slot_ask.sql — note that the sandbox asks for its slot; asking twice is one order.
-- $1 text   slot
-- $2 uuid   principal
-- lane write
select change.feed_slot_ask($1, $2)
