-- flag_person_seen.sql — the unit of a person for the flags, if the person is among those that may be seen. It stays inside the worker.
-- $1 uuid   person's id
-- $2 text[] owners whose people may be seen; null: all
-- lane read
-- prepare lazy
-- out pseudonym text
select p.pseudonym::text from crm.person p where p.id = $1 and ($2::text[] is null or p.owner = any ($2))
