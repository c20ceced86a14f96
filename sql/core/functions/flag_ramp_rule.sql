-- What a ramp or a schedule needs to know of one rule of a document: where it is, that it is still the same, and how much it takes in.

-- Its place: by its id where it has one, which must be the only one; else by the place it had. Null: it is not there.
CREATE FUNCTION flag.rule_place(p_document jsonb, p_id text, p_place int) RETURNS int
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT CASE WHEN p_id IS NULL THEN CASE WHEN jsonb_typeof(p_document -> 'rules' -> p_place) = 'object' THEN p_place END
		ELSE (SELECT min(r.n)::int - 1 FROM jsonb_array_elements(p_document -> 'rules') WITH ORDINALITY r (rule, n)
			WHERE r.rule ->> 'id' = p_id HAVING count(*) = 1) END
$$;

-- All of it but the coverage.
CREATE FUNCTION flag.rule_hash(p_rule jsonb) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT encode(sha256(convert_to((p_rule #- '{coverage}' #- '{experiment,coverage}')::text, 'UTF8')), 'hex')
$$;

CREATE FUNCTION flag.rule_coverage(p_rule jsonb) RETURNS numeric
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT coalesce((p_rule -> 'experiment' ->> 'coverage')::numeric, (p_rule ->> 'coverage')::numeric, 1)
$$;

-- The document with another coverage of one rule.
CREATE FUNCTION flag.rule_cover(p_document jsonb, p_place int, p_coverage numeric) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = '' AS $$
	SELECT jsonb_set(p_document, CASE WHEN p_document -> 'rules' -> p_place ? 'experiment'
		THEN ARRAY['rules', p_place::text, 'experiment', 'coverage'] ELSE ARRAY['rules', p_place::text, 'coverage'] END,
		to_jsonb(p_coverage))
$$;

-- The rule that a request names by its id or its place, or by neither where there is but one: its place, and its id if that is unique.
-- Only a rule that divides can have another coverage.
CREATE FUNCTION flag.rule_named(p_document jsonb, INOUT p_id text, INOUT p_place int) RETURNS record
LANGUAGE plpgsql IMMUTABLE SET search_path = '' AS $$
DECLARE
	v_rule jsonb;
	v_many int := coalesce(jsonb_array_length(p_document -> 'rules'), 0);
BEGIN
	PERFORM access.must(p_id IS NOT NULL OR p_place IS NOT NULL OR v_many = 1, 'rule',
		format('the flag has %s rules: name one by its id or its place', v_many));
	IF p_id IS NULL AND p_place IS NULL THEN
		p_place := 0;
	END IF;
	p_place := flag.rule_place(p_document, p_id, p_place);
	PERFORM access.must(p_place IS NOT NULL, 'rule', 'the flag has no such rule, or more than one of that id');
	v_rule := p_document -> 'rules' -> p_place;
	p_id := CASE WHEN flag.rule_place(p_document, v_rule ->> 'id', p_place) = p_place THEN v_rule ->> 'id' END;
	PERFORM access.must((v_rule ? 'force' AND NOT v_rule ? 'range') OR (v_rule ? 'experiment' AND NOT v_rule -> 'experiment' ? 'ranges'),
		'rule', 'must be a rule with "force" or "experiment" and without ranges of its own');
END $$;

-- The present revision of a flag that lives; its row is locked. What is read after that is as of the lock.
CREATE FUNCTION flag.locked(p_key text) RETURNS flag.revision
LANGUAGE plpgsql SET search_path = '' AS $$
DECLARE
	f flag.flag;
	o flag.revision;
BEGIN
	SELECT * INTO f FROM flag.flag x WHERE x.key = p_key FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no flag "%"', p_key USING ERRCODE = 'CR404';
	ELSIF f.archived_at IS NOT NULL OR f.expires_at <= now() THEN
		RAISE EXCEPTION 'the flag "%" has ended', p_key USING ERRCODE = 'CR410';
	END IF;
	SELECT * INTO STRICT o FROM flag.revision x WHERE x.revision = f.revision;
	RETURN o;
END $$;

-- Does it take two people to change the flag? (A later change gives flags that column.)
CREATE FUNCTION flag.is_protected(p_key text) RETURNS boolean
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT coalesce((to_jsonb(f) ->> 'protected')::boolean, false) FROM flag.flag f WHERE f.key = p_key
$$;

-- Whose write this transaction is, if a principal's.
CREATE FUNCTION flag.by() RETURNS uuid
LANGUAGE sql STABLE SET search_path = '' AS $$
	SELECT CASE WHEN current_setting('bimodal.actor', true) ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
		THEN current_setting('bimodal.actor')::uuid END
$$;

-- The next revision of a flag by what acts by itself: its actor is nobody's id where no principal is at work.
CREATE FUNCTION flag.revise(p_from flag.revision, p_document jsonb, p_enabled boolean, p_comment text) RETURNS bigint
LANGUAGE sql SET search_path = '' AS $$
	INSERT INTO flag.revision (key, document, enabled, core_only, actor, comment)
	VALUES (p_from.key, p_document, p_enabled, flag.core_only(p_document),
		coalesce(flag.by(), '00000000-0000-0000-0000-000000000000'), p_comment)
	RETURNING revision
$$;
