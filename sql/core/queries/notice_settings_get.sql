-- notice_settings_get.sql — how this principal wants to be told.
-- $1 uuid   principal
-- lane read
-- out body json
select notice.settings_json($1)
