-- Schema lab: what the feed leaves for the sandbox's jobs.
CREATE SCHEMA lab;
GRANT USAGE ON SCHEMA lab TO bimodal_app, bimodal_deployer, bimodal_apply;

CREATE TABLE lab.outbox (
	id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	tab text NOT NULL,
	op text NOT NULL CHECK (op IN ('insert', 'update', 'delete')),
	kind text NOT NULL CHECK (kind IN ('live', 'copy')),
	row_id uuid,
	unit uuid
);

-- lsn and at are core's; lag is received_at - at plus the age of received_at.
CREATE TABLE lab.position (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	lsn pg_lsn,
	at timestamptz,
	received_at timestamptz,
	resyncing boolean NOT NULL DEFAULT false
);
INSERT INTO lab.position DEFAULT VALUES;

-- include functions/lab_feed.sql

CREATE TRIGGER control AFTER INSERT OR UPDATE ON crm.feed_control
	FOR EACH ROW EXECUTE FUNCTION lab.control();
ALTER TABLE crm.feed_control ENABLE ALWAYS TRIGGER control;

GRANT SELECT, DELETE ON lab.outbox TO bimodal_app, bimodal_deployer;
GRANT SELECT ON lab.position TO bimodal_app, bimodal_deployer;
