-- flag_list.sql — flags in the order of their keys.
-- $1 text   only keys after this one ('' from the start)
-- $2 text   kind, or null for both
-- $3 bool   archived ones too
-- $4 int    at most so many; one more is read to see whether there are more
-- $5 text   state, or null for all
-- $6 text   a part of the key or the purpose, or null
-- $7 int    days after which a flag is stale
-- $8 text   slug of a team, or null for all
-- lane read
-- out body text (json array), has_more bool, next text
with page as (
	select f.key, f.kind, f.purpose, access.name_of(f.business_owner) as business_owner,
	       access.name_of(f.technical_owner) as technical_owner, f.expires_at, f.expires_at <= now() as expired, f.created_by,
	       f.created_at, f.archived_at, f.revision, coalesce(r.enabled, false) as enabled,
	       flag.lifecycle(f, $7) as state, f.protected, (select t.slug from access.team t where t.id = f.team) as team
	  from flag.flag f
	  left join flag.revision r on r.revision = f.revision
	 where f.key collate "C" > $1 collate "C" and ($2 is null or f.kind = $2) and ($3 or f.archived_at is null or $5 in ('expired', 'archived'))
	   and ($6 is null or strpos(lower(f.key || ' ' || f.purpose), lower($6)) > 0)
	   and ($8 is null or f.team = (select t.id from access.team t where t.slug = $8))
	   and ($5 is null or flag.lifecycle(f, $7) = $5)
	 order by f.key collate "C"
	 limit $4 + 1
), kept as (
	select * from page order by key collate "C" limit $4
)
select coalesce((select json_agg(row_to_json(k) order by k.key collate "C") from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $4 as has_more, (select max(k.key collate "C") from kept k) as next
