-- webhook_list.sql — the webhooks of a principal and of his teams, without their secrets; or one of them.
-- $1 uuid   principal
-- $2 uuid   the one; null for all
-- lane read
-- out body json (array)
select coalesce(json_agg(json_build_object('id', e.id, 'url', e.url, 'description', e.description, 'types', e.types, 'owner', e.owner,
                                           'team', e.team, 'enabled', e.disabled_at is null, 'disabled_at', e.disabled_at, 'reason', e.reason,
                                           'failing_since', e.failing_since, 'created_at', e.created_at, 'updated_at', e.updated_at,
                                           'secrets', (select json_agg(json_build_object('created_at', s.created_at, 'expires_at', s.expires_at)
                                                                       order by s.created_at desc)
                                                         from webhook.secret s
                                                        where s.endpoint = e.id and coalesce(s.expires_at > now(), true)))
                         order by e.id), '[]')
  from webhook.endpoint e
 where (e.owner = $1 or exists (select from access.membership m where m.team = e.team and m.principal = $1)) and ($2 is null or e.id = $2)
