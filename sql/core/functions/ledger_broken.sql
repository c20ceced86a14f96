-- change.ledger_broken: the rows whose hashes, order or link do not hold. A cut tail shows only against
-- an anchor outside (the sandbox's copy).
CREATE VIEW change.ledger_broken AS
SELECT l.seq, l.at, l.kind, l.ref,
	l.body_hash <> change.ledger_body_hash(l.actor, l.body) AS body_changed,
	l.hash <> change.ledger_hash(l.seq, l.at, l.kind, l.ref, l.body_hash, l.prev) AS row_changed,
	coalesce(l.prev <> l.prev_hash, l.seq <> 1) OR l.seq <> l.place AS link_changed
FROM (SELECT *, lag(hash) OVER (ORDER BY seq) AS prev_hash, row_number() OVER (ORDER BY seq) AS place
	FROM change.ledger) l
WHERE l.body_hash <> change.ledger_body_hash(l.actor, l.body)
	OR l.hash <> change.ledger_hash(l.seq, l.at, l.kind, l.ref, l.body_hash, l.prev)
	OR coalesce(l.prev <> l.prev_hash, l.seq <> 1) OR l.seq <> l.place;
