-- lab_next_catalog.sql — the next feature whose schema and roles must be made or taken away. What must go comes first.
-- lane slow
-- prepare lazy
-- out slug text, action text (deploy, remove), package text, author text, deployment text, tries int
select h.slug, a.action, convert_from(h.package, 'UTF8') as package, h.author::text as author, h.deployment::text as deployment, h.tries
  from lab.hypothesis h
  cross join lateral (select case when h.is_deployed and (h.expires_at <= clock_timestamp() or h.remove_wanted_at is not null) then 'remove'
                                  when not h.is_deployed and h.state = 'deploying' then 'deploy' end as action) a
 where a.action is not null and h.retry_at <= clock_timestamp()
 order by a.action desc, h.retry_at, h.created_at
 limit 1
