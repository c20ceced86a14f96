-- live_notices.sql — the notices that the next events of the log made, or ended as tasks, from a position on to where the log has been
-- followed for notices; one row without a principal if there are none.
-- $1 xid8    position
-- $2 bigint
-- $3 xid8    up to this position; null: as far as it was followed
-- $4 bigint
-- $5 int     events at most
-- lane read
-- out followed_xid text, followed_seq text, last_xid text (null: no event), last_seq text, events int, principal text, notice text,
--     kind text, op text (new, done), xid text, seq text (of its event)
with followed as (
	select x.xid, x.seq, x.at from notice.state s cross join lateral (
		select e.xid, e.seq, e.at from event.log e
		 where (e.xid, e.seq) > ($1, $2) and (e.xid, e.seq) <= (s.xid, s.seq) and ($3 is null or (e.xid, e.seq) <= ($3, $4))
		 order by e.xid, e.seq limit $5) x
), last as (
	select f.xid, f.seq from followed f order by f.xid desc, f.seq desc limit 1
), found as (
	select n.principal, n.id, n.kind, 'new' as op, f.xid, f.seq
	  from followed f join notice.notice n on n.event = f.seq where n.app
	union all
	select n.principal, n.id, n.kind, 'done', f.xid, f.seq
	  from followed f join notice.notice n on n.done_at = f.at where n.app
)
select s.xid::text, s.seq::text, l.xid::text, l.seq::text, (select count(*) from followed)::int, f.principal::text, f.id::text, f.kind, f.op,
       f.xid::text, f.seq::text
  from notice.state s left join last l on true left join found f on true
 order by f.xid, f.seq, f.id
