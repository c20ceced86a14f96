-- live_read.sql — the next rows of the log after a position, in its order (xid, seq), of finished transactions only; one row without an
-- op if there are none. Of a record only what tells whose it is, and was; nothing else of an image.
-- $1 xid8    position
-- $2 bigint
-- $3 xid8    up to this position; null: to the horizon
-- $4 bigint
-- $5 int     rows at most
-- lane read
-- out horizon text, xid text, seq text, op text, resource text, record text, version int, actor text, owner text, owner_before text,
--     key text, revision text, state text
select h.xid::text, l.xid::text, l.seq::text, l.op, l.resource, l.record_id::text, l.version, l.actor,
       case when l.op in ('create', 'update') then l.after->>'owner' end,
       case when l.op in ('update', 'delete') then l.before->>'owner' end,
       case when l.resource = 'flags' then left(l.after->>'key', 200) end,
       case when l.resource = 'flags' then left(l.after->>'revision', 20) end,
       case when l.resource = 'changes' then left(l.after->>'state', 40) end
  from (select pg_snapshot_xmin(pg_current_snapshot()) as xid) h
  left join lateral (
	select e.* from event.log e
	 where (e.xid, e.seq) > ($1, $2) and e.xid < h.xid and ($3 is null or (e.xid, e.seq) <= ($3, $4))
	 order by e.xid, e.seq limit $5
  ) l on true
 order by l.xid, l.seq
