-- lab_next_flag.sql — the next flag that core must make, turn off or archive.
-- lane slow
-- prepare lazy
-- out slug text, want text, key text, package text, deployment text, expires_at text, tries int
update lab.hypothesis u set flag_tries = u.flag_tries + 1,
       flag_retry_at = clock_timestamp() + least(5, 0.25 * power(2, least(u.flag_tries, 5))) * interval '1 second'
  from (select h.slug from lab.hypothesis h
         where h.flag_want <> h.flag_state and h.flag_state <> 'archived' and h.flag_retry_at <= clock_timestamp()
           and (h.flag_want <> 'made' or (h.remove_wanted_at is null and h.expires_at > clock_timestamp()))
         order by h.flag_retry_at, h.created_at
         limit 1) n
 where u.slug = n.slug
returning u.slug, u.flag_want, u.flag_key, convert_from(u.package, 'UTF8') as package, u.deployment::text,
          to_char(u.expires_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as expires_at, u.flag_tries
