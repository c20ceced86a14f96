-- webhook_take.sql — deliveries to make now.
-- $1 int      at most
-- $2 int      of one endpoint under way at most
-- $3 bigint   microseconds until another process may take them
-- lane slow
-- prepare lazy
-- out delivery uuid, message uuid, attempts int, tries int, url text, payload text, secrets text (hex, with commas)
select t.delivery, t.message, t.attempts, t.tries, t.url, t.payload, t.secrets
  from webhook.take($1, $2, make_interval(secs => $3 / 1000000.0)) t
