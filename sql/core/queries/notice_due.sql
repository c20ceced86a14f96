-- notice_due.sql — tell what is about to happen: tokens that expire.
-- lane slow
-- prepare lazy
-- out told int
select notice.due(100)
