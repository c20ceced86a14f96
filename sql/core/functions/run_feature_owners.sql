-- change.feature_put(): in the transaction that brings a feature in: the workers serve it from now on, under its own login. Its flag
-- becomes a release with the same document, so that every unit keeps its variant; p_document is for a flag that is gone. The feature's
-- owners are those of the request; a flag that is still served keeps its own.
CREATE FUNCTION change.feature_put(p_request uuid, p_flag_key text, p_password text, p_document jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
DECLARE
	r change.request;
	v_actor uuid := current_setting('bimodal.actor')::uuid;
	v_revision bigint;
BEGIN
	SELECT * INTO STRICT r FROM change.request WHERE id = p_request;
	INSERT INTO change.feature (slug, request, sha256, package, flag_key, password, business_owner, technical_owner)
	VALUES (r.slug, r.id, r.sha256, r.package, p_flag_key, p_password, r.business_owner, r.technical_owner);
	INSERT INTO flag.flag (key, kind, purpose, business_owner, technical_owner, expires_at, created_by)
	VALUES (p_flag_key, 'release', r.title, r.business_owner, r.technical_owner, now() + interval '1 year', v_actor)
	ON CONFLICT (key) DO UPDATE SET kind = 'release', archived_at = NULL,
		business_owner = CASE WHEN flag.flag.archived_at IS NULL THEN flag.flag.business_owner ELSE excluded.business_owner END,
		technical_owner = CASE WHEN flag.flag.archived_at IS NULL THEN flag.flag.technical_owner ELSE excluded.technical_owner END,
		expires_at = greatest(flag.flag.expires_at, excluded.expires_at);
	INSERT INTO flag.revision (key, document, enabled, core_only, actor, comment)
	SELECT f.key, coalesce(o.document, p_document), true, coalesce(o.core_only, false), v_actor, 'promoted by change ' || r.number
	FROM flag.flag f LEFT JOIN flag.revision o ON o.revision = f.revision WHERE f.key = p_flag_key
	RETURNING revision INTO v_revision;
	PERFORM event.note('flags', NULL, 'flag.promote', jsonb_build_object('key', p_flag_key, 'revision', v_revision, 'change', r.number));
END $$;

CREATE FUNCTION change.feature_drop(p_slug text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = '' AS $$
DELETE FROM change.feature WHERE slug = p_slug
$$;
