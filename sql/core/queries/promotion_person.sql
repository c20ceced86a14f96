-- promotion_person.sql — the unit of a person whose id was given. A person without consent to analysis has none here either.
-- $1 uuid   person's id
-- lane read
-- out pseudonym text
select p.pseudonym::text from crm.person p where p.id = $1 and p.lab_ok
