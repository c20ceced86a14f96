-- people_owners.sql — the two people of an owner pair, by their names; an error names the side that is nobody who is here.
-- $1 text   business owner's name
-- $2 text   technical owner's name
-- lane read
-- out body text (json object)
select json_build_object('business_owner', json_build_object('id', access.owner($1, 'business_owner'), 'name', $1::text),
                         'technical_owner', json_build_object('id', access.owner($2, 'technical_owner'), 'name', $2::text))::text as body
