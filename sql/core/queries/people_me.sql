-- people_me.sql — what the database knows of the one who asks.
-- $1 uuid   principal
-- lane read
-- out display_name text, email text, locale text, kind text, teams text (json array), version int
select u.j ->> 'display_name' as display_name, u.j ->> 'email' as email, u.j ->> 'locale' as locale, u.j ->> 'kind' as kind,
       (u.j -> 'teams')::text as teams, (u.j ->> 'version')::int as version
  from (select access.user_json($1, true) as j) u
