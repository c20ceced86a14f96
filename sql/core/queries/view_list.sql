-- view_list.sql — the actor's own views and those that others share, by resource and name.
-- $1 uuid   actor
-- $2 text   resource, or null for all
-- $3 uuid   only this one, or null
-- $4 int    at most so many of his own
-- $5 int    at most so many of others
-- lane read
-- out body text, resource text, query text, mine bool, version int
with found as (
	(select v.*, true as mine from views.saved v
	  where v.owner = $1 and ($2 is null or v.resource = $2) and ($3 is null or v.id = $3)
	  order by v.resource, v.name limit $4)
	union all
	(select v.*, false from views.saved v
	  where v.owner <> $1 and v.shared <> 'private'
	    and (v.shared = 'all' or exists (select from access.membership a join access.membership b on b.team = a.team and b.principal = $1
	         join access.team t on t.id = a.team and t.archived_at is null where a.principal = v.owner))
	    and ($2 is null or v.resource = $2) and ($3 is null or v.id = $3)
	  order by v.resource, v.name, v.id limit $5)
)
select (select row_to_json(x)::text from (select f.id, f.version, f.created_at, f.updated_at, f.owner, f.resource, f.name, f.query,
	f.shared, f.mine) x) as body, f.resource, f.query, f.mine, f.version
  from found f
 order by f.resource, f.name, f.id
