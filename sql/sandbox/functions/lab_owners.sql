-- lab.owners_begin(): a new hypothesis belongs to whom its manifest names.
CREATE FUNCTION lab.owners_begin() RETURNS trigger
LANGUAGE plpgsql SET search_path = '' AS $$
BEGIN
	NEW.business_name := NEW.manifest ->> 'business_owner';
	NEW.technical_name := NEW.manifest ->> 'technical_owner';
	RETURN NEW;
END $$;

-- lab.owners_are(slug, pair, names): whose flag it is in core now. The journal tells of a pair that took the place of another.
CREATE FUNCTION lab.owners_are(p_slug text, p_business uuid, p_technical uuid, p_business_name text, p_technical_name text) RETURNS void
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	v_was lab.hypothesis;
BEGIN
	SELECT * INTO v_was FROM lab.hypothesis h WHERE h.slug = p_slug FOR UPDATE;
	UPDATE lab.hypothesis SET business_owner = p_business, technical_owner = p_technical, business_name = p_business_name,
		technical_name = p_technical_name WHERE slug = p_slug;
	IF (v_was.business_name, v_was.technical_name) <> (p_business_name, p_technical_name) THEN
		INSERT INTO lab.journal (slug, kind, actor, body) VALUES (p_slug, 'owners', 'system:owners', jsonb_build_object(
			'was', jsonb_build_array(v_was.business_name, v_was.technical_name),
			'are', jsonb_build_array(p_business_name, p_technical_name)));
	END IF;
END $$;
