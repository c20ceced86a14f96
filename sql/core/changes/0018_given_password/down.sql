DELETE FROM notice.notice WHERE kind IN ('password.reset', 'password.set');
DELETE FROM notice.channel WHERE about IN ('password', 'password.reset', 'password.set');
DELETE FROM notice.kind WHERE name IN ('password.reset', 'password.set');
DROP FUNCTION notice.settings_put(uuid, jsonb);
DROP FUNCTION notice.settings_json(uuid);
DROP FUNCTION notice.mail_due(notice.setting, timestamptz);
DROP FUNCTION change.approval_person() CASCADE;
DROP FUNCTION access.reset_use(bytea, text);
ALTER TABLE notice.setting DROP COLUMN days;
ALTER TABLE access.credential DROP COLUMN given_by;
-- include functions/notice_settings.sql
-- include functions/notice_mail_due.sql
-- include functions/approval_person.sql
CREATE TRIGGER person BEFORE INSERT OR UPDATE OF principal ON change.approval
	FOR EACH ROW EXECUTE FUNCTION change.approval_person();
GRANT EXECUTE ON FUNCTION notice.settings_put(uuid, jsonb), notice.settings_json(uuid) TO bimodal_app;
-- access.reset_use(hash, phc) -> the generation, or NULL: the secret works once.
CREATE FUNCTION access.reset_use(p_hash bytea, p_phc text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	v_principal uuid;
BEGIN
	DELETE FROM access.password_reset r USING access.principal p WHERE r.hash = p_hash AND r.expires_at > now() AND p.id = r.principal
		AND p.disabled_at IS NULL RETURNING r.principal INTO v_principal;
	IF v_principal IS NULL THEN
		RETURN NULL;
	END IF;
	PERFORM set_config('bimodal.actor', v_principal::text, true);
	RETURN access.password_set(v_principal, p_phc, NULL);
END $$;
GRANT EXECUTE ON FUNCTION access.reset_use(bytea, text) TO bimodal_app;
