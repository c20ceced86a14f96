-- notice_read.sql — one notice of this principal has been read; somebody else's is not found.
-- $1 uuid   principal
-- $2 uuid   notice
-- $3 text   request
-- lane write
-- out found bool
with act as (
	select set_config('bimodal.actor', $1::text, true) a, set_config('bimodal.request', $3, true) r
), mine as (
	select n.id, n.read_at from notice.notice n where n.id = $2 and n.principal = $1 and n.app
), marked as (
	update notice.notice n set read_at = clock_timestamp() from mine m, act where n.id = m.id and m.read_at is null returning n.id
), noted as (
	select event.note('notices', m.id, 'notice.read', '{}') from marked m, act
)
select exists (select from mine) as found, (select count(*) from noted)
