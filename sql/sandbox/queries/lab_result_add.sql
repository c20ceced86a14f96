-- lab_result_add.sql — keep a look at an experiment if it differs from the last one; the newest 200 stay.
-- $1 text  slug
-- $2 jsonb body
-- lane slow
-- prepare lazy
with last as (
	select r.body from lab.result r where r.slug = $1 order by r.id desc limit 1
), added as (
	insert into lab.result (slug, body)
	select $1, $2 where not exists (select from last l where l.body - 'as_of' - 'lsn' = $2 - 'as_of' - 'lsn')
)
delete from lab.result r where r.slug = $1
   and r.id < (select min(k.id) from (select k.id from lab.result k where k.slug = $1 order by k.id desc limit 200) k)
