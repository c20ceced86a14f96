-- change_base_state.sql — what a rehearsal starts from: the accepted fingerprint, who owns the guard, the changes applied so far, the day.
-- lane slow
-- prepare lazy
-- out fingerprint text, guard_owner text, applied text (ids with commas), lines text (hashes of the accepted lines), day text
select s.fingerprint, (select pg_get_userbyid(n.nspowner)::text from pg_namespace n where n.nspname = 'guard') as guard_owner,
       (select string_agg(r.id::text, ',' order by r.applied_at, r.number) from change.request r where r.state = 'applied') as applied,
       (select string_agg('''' || encode(l.hash, 'hex') || '''', ',') from change.accepted_line l) as lines,
       (clock_timestamp() at time zone 'UTC')::date::text as day
  from change.state s
