-- session_get.sql — the session of this request.
-- $1 uuid   session
-- lane read
-- out body json without its last brace
select rtrim(json_build_object('id', s.id, 'principal', s.principal, 'name', p.name, 'display_name', p.display_name, 'email', p.email,
       'roles', coalesce((select json_agg(r.role order by r.role) from access.role_grant r where r.principal = p.id), '[]'::json),
       'method', s.method, 'created_at', s.created_at, 'last_seen_at', s.last_seen_at,
       'idle_seconds', extract(epoch from s.idle)::int, 'expires_at', s.expires_at)::text, '}')
  from access.session s join access.principal p on p.id = s.principal
 where s.id = $1
