-- lab_hypothesis_get.sql — one hypothesis with its feature's state.
-- $1 text slug
-- lane read
-- out body text (json), state text, is_deployed bool, flag_state text, error text, expired bool
select row_to_json(x)::text as body, h.state, h.is_deployed, h.flag_state, h.error, coalesce(h.expires_at <= now(), false) as expired
  from lab.hypothesis h
  cross join lateral (
       select h.slug, h.manifest ->> 'title' as title, h.manifest ->> 'statement' as statement, h.manifest ->> 'benefit' as benefit,
              h.business_name as business_owner, h.technical_name as technical_owner, h.state, h.error,
              h.sha256, h.deployment, h.author, h.created_at, h.deployed_at, h.expires_at, h.ended_at, h.is_deployed as deployed,
              h.flag_key as flag, h.flag_state, h.manifest -> 'endpoints' as endpoints, h.change_id as change,
              (select v.verdict from lab.verdict v where v.slug = h.slug) as verdict,
              (select coalesce(json_agg(json_build_object('at', j.at, 'kind', j.kind, 'actor', j.actor) order by j.id), '[]')
                 from (select * from lab.journal j where j.slug = h.slug order by j.id desc limit 50) j) as journal) x
 where h.slug = $1
