-- flag_revisions.sql — what a flag has been, newest first.
-- $1 text   key
-- $2 bigint only revisions before this one
-- $3 int    at most so many; one more is read to see whether there are more
-- lane read
-- out found bool, body text (json array), has_more bool, next bigint
with page as (
	select r.revision, r.enabled, r.document, r.actor, r.at, r.comment, r.rebucket
	  from flag.revision r
	 where r.key = $1 and r.revision < $2
	 order by r.revision desc
	 limit $3 + 1
), kept as (
	select * from page order by revision desc limit $3
)
select exists (select from flag.flag f where f.key = $1) as found,
       coalesce((select json_agg(row_to_json(k) order by k.revision desc) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $3 as has_more, (select min(k.revision) from kept k) as next
