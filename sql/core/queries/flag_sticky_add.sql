-- flag_sticky_add.sql — assignments that experiments keep, many at once. Nothing is kept of a flag that has ended or of a person who is
-- not there.
-- $1 text[]   flags
-- $2 text[]   attributes
-- $3 text[]   values
-- $4 text[]   experiments
-- $5 text[]   variations
-- $6 bigint[] versions
-- $7 text[]   pseudonyms of the people, '' of others
-- lane write
-- prepare lazy
insert into flag.sticky as k (who, experiment, version, flag, variation, person)
select distinct on (w.who, x.experiment, x.version) w.who, x.experiment, x.version, x.flag, x.variation, nullif(x.person, '')::uuid
  from unnest($1, $2, $3, $4, $5, $6, $7) with ordinality as x (flag, attribute, value, experiment, variation, version, person, n)
 cross join lateral (select flag.who(x.attribute, x.value) as who) w
  join flag.flag f on f.key = x.flag and f.archived_at is null
 where x.person = '' or exists (select from crm.person p where p.pseudonym = x.person::uuid)
 order by w.who, x.experiment, x.version, x.n desc
on conflict (who, experiment, version) do update
set flag = excluded.flag, variation = excluded.variation, person = excluded.person, at = excluded.at
