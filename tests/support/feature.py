"""Feature packages for tests: the canonical archive, and a small feature to begin from."""
import json
import time
import uuid

ACTOR = "select set_config('bimodal.actor', 'test', false), set_config('bimodal.request', 'test', false);"
MEDIA = "application/vnd.bimodal.package"

MANIFEST = """\
slug: {slug}
title: Advice for {slug}
statement: Who sees the open opportunities of a person wins more of them.
benefit: The customer is asked about what matters to them.
business_owner: {business}
technical_owner: {technical}
expires: {expires}
unit: person
flag: {{coverage: 1.0, variations: [control, treatment], weights: [0.5, 0.5]}}
endpoints:
  - name: advice
    queries:
      control: queries/advice_control.sql
      treatment: queries/advice_treatment.sql
experiment: {{planned_units: {planned_units}, runs: {runs}, alpha: 0.05, minimum_effect: {minimum_effect}}}
metrics:
  primary: {{name: won, file: metrics/won.sql, kind: proportion, direction: increase, maturity: {maturity}}}
  guardrails:
    - {{name: complaints, file: metrics/complaints.sql, kind: proportion, direction: decrease, margin: 0.1}}
"""

METRIC = """\
-- $1 uuid[] units
-- $2 timestamptz[] exposed_at (same order)
-- $3 timestamptz until
SELECT e.unit, CASE WHEN EXISTS (
	SELECT 1 FROM crm.interaction AS i WHERE i.person_pseudonym = e.unit AND i.kind = '{kind}' AND i.at <= $3
) THEN 1 ELSE 0 END AS value
FROM unnest($1, $2) AS e (unit, at)
"""

QUERY = """\
-- $1 uuid unit
-- $2 int limit
SELECT '{variant}' AS arm, a.note, p.country, p.pseudonym = $1 AS mine
FROM crm.person AS p CROSS JOIN feature_{slug}.note AS a WHERE p.pseudonym = $1
ORDER BY a.id LIMIT coalesce($2, 5)
"""


def files(slug, expires="1h", runs="1h", planned_units=2000, minimum_effect=0.01, maturity="0s",
          owners=("product_owner", "innovator")):
    """The files of a small feature with a table of its own that also keeps pseudonyms."""
    return {
        "feature.yaml": MANIFEST.format(slug=slug, expires=expires, runs=runs, planned_units=planned_units,
                                        minimum_effect=minimum_effect, maturity=maturity, business=owners[0], technical=owners[1]),
        "up.sql": f"CREATE TABLE feature_{slug}.note (id int PRIMARY KEY, note text NOT NULL);\n"
                  f"INSERT INTO feature_{slug}.note VALUES (1, 'first'), (2, 'second');\n"
                  f"CREATE TABLE feature_{slug}.seen (pseudonym uuid PRIMARY KEY, at timestamptz);\n",
        "down.sql": f"DROP TABLE feature_{slug}.note;\nDROP TABLE feature_{slug}.seen;\n",
        "verify.sql": f"SELECT 'no notes' AS failure WHERE NOT EXISTS (SELECT 1 FROM feature_{slug}.note AS n)\n",
        "queries/advice_control.sql": QUERY.format(slug=slug, variant="control"),
        "queries/advice_treatment.sql": QUERY.format(slug=slug, variant="treatment"),
        "metrics/won.sql": METRIC.format(kind="purchase"),
        "metrics/complaints.sql": METRIC.format(kind="complaint"),
    }


def archive(content):
    out = b"bimodal-package 1\n"
    for path in sorted(content, key=lambda p: p.encode()):
        body = content[path].encode()
        out += f"{path} {len(body)}\n".encode() + body + b"\n"
    return out


def deploy(sandbox, content, role="innovator", wait=True):
    """The answer to a deployment. On a machine so busy that it came before the end (202): what it would have been then."""
    r = sandbox.post("/v1/features", archive(content), role=role, headers={"Content-Type": MEDIA})
    if r.status == 202 and wait:
        slug = r.json["slug"]
        eventually(lambda: sandbox.get(f"/v1/features/{slug}", role=role).json["state"] != "deploying", 60, "deployed")
        now = sandbox.get(f"/v1/features/{slug}", role=role)
        running = now.json["state"] == "running"
        r.status, r.body = 201 if running else 409, now.body if running else json.dumps({"detail": now.json["error"]})
    return r


def remove(sandbox, slug, role="innovator"):
    """The answer to a removal, in the same way."""
    r = sandbox.delete(f"/v1/features/{slug}", role=role)
    if r.status == 202:
        eventually(lambda: sandbox.get(f"/v1/features/{slug}", role=role).json["state"] == "removed", 60, "removed")
        r.status, r.body = 200, sandbox.get(f"/v1/features/{slug}", role=role).body
    return r


def eventually(check, seconds=10.0, what=""):
    """The first true value of check(); fails with the last one."""
    deadline = time.monotonic() + seconds
    while True:
        got = check()
        if got:
            return got
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or got!r}"
        time.sleep(0.05)


def people(product, n, country="GB"):
    """n people in core, known in the copy; their pseudonyms in the order of their making, with their ids."""
    tag = uuid.uuid4().hex
    made = product.clusters.rows("core", ACTOR + " insert into crm.person (given_name, country) select %s, %s from generate_series(1, %s)"
                                 " returning id::text, pseudonym::text", (tag, country, n))
    product.clusters.wait("sandbox", "select count(*) = %s from crm.person where pseudonym = any (%s::uuid[])",
                          (n, [p for _, p in made]), 20)
    return made


def interactions(product, ids, kind):
    """One interaction of a kind for each person, now."""
    product.clusters.rows("core", ACTOR + " insert into crm.interaction (person_id, kind, at) select x::uuid, %s, now() from unnest(%s) x",
                          (kind, list(ids)))
