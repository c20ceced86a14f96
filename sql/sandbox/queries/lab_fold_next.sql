-- lab_fold_next.sql — the next units of one metric that are to be computed anew, as far as the copy is. No row: nothing is due.
-- $1 int at most so many units
-- lane slow
-- prepare lazy
-- out slug text, metric text, units text (uuid[]), exposed_at text (timestamptz[]), until text (core's clock), received text (ours)
with now_at as (
	select p.at, p.received_at from lab.position p where not p.resyncing and p.at is not null
), next as (
	select d.slug, d.metric, x.flag_key
	  from lab.dirty d
	  join lab.experiment x on x.slug = d.slug and x.state = 'running' and x.fold_retry_at <= clock_timestamp()
	  join lab.hypothesis h on h.slug = d.slug and h.is_deployed
	 where d.due <= (select n.at from now_at n) and d.first_seen <= (select n.received_at from now_at n)
	 order by d.due
	 limit 1
), due as (
	select d.unit from lab.dirty d join next n on n.slug = d.slug and n.metric = d.metric
	 where d.due <= (select a.at from now_at a) and d.first_seen <= (select a.received_at from now_at a)
	 order by d.unit
	 limit $1
), rows as (
	select d.unit, e.at from due d left join lab.exposure e on e.flag = (select n.flag_key from next n) and e.unit = d.unit
)
select n.slug, n.metric, (select array_agg(r.unit order by r.unit)::text from rows r) as units,
       (select array_agg(coalesce(r.at, 'infinity') order by r.unit)::text from rows r) as exposed_at,
       (select a.at::text from now_at a) as until, (select a.received_at::text from now_at a) as received
  from next n
