-- promotion_list.sql — the features core serves.
-- lane read
-- out body json (array)
select coalesce(json_agg(json_build_object('slug', f.slug, 'sha256', f.sha256, 'flag', f.flag_key, 'applied_at', f.applied_at,
                                           'business_owner', access.name_of(f.business_owner),
                                           'technical_owner', access.name_of(f.technical_owner),
                                           'change', json_build_object('id', r.id, 'number', r.number, 'title', r.title))
                         order by f.slug), '[]')
  from change.feature f join change.request r on r.id = f.request
