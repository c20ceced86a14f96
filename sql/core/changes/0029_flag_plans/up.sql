-- Flags: nobody goes round a second person by a plan that acts by itself; and a flag may belong to a team.
ALTER TABLE flag.flag ADD COLUMN team uuid REFERENCES access.team;

-- include functions/flag_plans.sql

CREATE TRIGGER protected BEFORE INSERT ON flag.ramp FOR EACH ROW EXECUTE FUNCTION flag.plan_protected();
CREATE TRIGGER protected BEFORE INSERT ON flag.schedule FOR EACH ROW EXECUTE FUNCTION flag.plan_protected();
