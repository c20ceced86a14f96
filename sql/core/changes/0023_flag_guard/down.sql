DELETE FROM notice.notice WHERE kind = 'flag.expiring';
DELETE FROM notice.channel WHERE about = 'flag.expiring';
DELETE FROM notice.kind WHERE name = 'flag.expiring';
DELETE FROM notice.warned WHERE what LIKE 'flag:%';
DROP FUNCTION flag.expiring(int[], int);
DROP FUNCTION flag.lifecycle(flag.flag, int);
DROP INDEX flag.exposure_lately;
ALTER TABLE flag.revision DROP COLUMN rebucket;
