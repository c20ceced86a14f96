-- notice_make.sql — follow the event log and make its notices.
-- $1 jsonb  {"right": [role, …], …} of roles.yaml
-- $2 bool   is there a mail server
-- $3 int    events at most
-- lane slow
-- prepare lazy
-- out events int, notices int
select m.events, m.notices from notice.make($1, $2, $3) m
