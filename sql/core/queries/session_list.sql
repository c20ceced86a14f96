-- session_list.sql — live sessions, the latest first.
-- $1 uuid   of this principal; null: of all
-- $2 uuid   the session that asks, or null
-- $3 uuid   only those made before this one, or null
-- $4 int    so many at most
-- lane read
-- out data json, has_more bool, next text
with found as (
	select s.id, s.created_at, json_build_object('id', s.id, 'principal', s.principal, 'name', p.name, 'method', s.method,
	       'address', s.address, 'agent', s.agent, 'created_at', s.created_at, 'last_seen_at', s.last_seen_at,
	       'expires_at', s.expires_at, 'current', s.id is not distinct from $2) as one
	  from access.session s join access.principal p on p.id = s.principal
	 where s.revoked_at is null and s.expires_at > now() and s.last_seen_at + s.idle > now()
	   and ($1 is null or s.principal = $1) and ($3 is null or s.id < $3)
	 order by s.id desc limit $4 + 1
), page as (
	select * from found order by id desc limit $4
)
select coalesce(json_agg(p.one order by p.id desc), '[]'::json), (select count(*) from found) > $4, min(p.id::text) from page p
