-- session_identity_get.sql — whom the provider says this user is.
-- $1 uuid principal
-- lane read
-- prepare lazy
-- out data json
select (select coalesce(json_agg(json_build_object('issuer', i.issuer, 'subject', i.subject, 'since', i.since) order by i.since), '[]'::json)
          from access.identity i where i.principal = p.id)
  from access.principal p where p.id = $1
