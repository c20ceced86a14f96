-- flag_asked_add.sql — count what a worker was asked for, and keep which streams are open there.
-- $1 text   daemon
-- $2 text   instance
-- $3 int    worker
-- $4 jsonb  list of {flag, principal, client, count, first_at, last_at}
-- $5 jsonb  list of {principal, client, open}
-- lane write
-- out counted int
select flag.asked_add($1, $2, $3, $4, $5) as counted
