-- change_run_take.sql — the next order for the jobs child, or no row.
-- lane slow
-- prepare lazy
-- out intent bigint, intent_kind text, phase text, attempts int, actor uuid, request uuid, number int, kind text, slug text, sha256 text,
-- out up text, down text, verify text, package text (hex), exact bool, main text
select * from change.run_take()
