-- lab_next_owners.sql — the next hypothesis whose flag belongs to others in core than the hypothesis here: it is new, or was handed over.
-- lane slow
-- prepare lazy
-- out slug text, key text, business_owner text, technical_owner text
select h.slug, h.flag_key, f.business_owner::text, f.technical_owner::text
  from lab.hypothesis h
  join flag.flag f on f.key = h.flag_key
 where h.flag_state in ('made', 'off') and f.business_owner is not null
   and (h.business_owner, h.technical_owner) is distinct from (f.business_owner, f.technical_owner)
 order by h.slug
 limit 1
