-- change_list.sql — change requests, the newest first, without texts and reports.
-- $1 int    only numbers below this one; null from the top
-- $2 text   state, or null for all
-- $3 text   kind, or null for all
-- $4 int    at most so many; one more is read to see whether there are more
-- lane read
-- out body text (json array), has_more bool, next int
with page as (
	select r.number, r.id, r.kind, r.state, r.title, r.slug, r.sha256, r.author,
	       access.name_of(r.business_owner) as business_owner, access.name_of(r.technical_owner) as technical_owner, r.error, r.created_at,
	       r.updated_at, r.rehearsed_at, r.applied_at, r.rolled_back_at,
	       (select count(*) from change.approval a where a.request = r.id) as approvals
	  from change.request r
	 where ($1 is null or r.number < $1) and ($2 is null or r.state = $2) and ($3 is null or r.kind = $3)
	 order by r.number desc
	 limit $4 + 1
), kept as (
	select * from page order by number desc limit $4
)
select coalesce((select json_agg(row_to_json(k) order by k.number desc) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $4 as has_more, (select min(k.number) from kept k) as next
