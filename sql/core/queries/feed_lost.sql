-- feed_lost.sql — the slots of these subscriptions, on the server that keeps them (core), and whether they are being made anew.
-- $1 text[] names of the subscriptions, which are those of their slots
-- $2 text[] their oids at the subscriber, which name the slots of their copies
-- lane slow
-- prepare lazy
-- out slot text (lost, missing or ok), is_copy_lost bool, is_open bool
select case when s.slot_name is null then 'missing' when s.wal_status = 'lost' then 'lost' else 'ok' end,
       exists (select from pg_catalog.pg_replication_slots c
                where c.wal_status = 'lost' and c.slot_name like 'pg\_' || n.oid || '\_sync\_%') as is_copy_lost,
       exists (select from change.feed_resync r where r.slot = n.name and r.ended_at is null) as is_open
  from unnest($1, $2) with ordinality as n (name, oid, place)
  left join pg_catalog.pg_replication_slots s on s.slot_name = n.name
 order by n.place
