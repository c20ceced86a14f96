-- change_intend.sql — order a rehearsal, an application or a rollback from the jobs child.
-- $1 uuid   request
-- $2 uuid   who
-- $3 text   rehearse, apply or rollback
-- lane write
select change.request_intend($1, $2, $3)
