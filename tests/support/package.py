"""Feature packages for tests: the canonical archive of a small feature that runs on the base schema."""

FILES = {
    "feature.yaml": """slug: {slug}
title: Advice on open opportunities
statement: Who sees the open opportunities of a person wins more of them.
benefit: The customer is asked about what matters to them.
business_owner: product_owner
technical_owner: innovator
expires: 14d
unit: person
flag: {{coverage: 1.0, variations: [control, treatment], weights: [0.5, 0.5]}}
endpoints:
  - name: advice
    queries:
      control: queries/control.sql
      treatment: queries/treatment.sql
experiment: {{planned_units: 2000, runs: 10d, alpha: 0.05, minimum_effect: 0.01}}
metrics:
  primary: {{name: won, file: metrics/won.sql, kind: proportion, direction: increase, maturity: 0}}
""",
    "up.sql": """CREATE TABLE feature_{slug}.advice (stage text PRIMARY KEY, advice text NOT NULL);
INSERT INTO feature_{slug}.advice (stage, advice) VALUES ('prospecting', 'Ask what they need.');
""",
    "down.sql": "DROP TABLE feature_{slug}.advice;\n",
    "verify.sql": "SELECT 'no advice' AS failure WHERE NOT EXISTS (SELECT 1 FROM feature_{slug}.advice)\n",
    "queries/control.sql": "-- $1 uuid unit\nSELECT o.stage FROM crm.opportunity AS o WHERE o.person_pseudonym = $1 ORDER BY o.id\n",
    "queries/treatment.sql": "-- $1 uuid unit\nSELECT o.stage, a.advice FROM crm.opportunity AS o JOIN feature_{slug}.advice AS a"
                             " ON a.stage = o.stage WHERE o.person_pseudonym = $1 ORDER BY o.id\n",
    "metrics/won.sql": "-- $1 uuid[] units\n-- $2 timestamptz[] exposed_at (same order)\n-- $3 timestamptz until\n"
                       "SELECT e.unit, CASE WHEN EXISTS (SELECT 1 FROM crm.opportunity AS o WHERE o.person_pseudonym = e.unit"
                       " AND o.stage = 'won') THEN 1 ELSE 0 END AS value FROM unnest($1, $2) AS e (unit, at)\n",
}


def archive(slug, **changed):
    """The bytes; a changed file is given by its path with '_' for '/' and '.': up_sql=..."""
    out = b"bimodal-package 1\n"
    for path in sorted(FILES):
        text = changed.get(path.replace("/", "_").replace(".", "_"), FILES[path]).format(slug=slug).encode()
        out += f"{path} {len(text)}\n".encode() + text + b"\n"
    return out
