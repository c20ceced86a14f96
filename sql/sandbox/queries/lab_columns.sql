-- lab_columns.sql — the columns of crm that a feature may read: what the registry publishes.
-- lane read
-- out table_name text, name text, type text
select c.table_name, c.name, c.type from change.published_columns() c order by c.table_name, c.place
