-- lab_want_stop.sql — ask for the end of an experiment.
-- $1 text slug
-- $2 uuid actor
-- lane write
-- out outcome text (wanted, ended, missing)
select lab.want_stop($1, $2) as outcome
