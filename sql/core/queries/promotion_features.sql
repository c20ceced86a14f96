-- promotion_features.sql — every feature that core serves, with the schema generation it was read at.
-- lane read
-- out generation bigint, slug text (null: there is no feature), sha256 text, flag_key text, password text, package text (hex),
-- out applied_at timestamptz, request uuid
select s.schema_generation as generation, f.slug, f.sha256, f.flag_key, f.password, encode(f.package, 'hex') as package, f.applied_at,
       f.request
  from change.state s left join change.feature f on true
 order by f.slug
