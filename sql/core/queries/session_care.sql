-- session_care.sql — remove what sessions and sign-ins have left behind. The jobs child's.
-- lane slow
-- prepare lazy
-- out removed int
select access.session_care()
