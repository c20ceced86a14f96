-- access_refused.sql — write what a worker has refused lately to the event log.
-- $1 jsonb  list of refusals
-- $2 uuid   the daemon's principal that reports them; null: this one
-- lane write
-- out written int
select access.refused($1, $2) as written
