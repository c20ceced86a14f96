-- lab_verdict_get.sql — the verdict on one hypothesis.
-- $1 text slug
-- lane read
-- out known bool, body text (json; null: none yet)
select exists (select from lab.experiment x where x.slug = $1) as known,
       (select json_build_object('slug', v.slug, 'verdict', v.verdict, 'at', v.at, 'reasons', v.reasons, 'evidence', v.evidence_text::json,
                                 'stop_reason', x.stop_reason, 'rule_sha256', x.frozen_sha256, 'withdrawn_since', x.withdrawn
                                 - (v.evidence ->> 'withdrawn')::bigint)::text
          from lab.verdict v join lab.experiment x on x.slug = v.slug where v.slug = $1) as body
