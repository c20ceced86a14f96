-- change_columns.sql — what a feature may read: the published columns, as the check of its package wants them.
-- lane slow
-- prepare lazy
-- out table_name text, name text
select c.table_name, c.name from change.published_columns() c
