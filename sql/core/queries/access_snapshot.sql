-- access_snapshot.sql — live tokens with their principals, roles and scopes, for a worker's snapshot.
-- lane read
-- out hash text (hex), principal text, name text, roles text (comma separated), audience text, expires_us bigint, generation bigint, scopes text (comma separated, null: all)
select encode(s.hash, 'hex') as hash, s.principal::text as principal, s.name, array_to_string(s.roles, ',') as roles, s.audience,
       (extract(epoch from s.expires_at) * 1000000)::bigint as expires_us, g.generation, array_to_string(s.scopes, ',') as scopes
  from (select generation from access.state) g
  left join access.snapshot() s on true
