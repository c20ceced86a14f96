-- lab_owners_are.sql — whose a hypothesis is: the pair that has arrived with its flag, and the names core gives for it.
-- $1 text slug
-- $2 uuid business owner
-- $3 uuid technical owner
-- $4 text his name
-- $5 text his name
-- lane slow
-- prepare lazy
select lab.owners_are($1, $2, $3, $4, $5)
