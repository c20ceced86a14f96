ALTER TABLE flag.flag DROP COLUMN team;
