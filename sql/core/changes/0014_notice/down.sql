DELETE FROM access.ending WHERE relation = 'webhook.endpoint';
DROP TRIGGER told ON change.ledger;
DROP SCHEMA notice CASCADE;
DROP SCHEMA webhook CASCADE;
