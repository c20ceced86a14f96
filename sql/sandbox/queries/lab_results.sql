-- lab_results.sql — the looks at one experiment, newest first.
-- $1 text slug
-- $2 int  at most so many
-- lane read
-- out known bool, body text (json)
select exists (select from lab.experiment x where x.slug = $1) as known,
       json_build_object('data', coalesce((select json_agg(json_build_object('at', r.at, 'result', r.body) order by r.id desc)
         from (select * from lab.result r where r.slug = $1 order by r.id desc limit $2) r), '[]'))::text as body
