-- Takes the ledger with it: for rehearsals and development only.
DROP SCHEMA change CASCADE;
