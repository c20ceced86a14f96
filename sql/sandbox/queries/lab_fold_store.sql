-- lab_fold_store.sql — keep the values of one metric; a unit that has none any more loses its row.
-- $1 text     slug
-- $2 text     metric
-- $3 uuid[]   units that were asked for
-- $4 uuid[]   units that have a value
-- $5 bigint[] the values
-- $6 timestamptz when the position they were computed for had arrived; what changed after it is folded again
-- lane slow
-- prepare lazy
with kept as (
	insert into lab.unit_metric as m (slug, metric, unit, value)
	select $1, $2, v.unit, v.value from unnest($4, $5) as v(unit, value)
	on conflict (slug, metric, unit) do update set value = excluded.value where m.value <> excluded.value
	returning 1
), gone as (
	delete from lab.unit_metric m where m.slug = $1 and m.metric = $2 and m.unit = any ($3) and m.unit <> all ($4) returning 1
), done as (
	delete from lab.dirty d where d.slug = $1 and d.metric = $2 and d.unit = any ($3) and d.last_seen <= $6
), later as (
	update lab.dirty d set first_seen = d.last_seen where d.slug = $1 and d.metric = $2 and d.unit = any ($3) and d.last_seen > $6
)
update lab.experiment x set is_changed = x.is_changed or exists (select from kept) or exists (select from gone), fold_error = null
 where x.slug = $1
