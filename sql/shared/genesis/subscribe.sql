-- One subscription, by superuser with psql: -v subscription=… -v publication=… -v conninfo=…
-- CREATE SUBSCRIPTION makes the slot of the same name upstream, so it cannot stand in a transaction. The new owner
-- must be superuser at the hand-over only; from then on a worker has just the rights on the tables.
-- disable_on_error stays off: in PostgreSQL 15 a publisher that is shut down is an error of the apply worker too, so that each
-- clean restart upstream would end the feed. A worker that cannot apply tries again; apply_error_count and the missing worker
-- show in GET /v1/feed of both daemons and in their metrics.
CREATE SUBSCRIPTION :"subscription" CONNECTION :'conninfo' PUBLICATION :"publication"
	WITH (disable_on_error = false, enabled = false);
BEGIN;
ALTER ROLE bimodal_apply SUPERUSER;
ALTER SUBSCRIPTION :"subscription" OWNER TO bimodal_apply;
ALTER ROLE bimodal_apply NOSUPERUSER;
ALTER SUBSCRIPTION :"subscription" ENABLE;
COMMIT;
