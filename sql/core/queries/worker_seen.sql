-- worker_seen.sql — acknowledge what this worker serves and learn what is newest, in one round trip.
-- $1 text   instance
-- $2 int    worker
-- $3 bigint flag generation served
-- $4 bigint schema generation served
-- $5 bigint access generation served
-- lane write
-- out flag bigint, schema bigint, access bigint (the newest generations)
with seen as (
	insert into change.worker as w (instance, daemon, worker, flag_generation, schema_generation, access_generation, seen_at)
	values ($1, 'core', $2, $3, $4, $5, clock_timestamp())
	on conflict (instance, daemon, worker) do update
	set flag_generation = excluded.flag_generation,
	    schema_generation = excluded.schema_generation,
	    access_generation = excluded.access_generation,
	    seen_at = excluded.seen_at
)
select (select generation from flag.state), (select schema_generation from change.state), (select generation from access.state)
