-- sandbox_flag_snapshot.sql — every live flag at its current revision, as replicated; one row with key null if there is none. A flag
-- whose current revision is kept in core is not here. Generation 0 until core's counter has arrived.
-- lane read
-- out key text, enabled bool, revision bigint, document jsonb, expires_us bigint, generation bigint
select s.key, s.enabled, s.revision, s.document, (extract(epoch from s.expires_at) * 1000000)::bigint as expires_us, g.generation
  from (select coalesce(max(st.generation), 0) as generation from flag.state st) g
  left join (select f.key, r.enabled, r.revision, r.document, f.expires_at
               from flag.flag f
               join flag.revision r on r.revision = f.revision
              where f.archived_at is null) s on true
