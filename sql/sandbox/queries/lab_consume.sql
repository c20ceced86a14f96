-- lab_consume.sql — take changes from the outbox and note which units to fold again.
-- $1 int at most so many changes
-- lane slow
-- prepare lazy
-- out events bigint, purged bigint
select c.events, c.purged from lab.consume($1) c
