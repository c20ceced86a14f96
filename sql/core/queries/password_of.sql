-- password_of.sql — what the password of a principal is compared with, and the names a new one must not be.
-- $1 uuid   principal
-- lane read
-- out name text, email text, phc text
select o.name, o.email, o.phc from access.password_of($1) o
