-- event_care.sql — partitions of the log and of the interactions ahead of need; idempotency keys older than a day are forgotten.
-- lane slow
-- prepare lazy
select event.partition_ensure(), crm.partition_ensure(now(), 4), event.idempotency_expire()
