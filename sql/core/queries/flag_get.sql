-- flag_get.sql — one flag with its current document, live or archived.
-- $1 text   key
-- $2 int    days after which a flag is stale
-- lane read
-- out body text (json object)
select row_to_json(x)::text as body
  from (select f.key, f.kind, f.purpose, access.name_of(f.business_owner) as business_owner,
               access.name_of(f.technical_owner) as technical_owner, f.expires_at, f.expires_at <= now() as expired, f.created_by,
               f.created_at, f.archived_at, f.revision, coalesce(r.enabled, false) as enabled,
               flag.lifecycle(f, $2) as state, f.protected, (select t.slug from access.team t where t.id = f.team) as team,
               (select q.id from flag.request q where q.key = f.key and q.state = 'waiting') as request, r.document,
               (select row_to_json(y) from (select d.base, d.author, access.name_of(d.author) as author_name, d.at
                                              from flag.draft d where d.key = f.key) y) as draft
          from flag.flag f
          left join flag.revision r on r.revision = f.revision
         where f.key = $1) x
