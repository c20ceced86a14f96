-- lab_experiment_get.sql — one experiment: the frozen rule, where it stands, its newest look.
-- $1 text slug
-- lane read
-- out body text (json), state text, has_verdict bool
select row_to_json(y)::text as body, x.state, exists (select from lab.verdict v where v.slug = x.slug) as has_verdict
  from lab.experiment x
  cross join lateral (
       select x.slug, x.state, x.flag_key as flag, x.started_at, x.planned_end, x.planned_units, x.ended_at, x.stop_reason, x.withdrawn, x.fold_error,
              x.frozen_sha256 as rule_sha256, x.frozen::json as rule,
              (select count(*) from lab.exposure e where e.flag = x.flag_key) as exposed,
              (select r.body from lab.result r where r.slug = x.slug order by r.id desc limit 1) as latest,
              (select v.verdict from lab.verdict v where v.slug = x.slug) as verdict) y
 where x.slug = $1
