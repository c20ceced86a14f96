-- live_feed.sql — how each hop of the feed is, in one word: unknown (nobody has looked for 10 s), away (the other side is not there),
-- copying (made anew), broken, late, well.
-- $1 bigint  milliseconds that a copy may be behind before it is late
-- lane read
-- out hop text, word text
select h.hop, case
       when h.at < clock_timestamp() - interval '10 s' then 'unknown'
       when h.hop = 'core-airlock' then case
            when not coalesce((h.state->>'airlock_reached')::boolean, false) then 'away'
            when exists (select from jsonb_array_elements(h.state->'subscriptions') s where (s->>'resyncing')::boolean) then 'copying'
            when not exists (select from jsonb_array_elements(h.state->'subscriptions') s where (s->>'running')::boolean)
              or exists (select from jsonb_array_elements(h.state->'subscriptions') s where not (s->>'running')::boolean) then 'broken'
            when coalesce((h.state->>'lag_ms')::bigint > $1, true) then 'late'
            else 'well' end
       when exists (select from jsonb_array_elements(h.state->'slots') s where s->>'wal_status' = 'lost') then 'broken'
       when not exists (select from jsonb_array_elements(h.state->'slots') s where (s->>'active')::boolean)
         or exists (select from jsonb_array_elements(h.state->'slots') s where not (s->>'active')::boolean) then 'away'
       else 'well' end
  from change.feed_hop h
 order by h.hop
