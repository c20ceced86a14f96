-- flag_expired.sql — is there a flag to be archived? Asked first, because even an update of no row raises the generation.
-- lane slow
-- prepare lazy
-- out n int
select count(*)::int from flag.flag f where f.archived_at is null and f.expires_at <= now()
