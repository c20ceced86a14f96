-- Flags: who asks for which, and with which program. A count a day for each flag ('' stands for all at once), principal, program and
-- daemon, whether there is such a flag or not; and who holds event streams now. Measurements like exposures, not writes of a record.
CREATE TABLE flag.asked (
	flag text NOT NULL CHECK (length(flag) <= 100),
	day date NOT NULL,
	principal uuid NOT NULL,
	client text NOT NULL CHECK (length(client) BETWEEN 1 AND 40),
	daemon text NOT NULL CHECK (daemon IN ('core', 'sandbox')),
	count bigint NOT NULL CHECK (count > 0),
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	known boolean NOT NULL,
	PRIMARY KEY (flag, day, principal, client, daemon)
);
CREATE INDEX asked_principal ON flag.asked (principal, day);
CREATE INDEX asked_unknown ON flag.asked (day, principal) WHERE NOT known;
CREATE INDEX asked_day ON flag.asked (day);

CREATE TABLE flag.stream (
	daemon text NOT NULL CHECK (daemon IN ('core', 'sandbox')),
	instance text NOT NULL CHECK (length(instance) BETWEEN 1 AND 60),
	worker int NOT NULL,
	principal uuid NOT NULL,
	client text NOT NULL CHECK (length(client) BETWEEN 1 AND 40),
	open int NOT NULL CHECK (open > 0),
	seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (daemon, instance, worker, principal, client)
);

-- include functions/flag_asked.sql

GRANT SELECT ON flag.asked, flag.stream TO bimodal_app, bimodal_executor;
GRANT DELETE ON flag.asked, flag.stream TO bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.asked_add(text, text, int, jsonb, jsonb) TO bimodal_app;
