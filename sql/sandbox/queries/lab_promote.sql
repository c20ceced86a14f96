-- lab_promote.sql — the change request for core: the package that was proven, and its evidence, byte for byte.
-- $1 text slug
-- $2 uuid the principal who asks for it
-- $3 text risk
-- lane slow
-- out verdict text, is_deployed bool, body text (json), change text
select v.verdict, h.is_deployed,
       json_build_object('kind', 'promotion', 'title', 'Promote ' || coalesce(h.manifest ->> 'title', h.slug), 'why', h.manifest ->> 'statement',
                         'benefit', h.manifest ->> 'benefit', 'risk', $3, 'business_owner', h.business_name,
                         'technical_owner', h.technical_name, 'author', $2::text,
                         'package', replace(encode(h.package, 'base64'), chr(10), ''),
                         'evidence', v.evidence_text::json)::text as body, h.change_id::text as change
  from lab.hypothesis h
  left join lab.verdict v on v.slug = h.slug
 where h.slug = $1
