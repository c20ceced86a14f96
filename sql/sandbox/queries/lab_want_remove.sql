-- lab_want_remove.sql — ask for the removal of a feature.
-- $1 text slug
-- $2 uuid actor
-- lane write
-- out outcome text (wanted, ended, missing)
select lab.want_remove($1, $2) as outcome
