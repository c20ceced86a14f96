-- flag_revision.sql — the document of one revision of a flag.
-- $1 text    key
-- $2 bigint  revision
-- lane read
-- out found bool, document text (null: the flag has no such revision)
select exists (select from flag.flag f where f.key = $1) as found,
       (select r.document::text from flag.revision r where r.key = $1 and r.revision = $2) as document
