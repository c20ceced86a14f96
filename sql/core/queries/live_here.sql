-- live_here.sql — where the log stands: all before it is finished, and no later commit can come before it; and how far it was followed
-- for notices.
-- lane read
-- out xid text, seq text, notice_xid text, notice_seq text
select pg_snapshot_xmin(pg_current_snapshot())::text, '0', s.xid::text, s.seq::text from notice.state s
