DROP FUNCTION lab.propose(text, uuid, jsonb, text, bytea, uuid, bigint), lab.want_remove(text, uuid), lab.want_stop(text, uuid),
	lab.promoted(text, uuid, uuid), lab.deployed(text, text, text), lab.removed(text), lab.flag_done(text, text, bigint),
	lab.deploy_failed(text, text), lab.verdict_record(text, text, jsonb, text, text), lab.consume(int), lab.purge(uuid[]),
	lab.orphans(), lab.registry_followed(), lab.registry_hash();
DROP TABLE lab.registry, lab.journal, lab.verdict, lab.result, lab.unit_metric, lab.dirty, lab.exposure, lab.experiment_metric,
	lab.experiment, lab.feature, lab.hypothesis;
DROP FUNCTION lab.keep_frozen(), change.append_only();
GRANT DELETE ON lab.outbox TO bimodal_app;
