-- event_seal.sql — seal the next rows of the event log into the hash chain.
-- $1 int   rows at most
-- lane slow
-- prepare lazy
-- out rows int
select event.seal($1)
