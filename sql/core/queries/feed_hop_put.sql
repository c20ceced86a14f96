-- feed_hop_put.sql — keep what was seen of one hop.
-- $1 text   hop
-- $2 jsonb  state
-- lane slow
-- prepare lazy
insert into change.feed_hop as h (hop, at, state) values ($1, clock_timestamp(), $2)
on conflict (hop) do update set at = excluded.at, state = excluded.state
