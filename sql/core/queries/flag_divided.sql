-- flag_divided.sql — units that have met a variation of a flag, and what the record knows of each.
-- $1 text   key
-- $2 text   only units after this one ('' from the first)
-- $3 int    at most so many
-- $4 text   whose record is wanted: person, organization, or '' for none
-- lane slow
-- prepare lazy
-- out unit text, variation text, record text (json object)
select e.unit, e.variation,
       case when not e.is_id then null
            when $4 = 'person' then (select to_jsonb(p)::text from crm.person p where p.pseudonym = e.unit::uuid)
            when $4 = 'organization' then (select to_jsonb(o)::text from crm.organization o where o.id = e.unit::uuid) end as record
  from (select x.unit, x.variation, x.unit ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' as is_id
          from flag.exposure x where x.flag = $1 and x.unit > $2 order by x.unit limit $3) e
 order by e.unit
