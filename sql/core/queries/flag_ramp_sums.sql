-- flag_ramp_sums.sql — what the record says of those who met the rule's variations.
-- $1 uuid   ramp
-- lane slow
-- prepare lazy
-- out guardrail int, variation text, units bigint, hits bigint
select s.guardrail, s.variation, s.units, s.hits from flag.ramp_sums($1) s
