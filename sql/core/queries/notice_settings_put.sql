-- notice_settings_put.sql — how this principal wants to be told, all of it.
-- $1 uuid   principal
-- $2 text   request
-- $3 jsonb  {"time_zone":…, "from":minutes, "to":minutes, "days":[1 = Monday, …], "digest_hour":…, "channels":{…}}
-- lane write
with act as materialized (
	select set_config('bimodal.actor', $1::text, true) a, set_config('bimodal.request', $2, true) r
)
select notice.settings_put($1, $3) from act where a is not null
