-- access_explain.sql — a principal by name or id, with all that decides what it may do.
-- $1 text   name or id
-- $2 text   what lists show of one of its tokens; null: none is meant
-- lane read
-- out id text, name text, kind text, disabled bool, roles text (comma separated), body text (teams and live tokens, members of JSON),
--     token bool (it is live), scopes text (comma separated; null: not narrowed)
select p.id::text, p.name, p.kind, p.disabled_at is not null as disabled,
       coalesce((select string_agg(g.role, ',' order by g.role) from access.role_grant g where g.principal = p.id), '') as roles,
       format('"teams":%s,"tokens":%s',
              (select coalesce(json_agg(t.slug order by t.slug), '[]') from access.membership m join access.team t on t.id = m.team
                where m.principal = p.id and t.archived_at is null),
              (select coalesce(json_agg(json_build_object('prefix', k.prefix, 'audience', k.audience, 'expires_at', k.expires_at,
                                                          'scopes', k.scopes) order by k.created_at), '[]')
                 from access.token k where k.principal = p.id and k.revoked_at is null and k.expires_at > now())) as body,
       k.id is not null as token, array_to_string(k.scopes, ',') as scopes
  from access.principal p
  left join access.token k on k.principal = p.id and k.prefix = $2 and k.revoked_at is null and k.expires_at > now()
 where p.name = $1 or p.id::text = lower($1)
 order by p.id::text = lower($1) desc
 limit 1
