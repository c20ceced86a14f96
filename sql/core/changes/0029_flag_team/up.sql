-- A flag may belong to a team.
ALTER TABLE flag.flag ADD COLUMN team uuid REFERENCES access.team;
