-- sandbox_access_snapshot.sql — tokens meant for the sandbox, as they came through the airlock: no names. The copy counts
-- its own generations.
-- lane read
-- out hash text (hex), principal text, name text, roles text (comma separated), audience text, expires_us bigint, generation bigint, scopes text (comma separated, null: all)
select encode(s.hash, 'hex') as hash, s.principal::text as principal, null::text as name, array_to_string(s.roles, ',') as roles,
       'sandbox'::text as audience, (extract(epoch from s.expires_at) * 1000000)::bigint as expires_us, g.generation,
       array_to_string(s.scopes, ',') as scopes
  from (select a.generation from access.state a) g
  left join access.token_published s on true
