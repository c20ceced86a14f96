-- lab_registry_look.sql — has the registry changed since crm was last brought to it, can something be dropped now, and are there tables that the subscription does not have yet?
-- $1 text  the stamp of a look that found nothing to do; '' looks anyway
-- lane slow
-- prepare lazy
-- out stamp text, hash text (null: no registry yet, or nothing has moved since $1), is_changed bool, is_missing bool
with seen as (
	-- Row versions instead of contents: a look each second must cost next to nothing.
	select md5(concat_ws('|', (select string_agg(concat_ws(' ', f.xmin, f.ctid), ',' order by f.ctid) from change.field f),
		(select string_agg(concat_ws(' ', r.xmin, r.ctid), ',' order by r.ctid) from change.resource r), (select r.hash from lab.registry r),
		(select max(c.id)::text from crm.feed_control c where c.kind = 'shape'), (select count(*) from pg_catalog.pg_subscription_rel))) as stamp
)
select s.stamp, n.hash,
       case when n.hash is not null then n.hash <> r.hash or exists (select from change.projection_sql() p where p.step >= 100) end as is_changed,
       case when n.hash is not null then exists (select from change.published_columns() c where c.key and not exists (
               select from pg_catalog.pg_subscription_rel s where s.srrelid = to_regclass(format('crm.%I', c.table_name)))) end as is_missing
  from seen s cross join lab.registry r left join lateral (select lab.registry_hash() as hash where s.stamp <> $1) n on true
