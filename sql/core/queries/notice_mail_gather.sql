-- notice_mail_gather.sql — put what is due into messages.
-- lane slow
-- prepare lazy
-- out made int
select notice.mail_gather(100)
