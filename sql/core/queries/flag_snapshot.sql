-- flag_snapshot.sql — every live flag at its current revision, for a worker's snapshot; one row with key null if there is none; and one
-- for each segment, of one moment with the flags.
-- lane read
-- out key text, enabled bool, revision bigint, document jsonb, expires_us bigint, generation bigint, segment text, segment_resource text,
-- segment_query text
select s.key, s.enabled, s.revision, s.document, (extract(epoch from s.expires_at) * 1000000)::bigint as expires_us, g.generation,
       null::text as segment, null::text as segment_resource, null::text as segment_query
  from (select generation from flag.state) g
  left join flag.snapshot() s on true
 union all
select null, null, null, null, null, g.generation, x.name, x.resource, x.query from flag.state g cross join flag.segment x
