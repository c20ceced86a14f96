-- What waits is lost, and every flag changes by one person again.
DELETE FROM notice.notice WHERE kind IN ('flag.waiting', 'flag.approved', 'flag.rejected');
DELETE FROM notice.channel WHERE about IN ('flag.waiting', 'flag.approved', 'flag.rejected');
DELETE FROM notice.kind WHERE name IN ('flag.waiting', 'flag.approved', 'flag.rejected');
DROP TRIGGER protected ON flag.revision;
DROP FUNCTION flag.revision_protected();
DROP FUNCTION flag.request_file(uuid, text, text, text, jsonb, boolean, text, bigint);
DROP FUNCTION flag.request_approve(uuid, text, uuid, text, text);
DROP FUNCTION flag.request_end(uuid, text, uuid, text, text);
DROP FUNCTION flag.request_json(uuid);
DROP FUNCTION flag.protect(uuid, text, text);
DROP FUNCTION flag.request_what(text);
ALTER TABLE flag.revision DROP COLUMN request;
DROP TABLE flag.request;
ALTER TABLE flag.flag DROP COLUMN protected;
