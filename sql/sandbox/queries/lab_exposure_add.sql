-- lab_exposure_add.sql — first exposures in a batch. Only people of the copy: a pseudonym that was withdrawn leaves no trace.
-- $1 text[]        flags
-- $2 text[]        units
-- $3 text[]        variations
-- $4 bigint[]      revisions
-- $5 timestamptz[] times
-- lane write
insert into lab.exposure (flag, unit, variation, revision, at)
select x.flag, p.pseudonym, x.variation, x.revision, min(x.at)
  from unnest($1, $2, $3, $4, $5) as x(flag, unit, variation, revision, at)
  join crm.person p on p.pseudonym = case when x.unit ~ '^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$' then x.unit::uuid end
 group by 1, 2, 3, 4
on conflict do nothing
