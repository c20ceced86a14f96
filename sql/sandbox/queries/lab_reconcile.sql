-- lab_reconcile.sql — clear what is kept about people who are no longer in the copy, however they left it.
-- lane slow
-- prepare lazy
-- out purged bigint
select case when cardinality(o.units) > 0 then lab.purge(o.units) else 0 end + lab.sticky_orphans() as purged
  from (select lab.orphans() as units) o
