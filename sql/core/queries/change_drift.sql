-- change_drift.sql — is the catalog the approved one? As the jobs child last saw it.
-- lane read
-- out body json
select json_build_object('fingerprint', s.fingerprint, 'frozen', s.drift is not null, 'lines', coalesce(s.drift, '[]'),
                         'checked_at', s.checked_at, 'accepted_at', s.accepted_at)
  from change.state s
