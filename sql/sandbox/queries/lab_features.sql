-- lab_features.sql — every deployed feature, for the runtime of a worker or the jobs child; one row with slug null if there is none.
-- lane slow
-- out slug text, sha256 text, password text, package text, generation bigint
select f.slug, f.sha256, f.password, f.package, s.schema_generation as generation
  from change.state s
  left join (select h.slug, h.sha256, p.password, convert_from(h.package, 'UTF8') as package
               from lab.hypothesis h join lab.feature p on p.slug = h.slug where h.is_deployed) f on true
