-- Flags: one draft a flag, what two documents differ in, and one place that decides what stays in core.
CREATE TABLE flag.draft (
	key text PRIMARY KEY REFERENCES flag.flag,
	document jsonb NOT NULL,
	base bigint NOT NULL REFERENCES flag.revision,
	author uuid NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	comment text NOT NULL DEFAULT ''
);

-- include functions/flag_core_only.sql
-- include functions/flag_diff.sql

GRANT SELECT, INSERT, UPDATE, DELETE ON flag.draft TO bimodal_app;
GRANT EXECUTE ON FUNCTION flag.core_only(jsonb), flag.diff(jsonb, jsonb) TO bimodal_app, bimodal_executor;
