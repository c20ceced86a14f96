-- notice_care.sql — forget old notices, e-mails and webhook messages.
-- $1 bigint   seconds to keep them
-- $2 int      notices of one principal at most
-- lane slow
-- prepare lazy
select notice.care(make_interval(secs => $1), $2), webhook.care(make_interval(secs => least($1, 2592000)), 5000)
