-- flag_expiring.sql — tell of the flags that expire soon, each once for each of two numbers of days.
-- $1 int   days before the expiry
-- $2 int   and days before it once more
-- $3 int   so many at most
-- lane slow
-- prepare lazy
-- out told int
select flag.expiring(array[$1, $2], $3)
