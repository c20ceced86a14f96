-- worker_acknowledge.sql — a worker of the sandbox says which generations it serves, and is told the newest ones.
-- $1 text   instance
-- $2 int    worker
-- $3 bigint flag generation served
-- $4 bigint schema generation served
-- $5 bigint access generation served
-- $6 int    so many workers of the sandbox at most
-- lane write
-- out accepted bool, flag bigint, schema bigint, access bigint, mode2_stopped bool
with seen as (
	insert into change.worker as w (instance, daemon, worker, flag_generation, schema_generation, access_generation, seen_at)
	select $1, 'sandbox', $2, $3, $4, $5, clock_timestamp()
	 where (select count(*) from change.worker o where o.daemon = 'sandbox' and (o.instance, o.worker) <> ($1, $2)) < $6
	on conflict (instance, daemon, worker) do update
	set flag_generation = excluded.flag_generation,
	    schema_generation = excluded.schema_generation,
	    access_generation = excluded.access_generation,
	    seen_at = excluded.seen_at
	returning 1
)
select exists (select from seen) as accepted, (select generation from flag.state) as flag,
       (select schema_generation from change.state) as schema, (select generation from access.state) as access,
       (select m.stopped_at is not null from flag.mode2 m) as mode2_stopped
