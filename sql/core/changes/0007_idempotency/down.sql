DROP FUNCTION event.idempotency_expire();
DROP TABLE event.idempotency;
