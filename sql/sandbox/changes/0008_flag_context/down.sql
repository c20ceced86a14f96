-- What was kept is lost: the hash decides again.
DROP TRIGGER sticky ON lab.outbox;
DROP TRIGGER anew ON flag.flag;
DROP TABLE lab.sticky;
DROP FUNCTION lab.sticky_orphans();
DROP FUNCTION lab.person_gone();
DROP FUNCTION lab.sticky_add(text[], text[], text[], text[], text[], bigint[], text[]);
DROP FUNCTION lab.sticky_forget(int);
DROP FUNCTION lab.begun_anew();
DROP FUNCTION lab.kept(text[], text[], text, jsonb[], text[], text[]);
DROP FUNCTION lab.who(text, text);
