-- feed_slot_create.sql — make the slot unless it is there. Waits until every transaction that is open now has ended.
-- $1 text   slot
-- lane slow
-- prepare lazy
-- out no row: it is there
select c.lsn from (select $1::name as slot) n cross join lateral pg_catalog.pg_create_logical_replication_slot(n.slot, 'pgoutput') c
 where not exists (select from pg_catalog.pg_replication_slots s where s.slot_name = $1)
