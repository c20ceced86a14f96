-- live_sessions.sql — which of these console sessions live, whose they are now, and until when if no request comes.
-- $1 uuid[]  sessions
-- lane read
-- out session text, principal text, name text, roles text (comma separated), ends_us bigint
select s.id::text, s.principal::text, p.name,
       (select string_agg(r.role, ',' order by r.role) from access.role_grant r where r.principal = s.principal),
       (extract(epoch from least(s.expires_at, s.last_seen_at + s.idle)) * 1000000)::bigint
  from access.session s
  join access.principal p on p.id = s.principal and p.disabled_at is null
 where s.id = any ($1) and s.revoked_at is null and s.expires_at > now() and s.last_seen_at + s.idle > now()
