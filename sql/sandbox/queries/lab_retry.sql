-- lab_retry.sql — work on the catalog failed and is tried again later.
-- $1 text slug
-- lane slow
-- prepare lazy
update lab.hypothesis set tries = tries + 1, retry_at = clock_timestamp() + least(5, 0.25 * power(2, least(tries, 5))) * interval '1 second'
 where slug = $1
