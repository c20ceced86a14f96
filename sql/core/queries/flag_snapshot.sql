-- flag_snapshot.sql — every live flag at its current revision, for a worker's snapshot; one row with key null if there is none.
-- lane read
-- out key text, enabled bool, revision bigint, document jsonb, expires_us bigint, generation bigint
select s.key, s.enabled, s.revision, s.document, (extract(epoch from s.expires_at) * 1000000)::bigint as expires_us, g.generation
  from (select generation from flag.state) g
  left join flag.snapshot() s on true
