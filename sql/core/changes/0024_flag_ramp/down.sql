-- Ramps and schedules are lost: each flag stays at the coverage it has.
DELETE FROM notice.notice WHERE kind IN ('flag.ramp_held', 'flag.ramp_waits', 'flag.ramp_done', 'flag.schedule_failed');
DELETE FROM notice.kind WHERE name IN ('flag.ramp_held', 'flag.ramp_waits', 'flag.ramp_done', 'flag.schedule_failed');
CREATE OR REPLACE VIEW notice.flag_source AS
SELECT f.key, f.purpose, f.business_owner, f.technical_owner, f.created_by, (SELECT r.actor FROM flag.revision r
	WHERE r.key = f.key AND r.enabled ORDER BY r.revision DESC LIMIT 1) AS editor
FROM flag.flag f;
DROP TRIGGER ended ON flag.flag;
DROP TRIGGER ramp ON flag.revision;
DROP FUNCTION flag.ramps_end();
DROP FUNCTION flag.ramp_guard();
DROP FUNCTION flag.schedule_go(uuid, text);
DROP FUNCTION flag.schedule_document(flag.schedule, flag.revision);
DROP FUNCTION flag.schedule_cancel(text, uuid, uuid, text);
DROP FUNCTION flag.schedule_make(text, timestamptz, text, text, int, numeric, text, uuid, text);
DROP FUNCTION flag.schedule_end(uuid, text, bigint, text);
DROP FUNCTION flag.schedule_allowed(text, text);
DROP FUNCTION flag.schedule_json(flag.schedule);
DROP FUNCTION flag.ramp_judged(uuid, timestamptz, timestamptz, jsonb, text, text);
DROP FUNCTION flag.ramp_sums(uuid);
DROP FUNCTION flag.ramp_json(flag.ramp);
DROP FUNCTION flag.ramp_go(uuid, text);
DROP FUNCTION flag.ramp_next(flag.ramp);
DROP FUNCTION flag.ramp_wants(flag.ramp);
DROP FUNCTION flag.ramp_seen(flag.ramp);
DROP FUNCTION flag.ramp_turn(text, uuid, text, text, uuid, text);
DROP FUNCTION flag.ramp_start(text, text, int, jsonb, jsonb, text, int, text, uuid, text);
DROP FUNCTION flag.ramp_hindrance(flag.ramp, flag.revision);
DROP FUNCTION flag.ramp_end(uuid, text);
DROP FUNCTION flag.ramp_hold(uuid, text);
DROP FUNCTION flag.ramp_put(uuid, flag.revision, int, timestamptz, text, text);
DROP FUNCTION flag.ramp_covers(flag.ramp);
DROP FUNCTION flag.ramp_note(flag.ramp, text, numeric, bigint, text);
DROP FUNCTION flag.percent(numeric);
DROP FUNCTION flag.revise(flag.revision, jsonb, boolean, text);
DROP FUNCTION flag.is_protected(text);
DROP FUNCTION flag.by();
DROP FUNCTION flag.locked(text);
DROP FUNCTION flag.rule_named(jsonb, text, int);
DROP FUNCTION flag.rule_cover(jsonb, int, numeric);
DROP FUNCTION flag.rule_coverage(jsonb);
DROP FUNCTION flag.rule_hash(jsonb);
DROP FUNCTION flag.rule_place(jsonb, text, int);
DROP TABLE flag.schedule, flag.ramp_move, flag.ramp;
