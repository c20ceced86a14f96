-- flag_draft_delete.sql — drop the draft of a flag.
-- $1 text   key
-- $2 uuid   actor
-- $3 text   request
-- lane write
-- out outcome text (made, missing, none), event bigint
with act as (
	select set_config('bimodal.actor', $2::text, true) a, set_config('bimodal.request', $3, true) r
), del as (
	delete from flag.draft d using act where d.key = $1 returning d.key, d.base, d.author, d.document
), noted as (
	select event.note('flags', null, 'flag.undraft', jsonb_build_object('key', d.key, 'base', d.base, 'author', d.author,
	                                                                     'document', d.document)) as seq
	  from del d, act
)
select case when exists (select from del) then 'made' when exists (select from flag.flag f where f.key = $1) then 'none'
            else 'missing' end as outcome, (select n.seq from noted n) as event
