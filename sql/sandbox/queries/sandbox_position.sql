-- sandbox_position.sql — up to when the copy is: core's time of the newest control row, and its age now.
-- lane read
-- out as_of text (null: nothing has arrived), lag_ms bigint
select to_char(p.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
       (extract(epoch from clock_timestamp() - p.at) * 1000)::bigint
  from lab.position p
