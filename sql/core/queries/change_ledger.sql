-- change_ledger.sql — the ledger from its beginning, its head, and whether the chain holds.
-- $1 bigint  only rows after this one
-- $2 int     at most so many; one more is read to see whether there are more
-- $3 bool    recompute the whole chain
-- lane read
-- out body text (json array), has_more bool, next bigint, head json, broken json (null: not asked for)
with page as (
	select l.seq, l.at, l.actor, l.kind, l.ref, l.body, encode(l.body_hash, 'hex') as body_hash, encode(l.prev, 'hex') as prev,
	       encode(l.hash, 'hex') as hash
	  from change.ledger l
	 where l.seq > $1
	 order by l.seq
	 limit $2 + 1
), kept as (
	select * from page order by seq limit $2
)
select coalesce((select json_agg(row_to_json(k) order by k.seq) from kept k), '[]'::json)::text as body,
       (select count(*) from page) > $2 as has_more, (select max(k.seq) from kept k) as next,
       (select json_build_object('seq', l.seq, 'hash', encode(l.hash, 'hex')) from change.ledger l order by l.seq desc limit 1) as head,
       case when $3 then (select coalesce(json_agg(b.seq), '[]') from (select seq from change.ledger_broken order by seq limit 10) b) end
           as broken
