-- change.ledger_broken: the rows of the replicated ledger whose hash, order or link does not hold. What core keeps
-- for itself is bound by body_hash; a tail cut off in core shows here as rows core no longer has.
CREATE VIEW change.ledger_broken AS
SELECT l.seq, l.at, l.kind, l.ref
FROM (SELECT *, lag(hash) OVER (ORDER BY seq) AS prev_hash, row_number() OVER (ORDER BY seq) AS place
	FROM change.ledger) l
WHERE l.hash <> change.ledger_hash(l.seq, l.at, l.kind, l.ref, l.body_hash, l.prev)
	OR coalesce(l.prev <> l.prev_hash, l.seq <> 1) OR l.seq <> l.place;
