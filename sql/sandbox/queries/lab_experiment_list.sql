-- lab_experiment_list.sql — experiments in the order of their slugs.
-- $1 text only slugs after this one ('' from the start)
-- $2 int  at most so many
-- lane read
-- out body text (json)
with page as (
	select x.slug, x.state, x.started_at, x.planned_end, x.planned_units, x.ended_at, x.stop_reason, v.verdict
	  from lab.experiment x
	  left join lab.verdict v on v.slug = x.slug
	 where x.slug collate "C" > $1 collate "C"
	 order by x.slug collate "C"
	 limit $2 + 1
), kept as (
	select * from page order by slug collate "C" limit $2
)
select json_build_object('data', coalesce((select json_agg(row_to_json(k) order by k.slug collate "C") from kept k), '[]'),
       'page', json_build_object('next', case when (select count(*) from page) > $2 then (select max(k.slug collate "C") from kept k) end,
                                 'has_more', (select count(*) from page) > $2))::text as body
