-- lab_promoted.sql — core has taken the change request.
-- $1 text slug
-- $2 uuid change
-- $3 uuid actor
-- lane write
-- out outcome text
select lab.promoted($1, $2, $3) as outcome
