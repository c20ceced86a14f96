-- notice_mail_done.sql — what became of one attempt to send a message.
-- $1 uuid     message
-- $2 int      attempt
-- $3 text     sent, again or dead
-- $4 text     error
-- $5 bigint   milliseconds until the next attempt
-- lane slow
-- prepare lazy
select notice.mail_done($1, $2, $3, $4, $5)
