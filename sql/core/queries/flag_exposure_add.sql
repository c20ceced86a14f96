-- flag_exposure_add.sql — first exposures, many at once; a unit that has met its variation already stays as it is.
-- $1 text[]        flags
-- $2 text[]        units
-- $3 text[]        variations
-- $4 bigint[]      revisions
-- $5 timestamptz[] times
-- lane write
insert into flag.exposure (flag, unit, variation, revision, at)
select distinct on (x.flag, x.unit) x.flag, x.unit, x.variation, x.revision, x.at
  from unnest($1, $2, $3, $4, $5) as x (flag, unit, variation, revision, at)
 order by x.flag, x.unit, x.at
on conflict do nothing
