-- notice_read_all.sql — all notices of this principal have been read.
-- $1 uuid   principal
-- $2 text   request
-- lane write
-- out body json
with act as (
	select set_config('bimodal.actor', $1::text, true) a, set_config('bimodal.request', $2, true) r
), marked as (
	update notice.notice n set read_at = clock_timestamp() from act where n.principal = $1 and n.read_at is null returning n.id
), total as (
	select count(*) as n from marked
), noted as (
	select event.note('notices', null, 'notice.read_all', jsonb_build_object('principal', $1, 'notices', t.n)) from total t, act where t.n > 0
)
select json_build_object('read', t.n) from total t left join noted on true
