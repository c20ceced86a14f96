-- Flags: a revision that may move units which have been divided already says that it was meant; how a flag's life stands; and a notice
-- goes out before one expires.
ALTER TABLE flag.revision ADD COLUMN rebucket boolean NOT NULL DEFAULT false;
CREATE INDEX exposure_lately ON flag.exposure (flag, at DESC);

-- include functions/flag_lifecycle.sql
-- include functions/flag_expiring.sql

INSERT INTO notice.kind (name, label, ops, source, source_key, event_key, fields, recipients, subject, title, body, link, record, channels)
VALUES
	('flag.expiring', 'A flag of mine is about to expire', '{flag.expiring}', 'notice.flag_source', 'key', 'key',
	 '{purpose,business_owner,technical_owner}', '{named:business_owner,named:technical_owner}', 'flags/{key}',
	 'The flag {key} expires in {within}', 'At {expires_at} it serves its default. What it is for: {purpose}', '/flags/{key}',
	 '/v1/flags/{key}', '{app,email,webhook}');

GRANT EXECUTE ON FUNCTION flag.lifecycle(flag.flag, int) TO bimodal_app, bimodal_executor;
GRANT EXECUTE ON FUNCTION flag.expiring(int[], int) TO bimodal_executor;
