-- segment_list.sql — the segments, or one of them.
-- $1 text name; null: all
-- lane read
-- prepare lazy
-- out body text, version int, resource text
select flag.segment_json(x)::text as body, x.version, x.resource from flag.segment x where $1::text is null or x.name = $1 order by x.name
