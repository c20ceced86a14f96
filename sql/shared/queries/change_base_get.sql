-- change_base_get.sql — has this base change been applied here, and with which text?
-- $1 text   name of the change
-- lane slow
-- prepare lazy
-- out sha256 text ('' if not applied)
select coalesce((select b.sha256 from installation.base_change b where b.name = $1), '')
