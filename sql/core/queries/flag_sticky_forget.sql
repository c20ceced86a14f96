-- flag_sticky_forget.sql — what was kept for flags that have ended.
-- $1 int at most so many rows
-- lane slow
-- prepare lazy
-- out forgotten bigint
select flag.sticky_forget($1) as forgotten
