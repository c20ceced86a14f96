-- password_reset_look.sql — whose password does this secret set?
-- $1 text     SHA-256 of the secret, in hex
-- lane read
-- out principal text (null: it is not known, was used or is over), name text, email text
select o.principal::text, o.name, o.email from access.reset_look(decode($1, 'hex')) o
