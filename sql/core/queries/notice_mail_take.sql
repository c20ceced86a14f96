-- notice_mail_take.sql — messages to send now.
-- $1 int      at most
-- $2 bigint   microseconds until another process may take them
-- lane slow
-- prepare lazy
-- out mail uuid, address text, attempts int, tries int, at_us bigint, notices json
select t.mail, t.address, t.attempts, t.tries, (extract(epoch from t.at) * 1000000)::bigint, t.notices
  from notice.mail_take($1, make_interval(secs => $2 / 1000000.0)) t
