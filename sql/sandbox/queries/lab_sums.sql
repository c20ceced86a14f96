-- lab_sums.sql — the sums of one experiment by metric and arm, exact integers as text; metric '' counts the units that were exposed.
-- $1 text slug
-- $2 text key of the flag
-- lane slow
-- prepare lazy
-- out metric text, variation text, n bigint, y text, yy text
with arms as materialized (
	select e.unit, e.variation from lab.exposure e where e.flag = $2 and e.is_noted
), looked as (
	update lab.experiment x set is_changed = false where x.slug = $1
)
select '' as metric, a.variation, count(*) as n, '0' as y, '0' as yy from arms a group by a.variation
union all
select m.metric, a.variation, count(*), sum(m.value)::text, sum(m.value::numeric * m.value)::text
  from lab.unit_metric m join arms a on a.unit = m.unit
 where m.slug = $1
 group by m.metric, a.variation
 order by 1, 2
