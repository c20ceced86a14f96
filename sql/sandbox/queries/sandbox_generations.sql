-- sandbox_generations.sql — the newest generations of the copy. What is served is reported to core through its API, not here.
-- $1 text   instance
-- $2 int    worker
-- $3 bigint flag generation served
-- $4 bigint schema generation served
-- $5 bigint access generation served
-- lane read
-- out flag bigint, schema bigint, access bigint
select coalesce((select s.generation from flag.state s), 0), (select s.schema_generation from change.state s), (select s.generation from access.state s)
 where $1 is not null and $2 is not null and $3 is not null and $4 is not null and $5 is not null
