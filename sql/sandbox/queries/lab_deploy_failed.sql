-- lab_deploy_failed.sql — give a deployment up.
-- $1 text slug
-- $2 text why
-- lane slow
-- prepare lazy
select lab.deploy_failed($1, $2)
