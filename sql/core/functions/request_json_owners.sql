-- change.request_json(id): a request as the API shows it; the package only by size, since its hash names it.
CREATE FUNCTION change.request_json(p_request uuid) RETURNS json
LANGUAGE sql STABLE SET search_path = '' AS $$
SELECT json_build_object('id', r.id, 'number', r.number, 'kind', r.kind, 'state', r.state, 'title', r.title, 'why', r.why,
	'benefit', r.benefit, 'risk', r.risk, 'business_owner', access.name_of(r.business_owner),
	'technical_owner', access.name_of(r.technical_owner),
	'author', r.author, 'filed_by', r.filed_by, 'slug', r.slug, 'sha256', r.sha256, 'closure_hash', r.closure_hash,
	'fingerprint_before', r.fingerprint_before, 'fingerprint_after', r.fingerprint_after, 'error', r.error,
	'created_at', r.created_at, 'updated_at', r.updated_at, 'rehearsed_at', r.rehearsed_at, 'applied_at', r.applied_at,
	'rolled_back_at', r.rolled_back_at,
	'up', r.up, 'down', r.down, 'verify', r.verify, 'package_bytes', octet_length(r.package), 'evidence', r.evidence,
	'report', r.report,
	'approvals', (SELECT coalesce(json_agg(json_build_object('principal', a.principal, 'sha256', a.sha256,
		'closure_hash', a.closure_hash, 'at', a.at, 'note', a.note) ORDER BY a.at), '[]')
		FROM change.approval a WHERE a.request = r.id),
	'intent', (SELECT json_build_object('id', i.id, 'kind', i.kind, 'state', i.state, 'phase', i.phase, 'actor', i.actor,
		'at', i.at, 'started_at', i.started_at, 'ended_at', i.ended_at, 'attempts', i.attempts, 'error', i.error)
		FROM change.intent i WHERE i.request = r.id ORDER BY i.id DESC LIMIT 1))
FROM change.request r WHERE r.id = p_request
$$;
