-- flag.ramp_json(ramp): a ramp as the API shows it: the plan, what has come of it, and what it waits for. planned_at of a step that has not
-- come: not before then, as far as time decides; null while the ramp is held or has ended.
CREATE FUNCTION flag.ramp_json(r flag.ramp) RETURNS json
LANGUAGE sql STABLE SET search_path = '' AS $$
	WITH plan AS (
		SELECT s.n::int - 1 AS i, s.step, coalesce(sum(coalesce((s.step ->> 'after_seconds')::int, 0)) OVER (ORDER BY s.n
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS seconds
		FROM jsonb_array_elements(r.steps) WITH ORDINALITY s (step, n)
	), present AS (
		SELECT p.seconds, p.step, CASE WHEN p.step ->> 'sample' IS NOT NULL THEN flag.ramp_seen(r) END AS seen,
			r.begun_at + make_interval(secs => (p.step ->> 'after_seconds')::int) AS due FROM plan p WHERE p.i = r.step
	), made AS (
		SELECT DISTINCT ON (m.step) m.step AS i, m.at, m.revision, m.actor FROM flag.ramp_move m
		WHERE m.ramp = r.id AND m.what IN ('start', 'step', 'back') ORDER BY m.step, m.n DESC
	), active AS (
		SELECT r.state IN ('running', 'held') AS yes
	)
	SELECT json_build_object('id', r.id, 'flag', r.flag, 'rule', r.rule_id, 'place', r.rule_place, 'state', r.state, 'step', r.step + 1,
		'coverage', flag.ramp_covers(r), 'coverage_before', r.coverage_before, 'comment', r.comment,
		'started_at', r.started_at, 'started_by', r.started_by, 'started_by_name', access.name_of(r.started_by), 'ended_at', r.ended_at,
		'held', CASE WHEN r.state = 'held' THEN json_build_object('at', r.held_at, 'by', r.held_by, 'by_name', access.name_of(r.held_by),
			'reason', r.held_reason) END,
		'waits_for', CASE WHEN a.yes THEN array_remove(ARRAY[
			CASE WHEN c.due > now() THEN 'time' END,
			CASE WHEN c.seen < (c.step ->> 'sample')::int THEN 'sample' END,
			CASE WHEN r.guardrails <> '[]' AND coalesce(r.judged_at < greatest(r.moved_at, coalesce(c.due, r.moved_at)), true) THEN 'judgement' END,
			CASE WHEN (c.step ->> 'approval')::boolean AND r.approved_at IS NULL THEN 'approval' END,
			CASE WHEN r.state = 'held' THEN 'resume' END], NULL) ELSE '{}' END,
		'seen', CASE WHEN a.yes THEN c.seen END,
		'approved', CASE WHEN r.approved_at IS NOT NULL THEN json_build_object('at', r.approved_at, 'by', r.approved_by,
			'by_name', access.name_of(r.approved_by)) END,
		'steps', (SELECT json_agg(json_build_object('coverage', p.step -> 'coverage', 'after_seconds', p.step -> 'after_seconds',
				'sample', p.step -> 'sample', 'approval', p.step -> 'approval',
				'planned_at', CASE WHEN p.i <= r.step THEN r.started_at + make_interval(secs => p.seconds)
					WHEN r.state = 'running' THEN r.begun_at + make_interval(secs => p.seconds - c.seconds) END,
				'begun_at', CASE WHEN p.i <= r.step THEN m.at END, 'revision', CASE WHEN p.i <= r.step THEN m.revision END,
				'by', CASE WHEN p.i <= r.step THEN m.actor END,
				'by_name', CASE WHEN p.i <= r.step THEN access.name_of(m.actor) END) ORDER BY p.i)
			FROM plan p LEFT JOIN made m ON m.i = p.i),
		'on_breach', r.on_breach, 'planned_units', r.planned_units, 'guarded_from', r.guarded_from, 'judged_at', r.judged_at,
		'guardrails', (SELECT coalesce(json_agg(g.value || jsonb_build_object('judged', r.judged -> g.n::int - 1) ORDER BY g.n), '[]')
			FROM jsonb_array_elements(r.guardrails) WITH ORDINALITY g (value, n)),
		'moves', (SELECT coalesce(json_agg(json_build_object('at', m.at, 'what', m.what, 'step', m.step + 1, 'coverage', m.coverage,
				'revision', m.revision, 'by', m.actor, 'by_name', access.name_of(m.actor), 'note', m.note) ORDER BY m.n), '[]')
			FROM (SELECT * FROM flag.ramp_move x WHERE x.ramp = r.id ORDER BY x.n DESC LIMIT 200) m))
	FROM active a, present c
$$;
