-- flag_as_of.sql — a flag as it was at a moment or under a revision, with those it waited for then, as a worker's snapshot has them; the segments are
-- those of now.
-- $1 text        key
-- $2 timestamptz moment; null: now
-- $3 bigint      revision; null: that of the moment
-- lane read
-- prepare lazy
-- out key text, enabled bool, revision bigint, document jsonb, expires_us bigint, generation bigint, at_us bigint, made_us bigint,
-- out archived bool, segment text, segment_resource text, segment_query text
with recursive moment as (
	select coalesce((select r.at from flag.revision r where r.key = $1 and r.revision = $3), $2, now()) as at,
	       coalesce($3, 9223372036854775807) as newest
), asked (key) as (
	select $1
	 union
	select p.name #>> '{}'
	  from asked a cross join moment m
	  cross join lateral (select r.document from flag.revision r where r.key = a.key and r.revision <= m.newest and r.at <= m.at
	                       order by r.revision desc limit 1) d
	  cross join lateral jsonb_path_query(d.document, 'lax $.rules[*].prerequisites[*].flag') as p (name)
)
select y.* from (
select f.key, d.enabled, d.revision, d.document, (extract(epoch from f.expires_at) * 1000000)::bigint as expires_us, 0::bigint as generation,
       (extract(epoch from m.at) * 1000000)::bigint as at_us, (extract(epoch from d.at) * 1000000)::bigint as made_us,
       coalesce(f.archived_at <= m.at, false) as archived, null::text as segment, null::text as segment_resource, null::text as segment_query
  from (select a.key from asked a limit 65) a
  join flag.flag f on f.key = a.key
  cross join moment m
  cross join lateral (select r.revision, r.document, r.enabled, r.at from flag.revision r
                       where r.key = a.key and r.revision <= m.newest and r.at <= m.at order by r.revision desc limit 1) d
 where a.key = $1 or f.archived_at is null or f.archived_at > m.at
 union all
select null, null, null, null, null, 0, null, null, null, x.name, x.resource, x.query from flag.segment x
) y
 order by y.key is null, y.key <> $1
