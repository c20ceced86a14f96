-- Whose secret a password comes from: who made it can sign in as its owner. So the owner is told, and his approval of a change of that
-- maker does not count as that of a second person. And e-mail on some days of the week only.
ALTER TABLE access.credential ADD COLUMN given_by text;
UPDATE access.credential c SET given_by = (SELECT l.actor FROM event.log l WHERE l.op = 'password.reset' AND l.record_id = c.principal
	ORDER BY l.seq DESC LIMIT 1);
ALTER TABLE notice.setting ADD COLUMN days int[] CHECK (cardinality(days) BETWEEN 1 AND 7 AND days <@ '{1,2,3,4,5,6,7}');

-- include functions/password_given.sql
-- include functions/approval_person_given.sql
-- include functions/notice_mail_due_days.sql
-- include functions/notice_settings_days.sql

INSERT INTO notice.kind (name, label, ops, recipients, subject, title, body, link, record, channels)
VALUES
	('password.reset', 'My password may be set anew', '{password.reset}', '{named:record}', 'users/{record}',
	 '{actor_name} made a secret that sets your password',
	 'Who has it can sign in as you, until {expires_at}. If you did not ask for it, tell another operator now.', '/me', '/v1/me',
	 '{app,email,webhook}'),
	('password.set', 'My password was set', '{password.set}', '{named:record}', 'users/{record}', 'Your password was set',
	 'Your other sessions have ended. If it was not you, have an operator set it anew now.', '/me', '/v1/me', '{app,email,webhook}');
