-- leader_hold.sql — take or keep the leadership of the jobs. The lock lives in this session, so it ends with the connection.
-- Polled, never waited for: a waiter's snapshot would deadlock with CREATE INDEX CONCURRENTLY.
-- lane slow
-- prepare lazy
-- out leading bool
select case when exists (select from pg_catalog.pg_locks l
                          where l.locktype = 'advisory' and l.pid = pg_catalog.pg_backend_pid()
                            and l.classid = 1651076973 and l.objid = 1 and l.granted)
            then true
            else pg_catalog.pg_try_advisory_lock(1651076973, 1)
       end
