-- lab_judge_next.sql — the next experiment to look at: its sums have changed, its planned end has come, or somebody stopped it. Not while
-- the copy is older than its bound.
-- $1 text     only slugs after this one
-- $2 interval the bound
-- lane slow
-- prepare lazy
-- out slug text, flag_key text, frozen text, frozen_sha256 text, is_stopped bool, time_is_over bool, planned_units bigint, withdrawn bigint,
-- out as_of text, lsn text, is_settled bool, flag_is_same bool
select x.slug, x.flag_key, x.frozen, x.frozen_sha256, x.stop_wanted_at is not null as is_stopped, x.planned_end <= p.at as time_is_over,
       x.planned_units, x.withdrawn, to_char(p.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as as_of, p.lsn::text,
       not exists (select from lab.dirty d where d.slug = x.slug and d.due <= least(p.at, x.planned_end) and d.first_seen <= p.received_at)
       and not exists (select from lab.outbox o where o.at <= p.received_at) and x.fold_error is null as is_settled,
       coalesce((select r.document = x.frozen::jsonb -> 'flag' -> 'document' from flag.flag f join flag.revision r on r.revision = f.revision
                  where f.key = x.flag_key), true) as flag_is_same
  from lab.experiment x
  join lab.hypothesis h on h.slug = x.slug and h.is_deployed
  cross join lab.position p
 where x.state = 'running' and x.slug collate "C" > $1 collate "C" and not p.resyncing and p.at > clock_timestamp() - $2
   and (x.is_changed or x.stop_wanted_at is not null or x.planned_end <= p.at)
 order by x.slug collate "C"
 limit 1
