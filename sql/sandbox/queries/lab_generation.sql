-- lab_generation.sql — the copy's schema generation: raised whenever a feature came or went.
-- lane slow
-- prepare lazy
-- out generation bigint
select s.schema_generation from change.state s
