-- view_delete.sql — delete a view of one's own.
-- $1 text   actor
-- $2 text   request
-- $3 uuid   view
-- lane write
-- out deleted int
with act as (
	select set_config('bimodal.actor', $1, true) as actor, set_config('bimodal.request', $2, true) as request
), del as (
	delete from views.saved v using act where v.id = $3 and v.owner = act.actor::uuid returning v.id
)
select count(*)::int as deleted from del
