-- access_token_create.sql — a principal (made if its name is new), its role and one more token for it. Run by the executor's login.
-- $1 uuid   principal's id if it is new
-- $2 text   principal's name
-- $3 text   role
-- $4 uuid   token's id
-- $5 text   audience: core or sandbox
-- $6 text   SHA-256 of the token, in hex
-- $7 text   visible prefix
-- lane slow
-- prepare lazy
-- out principal uuid
with act as (
	select set_config('bimodal.actor', 'installation', true) a, set_config('bimodal.request', 'create-token', true) r
), made as (
	insert into access.principal (id, name, kind)
	select $1, $2, case when $3 in ('agent', 'service') then 'service' else 'user' end from act
	on conflict (name) do update set name = excluded.name
	returning id
), granted as (
	insert into access.role_grant (principal, role) select id, $3 from made
	on conflict do nothing
)
insert into access.token (id, principal, audience, hash, prefix, expires_at)
select $4, id, $5, decode($6, 'hex'), $7, now() + interval '1 year' from made
returning principal
