-- lab_hypothesis_list.sql — hypotheses in the order of their slugs.
-- $1 text only slugs after this one ('' from the start)
-- $2 int  at most so many
-- $3 text state, or null for all
-- lane read
-- out body text (json)
with page as (
	select h.slug, h.manifest ->> 'title' as title, h.state, h.sha256, h.deployed_at, h.expires_at, h.is_deployed as deployed, h.flag_key as flag,
	       h.flag_state, v.verdict
	  from lab.hypothesis h
	  left join lab.verdict v on v.slug = h.slug
	 where h.slug collate "C" > $1 collate "C" and ($3 is null or h.state = $3)
	 order by h.slug collate "C"
	 limit $2 + 1
), kept as (
	select * from page order by slug collate "C" limit $2
)
select json_build_object('data', coalesce((select json_agg(row_to_json(k) order by k.slug collate "C") from kept k), '[]'),
       'page', json_build_object('next', case when (select count(*) from page) > $2 then (select max(k.slug collate "C") from kept k) end,
                                 'has_more', (select count(*) from page) > $2))::text as body
