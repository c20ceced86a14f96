-- feed_slot_drop.sql — drop the slot if it is there and nobody reads it.
-- $1 text   slot
-- lane slow
-- prepare lazy
select pg_catalog.pg_drop_replication_slot(s.slot_name) from pg_catalog.pg_replication_slots s where s.slot_name = $1 and not s.active
