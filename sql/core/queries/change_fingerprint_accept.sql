-- change_fingerprint_accept.sql — after --migrate: the base schema is the approved catalog. Only where a base change is new; a start of
-- core must not bless what somebody changed by hand.
-- lane slow
-- prepare lazy
-- out fingerprint text
select case when s.accepted_at is null or s.accepted_at < (select max(b.applied_at) from installation.base_change b)
            then change.accept() else s.fingerprint end as fingerprint
  from change.state s
