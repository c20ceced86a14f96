-- session_look.sql — who holds this session? Asked when a worker meets it for the first time, and then once a minute.
-- $1 text     SHA-256 of the secret, in hex
-- lane read
-- out generation bigint, session text (null: none that lives), principal text, name text, roles text (comma separated), expires_us bigint
select g.generation, s.id::text, s.principal::text, p.name,
       (select string_agg(r.role, ',' order by r.role) from access.role_grant r where r.principal = s.principal),
       (extract(epoch from s.expires_at) * 1000000)::bigint
  from access.state g
  left join (access.session s join access.principal p on p.id = s.principal and p.disabled_at is null)
    on s.hash = decode($1, 'hex') and s.revoked_at is null and s.expires_at > now() and s.last_seen_at + s.idle > now()
