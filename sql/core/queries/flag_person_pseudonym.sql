-- flag_person_pseudonym.sql — the unit of a person for the flags. It stays inside the worker: no answer carries it.
-- $1 uuid   person's id
-- lane read
-- out pseudonym text
select p.pseudonym::text from crm.person p where p.id = $1
