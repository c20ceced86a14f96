-- mode2_get.sql — is Mode 2 stopped, by whom, why, and which experiments will be on again.
-- lane read
-- out body text (members of a json object, without its braces)
select substr(t.body, 2, length(t.body) - 2) as body
  from flag.mode2 m
  cross join lateral (
	select json_build_object('stopped', m.stopped_at is not null, 'since', m.stopped_at, 'by', m.stopped_by,
	                         'by_name', access.name_of(m.stopped_by), 'reason', nullif(m.reason, ''),
	                         'stopped_flags', (select count(*) from flag.stopped s where not s.by_hand))::text as body) t
