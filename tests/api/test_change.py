"""Change control through the real daemons: file, rehearse, approve, apply, roll back; what is refused; drift; a killed executor."""
import base64
import contextlib
import hashlib
import os
import pathlib
import signal
import time

import psycopg2
import pytest

from package import archive

TRIES = 4


@pytest.fixture(scope="module")
def lab():
    from product import Product
    p = Product(rehearsal=True)
    p.overrides["core"] = f"change: {{ lock_tries: {TRIES} }}\ndrift: {{ period: 4s }}\n"
    p.start()
    yield p
    p.stop()


def add_field(name, **more):
    return {"kind": "schema", "title": f"Field {name} of people", "why": "asked for by sales", "business_owner": "product_owner",
            "technical_owner": "innovator",
            "up": f"-- a comment\nALTER TABLE crm.person ADD COLUMN {name} text;\n"
                  "INSERT INTO change.field (resource, name, position, type, class, kind, writable, filterable)\n"
                  f"VALUES ('people', '{name}', (SELECT max(f.position) + 1 FROM change.field f WHERE f.resource = 'people'), 'text',"
                  " 'open', 'text', true, true);",
            "down": f"DELETE FROM change.field WHERE resource = 'people' AND name = '{name}';\nALTER TABLE crm.person DROP COLUMN {name};",
            "verify": f"SELECT 'no field' WHERE NOT EXISTS (SELECT FROM change.field WHERE name = '{name}')", **more}


def file(core, body, role="operator"):
    r = core.post("/v1/changes", body, role=role)
    assert r.status == 201 and r.json["state"] == "checked", r
    assert r.headers["Location"] == f"/v1/changes/{r.json['id']}"
    return r.json["id"]


def get(core, cid):
    r = core.get(f"/v1/changes/{cid}", role="operator")
    assert r.status == 200, r
    return r.json


def until(core, cid, *states, seconds=60, settled=True):
    """The request once it is in one of the states and nothing is under way for it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        j = get(core, cid)
        if j["state"] in states and not (settled and j["intent"]["state"] in ("waiting", "running")):
            return j
        time.sleep(0.1)
    raise AssertionError(f"not {states} after {seconds} s: {j['state']} {j['error']} {j['intent']}\n{core.tail()}")


def act(core, cid, what, role="operator", body=None, status=None):
    r = core.post(f"/v1/changes/{cid}/{what}", body, role=role)
    assert r.status == (status or {"approve": 200, "reject": 200}.get(what, 202)), r
    return r.json


def error_of(core, cid, text):
    j = until(core, cid, "failed")
    assert text in j["error"], j["error"]
    return j


def fingerprint(lab):
    return lab.clusters.one("core", "SELECT change.fingerprint()")


def test_hostile_sql_is_refused_with_its_line(lab):
    core = lab.core
    for up, line, word in (
            ("ALTER TABLE crm.person ADD COLUMN x text;\n\nDROP TABLE crm.person CASCADE;", 3, "CASCADE"),
            ("ALTER PUBLICATION bimodal_crm DROP TABLE crm.person", 1, "publication"),
            ("\nALTER ROLE bimodal_app SUPERUSER", 2, "ALTER ROLE"),
            ("COPY crm.person TO PROGRAM 'cat'", 1, "COPY"),
            ("ALTER TABLE person ADD COLUMN x text", 1, "schema"),
            ("ALTER TABLE crm.person DISABLE TRIGGER ALL", 1, "DISABLE TRIGGER"),
            ("DO $$ BEGIN END $$", 1, "DO"),
            ("DELETE FROM crm.person", 1, "data"),
            ("ALTER TABLE change.ledger ADD COLUMN x text", 1, "base schema"),
            ("ALTER TABLE crm.person ADD COLUM", 1, "syntax error")):
        r = core.post("/v1/changes", add_field("x", up=up), role="operator")
        assert r.status == 422, (up, r)
        found = r.json["errors"][0]
        assert (found["pointer"], found["line"]) == ("/up", line) and word in found["detail"], (up, found)
    assert core.post("/v1/changes", add_field("x", down=""), role="operator").json["errors"][0]["pointer"] == "/down"
    assert core.post("/v1/changes", add_field("x", titel="x"), role="operator").status == 422
    assert core.post("/v1/changes", add_field("x"), role="agent").status == 403
    assert core.get("/v1/changes", role="operator").json["data"] == []


def test_what_the_rehearsal_refuses(lab):
    core = lab.core
    half = file(core, add_field("x", up="ALTER TABLE crm.person ADD COLUMN x text, ADD COLUMN y text;",
                                down="ALTER TABLE crm.person DROP COLUMN x;", verify=""))
    rewrite = file(core, add_field("x", up="ALTER TABLE crm.person ADD COLUMN x uuid DEFAULT gen_random_uuid();",
                                   down="ALTER TABLE crm.person DROP COLUMN x;", verify=""))
    wrong = file(core, add_field("x", up="ALTER TABLE crm.person ADD COLUMN x text;\n\nALTER TABLE crm.person ADD COLUMN city text;"))
    missing = file(core, add_field("x", up="ALTER TABLE crm.person ALTER COLUMN given_name SET NOT NULL;",
                                   down="ALTER TABLE crm.person ALTER COLUMN given_name DROP NOT NULL;", verify=""))
    assert core.post("/v1/people", {"family_name": "Nameless"}).status == 201
    j = error_of(core, half, "not reversible")
    assert "crm.person.y" in j["error"] and j["report"]["reversible"] is False
    j = error_of(core, rewrite, "rewrites crm.person")
    assert j["report"]["statements"][0]["rewrites"] and j["report"]["passed"] is False
    j = error_of(core, wrong, "/up, line 3")
    assert '"city"' in j["error"]
    error_of(core, missing, '/up, line 1: core has 1 rows of "crm"."person" without "given_name"')
    act(core, half, "approve", role="product_owner", status=409)
    act(core, half, "apply", status=409)
    assert act(core, half, "reject", body={"note": "no"})["state"] == "rejected"
    act(core, half, "rehearse", status=409)
    server = lab.clusters.connect("rehearsal", dbname="postgres")
    with server.cursor() as cur:
        cur.execute("SELECT datname FROM pg_database WHERE datname ~ '^rehearsal_'")
        assert cur.fetchall() == []
    server.close()


def test_from_the_request_to_the_rollback(lab):
    core = lab.core
    before = fingerprint(lab)
    cid = file(core, add_field("loyalty"), role="operator")
    j = until(core, cid, "rehearsed", "failed")
    assert j["state"] == "rehearsed", j["error"]
    report = j["report"]
    assert report["passed"] and report["reversible"] and j["fingerprint_before"] == before == report["fingerprints"]["end"]
    first = report["statements"][0]
    assert {"relation": "crm.person", "mode": "AccessExclusiveLock"} in first["locks"] and first["rewrites"] == []
    assert [x["id"] for x in report["lines"] if x["class"] == "column"] == ["crm.person.loyalty"]

    # Four eyes; and an edit voids the approval.
    assert "own change" in act(core, cid, "approve", status=409)["detail"]
    act(core, cid, "apply", status=409)
    act(core, cid, "approve", role="product_owner", body={"sha256": "0" * 64}, status=409)
    j = act(core, cid, "approve", role="product_owner", body={"sha256": j["sha256"], "note": "fine"})
    assert j["state"] == "approved" and len(j["approvals"]) == 1
    r = core.patch(f"/v1/changes/{cid}", {"why": "asked for twice"}, role="product_owner")
    assert r.status == 403, r
    r = core.patch(f"/v1/changes/{cid}", {"up": add_field("loyalty")["up"] + "\n"}, role="operator")
    assert r.status == 200 and r.json["approvals"] == [] and r.json["state"] == "checked" and r.json["sha256"] != j["sha256"], r
    act(core, cid, "apply", status=409)
    until(core, cid, "rehearsed")
    act(core, cid, "approve", role="product_owner")

    # A reader holds the table: the change gives up within its budget, and core's writes go on meanwhile.
    reader = psycopg2.connect(lab.clusters.dsn("core", "bimodal_app"))
    reader.cursor().execute("SELECT count(*) FROM crm.person")
    act(core, cid, "apply")
    slowest = 0.0
    while get(core, cid)["intent"]["state"] in ("waiting", "running"):
        t = time.monotonic()
        assert core.post("/v1/people", {"given_name": "Ada"}).status == 201
        slowest = max(slowest, time.monotonic() - t)
    j = get(core, cid)
    assert j["state"] == "approved" and f"within {TRIES} tries" in j["error"], j["error"]
    assert slowest < 1.0
    reader.close()

    act(core, cid, "apply")
    j = until(core, cid, "applied")
    assert fingerprint(lab) == j["fingerprint_after"] == report["fingerprints"]["after"]
    r = core.post("/v1/people", {"given_name": "Bo", "loyalty": "gold"})
    assert r.status == 201 and r.json["loyalty"] == "gold"
    assert len(core.get("/v1/people?loyalty=gold").json["data"]) == 1
    lab.clusters.wait("airlock", "SELECT count(*) = 1 FROM crm.person WHERE loyalty = 'gold'")
    assert core.get("/v1/drift", role="operator").json["frozen"] is False

    act(core, cid, "rollback", role="product_owner")
    j = until(core, cid, "rolled_back")
    assert fingerprint(lab) == before and j["error"] is None
    assert "loyalty" not in core.get(r.headers["Location"]).json
    assert core.post("/v1/people", {"given_name": "Bo", "loyalty": "gold"}).status == 422
    lab.clusters.wait("airlock", "SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'crm.person'::regclass"
                      " AND attname = 'loyalty')")
    act(core, cid, "rollback", status=409)


def jobs_child(core):
    """The child that was forked last (the kernel lists them in that order; their numbers may have wrapped)."""
    pid = core.process.pid
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[-1])


def test_a_killed_executor_goes_on_and_drift_freezes(lab):
    core = lab.core
    before = fingerprint(lab)
    cid = file(core, add_field("nickname"))
    until(core, cid, "rehearsed")
    act(core, cid, "approve", role="product_owner")

    # By hand, around all guards: reported line by line, and nothing is applied until it is gone.
    hand = lab.clusters.connect("core")
    cur = hand.cursor()
    cur.execute("SET bimodal.change = 'by hand'")
    cur.execute("CREATE TABLE crm.by_hand (id int)")
    lab.clusters.wait("core", "SELECT drift IS NOT NULL FROM change.state")
    j = core.get("/v1/drift", role="operator").json
    assert j["frozen"] and {"relation", "column"} <= {x["class"] for x in j["lines"] if "by_hand" in x["id"]}
    assert all(x["what"] == "added" for x in j["lines"])
    assert "drift" in act(core, cid, "apply", status=423)["detail"]
    cur.execute("DROP TABLE crm.by_hand")
    lab.clusters.wait("core", "SELECT drift IS NULL FROM change.state")

    # The reader makes the executor try again and again; it is killed in between and the next one goes on.
    reader = psycopg2.connect(lab.clusters.dsn("core", "bimodal_app"))
    reader.cursor().execute("SELECT count(*) FROM crm.person")
    act(core, cid, "apply")
    until(core, cid, "applying", settled=False)
    os.kill(jobs_child(core), signal.SIGKILL)
    reader.close()
    j = until(core, cid, "applied", "approved", "failed")
    if j["state"] == "approved":
        act(core, cid, "apply")
        j = until(core, cid, "applied")
    assert j["state"] == "applied", j["error"]
    assert fingerprint(lab) == j["fingerprint_after"]
    assert core.post("/v1/people", {"given_name": "Cy", "nickname": "C"}).json["nickname"] == "C"

    # Killed in the middle of a rollback: it ends all the same, and nothing is left.
    act(core, cid, "rollback")
    time.sleep(0.3)
    os.kill(jobs_child(core), signal.SIGKILL)
    until(core, cid, "rolled_back")
    assert fingerprint(lab) == before


def grounds(lab):
    """What rehearsals stand on: kept databases that nobody connects to, name → oid."""
    with contextlib.closing(lab.clusters.connect("rehearsal", dbname="postgres")) as db, db.cursor() as cur:
        cur.execute("SELECT datname, oid FROM pg_database WHERE datname ~ '^ground_' AND NOT datallowconn")
        return dict(cur.fetchall())


def alter_the_kept_ground(lab):
    """By hand, all of them; as they were before."""
    kept = grounds(lab)
    assert len(kept) == 2
    for name in kept:
        with contextlib.closing(lab.clusters.connect("rehearsal", dbname="postgres")) as db:
            db.cursor().execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        with contextlib.closing(lab.clusters.connect("rehearsal", dbname=name)) as db:
            db.cursor().execute("SET bimodal.change = 'by hand'; CREATE TABLE crm.by_hand (id int)")
    return kept


def test_servers_that_are_away(lab):
    core = lab.core
    cid = file(core, add_field("shoe_size"))
    until(core, cid, "rehearsed")
    lab.clusters.down("rehearsal")
    other = file(core, add_field("hat_size"))
    j = until(core, other, "failed")
    assert j["error"] and j["report"]["passed"] is False
    lab.clusters.up("rehearsal")
    kept = alter_the_kept_ground(lab)
    act(core, other, "rehearse")
    j = until(core, other, "rehearsed", "failed")
    assert j["state"] == "rehearsed", j["error"]
    now = grounds(lab)
    assert len(now) == 2 and not set(now.values()) & set(kept.values())
    act(core, other, "reject")

    # Without the airlock core has its column at once; the feed's part waits and then goes on by itself.
    act(core, cid, "approve", role="product_owner")
    lab.clusters.down("airlock")
    try:
        act(core, cid, "apply")
        lab.clusters.wait("core", "SELECT error IS NOT NULL AND phase = 'airlock' FROM change.intent WHERE kind = 'apply'"
                          " ORDER BY id DESC LIMIT 1")
        # The workers read the new schema by themselves, each in its own time.
        lab.clusters.wait("core", "SELECT bool_and(w.schema_generation = s.schema_generation) FROM change.worker w, change.state s"
                          " WHERE w.daemon = 'core' AND w.seen_at > clock_timestamp() - interval '3 seconds'")
        r = core.post("/v1/people", {"given_name": "Di", "shoe_size": "43"})
        assert r.status == 201 and r.json["shoe_size"] == "43"
        assert get(core, cid)["state"] == "applying"
    finally:
        lab.clusters.up("airlock")
    assert until(core, cid, "applied", "failed", seconds=90)["state"] == "applied"
    core.patch(r.headers["Location"], {"shoe_size": "44"}, headers={"If-Match": "*"})
    lab.clusters.wait("airlock", "SELECT count(*) = 1 FROM crm.person WHERE shoe_size = '44'")
    act(core, cid, "rollback")
    until(core, cid, "rolled_back")


def test_a_promotion_serves_its_feature_and_leaves_nothing(lab):
    core = lab.core
    before = fingerprint(lab)
    bytes_ = archive("advice_one")
    author = lab.clusters.one("core", "SELECT id::text FROM access.principal WHERE name = 'innovator'")
    body = {"kind": "promotion", "title": "Advice", "why": "it won", "business_owner": "product_owner", "technical_owner": "innovator",
            "package": base64.b64encode(bytes_).decode(), "evidence": {"verdict": "proven"}, "author": author}
    assert core.post("/v1/changes", body, role="operator").status == 403
    r = core.post("/v1/changes", {**body, "package": base64.b64encode(archive("advice_one", down_sql="DROP TABLE crm.person;")).decode()},
                  role="service")
    assert r.status == 422 and "down.sql" in r.body.decode(), r
    r = core.post("/v1/changes", body, role="service")
    assert r.status == 201, r
    cid = r.json["id"]
    assert r.json["sha256"] == hashlib.sha256(bytes_).hexdigest() and r.json["author"] == author
    assert core.post("/v1/changes", body, role="service").status == 409
    j = until(core, cid, "rehearsed", "failed")
    assert j["state"] == "rehearsed", j["error"]
    act(core, cid, "approve", role="product_owner")
    act(core, cid, "apply")
    j = until(core, cid, "applied", "failed")
    assert j["state"] == "applied", j["error"]

    assert [f["slug"] for f in core.get("/v1/features", role="product_owner").json["data"]] == ["advice_one"]
    seen = set()
    for i in range(12):
        person = core.post("/v1/people", {"given_name": f"P{i}"}).json["id"]
        core.post("/v1/opportunities", {"name": "n", "person_id": person, "stage": "prospecting"})
        pseudonym = lab.clusters.one("core", "SELECT pseudonym::text FROM crm.person WHERE id = %s", (person,))
        a = core.get(f"/v1/features/advice_one/advice?unit={person}")
        b = core.get(f"/v1/features/advice_one/advice?unit={pseudonym}")
        assert a.status == 200 and a.body == b.body, a
        assert a.json["rows"][0]["stage"] == "prospecting" and ("advice" in a.json["rows"][0]) == (a.json["variant"] == "treatment")
        seen.add(a.json["variant"])
    assert seen == {"control", "treatment"}

    act(core, cid, "rollback", role="product_owner")
    off = lab.clusters.one("core", "SELECT NOT r.enabled FROM flag.flag f JOIN flag.revision r USING (revision)"
                           " WHERE f.key = 'feature-advice-one'")
    assert off
    until(core, cid, "rolled_back")
    assert fingerprint(lab) == before
    assert core.get(f"/v1/features/advice_one/advice?unit={pseudonym}").status == 404
    assert lab.clusters.one("core", "SELECT (SELECT count(*) FROM pg_roles WHERE rolname ~ '^feature_')"
                            " + (SELECT count(*) FROM pg_namespace WHERE nspname ~ '^feature_')") == 0


def test_the_ledger_holds_and_tells_it_all(lab):
    core = lab.core
    r = core.get("/v1/ledger?verify=true&limit=200", role="operator").json
    assert r["intact"] is True and r["broken"] == [] and r["page"]["has_more"] is False
    kinds = {row["kind"] for row in r["data"]}
    assert {"change.filed", "change.edited", "change.rehearsed", "change.rehearse-failed", "change.approved", "change.applied",
            "change.rolled-back", "change.rejected", "change.apply-failed", "drift.found", "drift.gone"} <= kinds
    page = core.get("/v1/ledger?limit=2", role="operator").json
    assert len(page["data"]) == 2 and page["page"]["next"] == "2"
    assert core.get("/v1/ledger?after=2&limit=1", role="operator").json["data"][0]["seq"] == 3


def apply_and_fill(lab, column, value):
    """A change that adds a column, applied, and a person that has a value in it: the change and the person's path."""
    core = lab.core
    cid = file(core, add_field(column))
    j = until(core, cid, "rehearsed", "failed")
    assert j["state"] == "rehearsed", j["error"]
    act(core, cid, "approve", role="product_owner")
    act(core, cid, "apply")
    until(core, cid, "applied")
    r = core.post("/v1/people", {"given_name": "Ed", column: value})
    assert r.status == 201, r
    return cid, r.headers["Location"]


def has_column(lab, cluster, column):
    return lab.clusters.one(cluster, "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'crm.person'::regclass"
                            " AND attname = %s AND NOT attisdropped)", (column,))


NO_COLUMN = ("SELECT NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'crm.person'::regclass AND attname = %s"
             " AND NOT attisdropped)")


def in_step(lab, mark):
    """A new person with this segment arrives in the sandbox: the feed runs."""
    lab.core.post("/v1/people", {"given_name": "Flo", "segment": mark})
    lab.arrived("SELECT count(*) = 1 FROM crm.person WHERE segment = %s", (mark,), seconds=90)


def test_a_new_object_is_served_and_reaches_the_sandbox(lab):
    core = lab.core
    fields = [("id", "uuid", "open", "uuid", False), ("version", "integer", "open", "integer", False),
              ("created_at", "timestamp with time zone", "open", "timestamp", False),
              ("updated_at", "timestamp with time zone", "open", "timestamp", False),
              ("name", "text", "open", "text", True), ("price", "numeric(12,2)", "open", "decimal", True),
              ("supplier", "text", "internal", "text", True)]
    rows = ",\n".join(f"('products', '{n}', {i}, '{t}', '{c}', '{k}', {str(w).lower()}, {str(n == 'name').lower()})"
                      for i, (n, t, c, k, w) in enumerate(fields, 1))
    cid = file(core, {
        "kind": "schema", "title": "Products", "why": "offers need them", "business_owner": "product_owner", "technical_owner": "innovator",
        "up": "CREATE TABLE crm.product (id uuid PRIMARY KEY DEFAULT crm.uuid_v7(), version int NOT NULL DEFAULT 1,"
              " created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),"
              " name text NOT NULL, price numeric(12,2), supplier text);\n"
              "INSERT INTO change.resource (name, singular, table_name, published, label, position)"
              " VALUES ('products', 'product', 'product', true, 'Products', 7);\n"
              "INSERT INTO change.field (resource, name, position, type, class, kind, writable, filterable) VALUES\n" + rows + ";\n"
              "GRANT SELECT, INSERT, UPDATE, DELETE ON crm.product TO bimodal_app, bimodal_executor;\n"
              "SELECT crm.triggers_ensure('product');",
        "down": "DELETE FROM change.resource WHERE name = 'products';\nDROP TABLE crm.product;"})
    j = until(core, cid, "rehearsed", "failed")
    assert j["state"] == "rehearsed", j["error"]
    act(core, cid, "approve", role="product_owner")
    act(core, cid, "apply")
    until(core, cid, "applied")
    r = core.post("/v1/products", {"name": "Hammer", "price": 12.5, "supplier": "secret partner"}, role="operator")
    assert r.status == 403, r  # rights are given by role, not by the schema
    lab.clusters.rows("core", "INSERT INTO crm.product (name, price, supplier) SELECT 'Hammer', 12.5, 'secret partner'"
                      " FROM (SELECT set_config('bimodal.actor', 'test', true)) a", role="bimodal_app")
    got = core.get("/v1/products", role="operator").json["data"]
    assert [(x["name"], x["price"]) for x in got] == [("Hammer", 12.5)]
    lab.arrived("SELECT to_regclass('crm.product') IS NOT NULL", seconds=60)
    lab.arrived("SELECT count(*) = 1 FROM crm.product WHERE name = 'Hammer'", seconds=60)
    assert lab.clusters.rows("sandbox", "SELECT 1 FROM pg_attribute WHERE attrelid = 'crm.product'::regclass AND attname = 'supplier'") == []

    # And back: no copy keeps its table or a subscription to it, and the feed goes on.
    act(core, cid, "rollback")
    until(core, cid, "rolled_back")
    for name in ("airlock", "sandbox"):
        lab.clusters.wait(name, "SELECT to_regclass('crm.product') IS NULL AND NOT EXISTS (SELECT FROM pg_subscription_rel r"
                          " WHERE NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = r.srrelid))", seconds=60)
    in_step(lab, "after-products")


def held_at_the_airlock(lab, kind):
    """The airlock has the registry, yet not the rows of before the change: the run stays where it is."""
    lab.clusters.wait("core", "SELECT phase = 'airlock' FROM change.intent WHERE kind = %s ORDER BY id DESC LIMIT 1", (kind,), seconds=60)
    lab.clusters.wait("airlock", "SELECT change.shape()::text = %s", (lab.clusters.one("core", "SELECT change.shape()::text"),))
    time.sleep(1)
    assert lab.clusters.one("core", "SELECT phase FROM change.intent WHERE kind = %s ORDER BY id DESC LIMIT 1", (kind,)) == "airlock"


def test_a_column_goes_from_the_airlock_only_after_its_last_row(lab):
    core = lab.core
    cid = file(core, add_field("glove_size"))
    until(core, cid, "rehearsed")
    act(core, cid, "approve", role="product_owner")
    lab.clusters.rows("airlock", "ALTER SUBSCRIPTION airlock_crm DISABLE")
    try:
        act(core, cid, "apply")
        held_at_the_airlock(lab, "apply")
    finally:
        lab.clusters.rows("airlock", "ALTER SUBSCRIPTION airlock_crm ENABLE")
    until(core, cid, "applied", seconds=90)
    lab.clusters.rows("airlock", "ALTER SUBSCRIPTION airlock_crm DISABLE")
    try:
        assert core.post("/v1/people", {"given_name": "Ed", "glove_size": "9"}).status == 201
        act(core, cid, "rollback")
        held_at_the_airlock(lab, "rollback")
        assert has_column(lab, "airlock", "glove_size") and not has_column(lab, "core", "glove_size")
    finally:
        lab.clusters.rows("airlock", "ALTER SUBSCRIPTION airlock_crm ENABLE")
    until(core, cid, "rolled_back", seconds=90)
    assert not has_column(lab, "airlock", "glove_size")
    in_step(lab, "after-glove")
    lab.clusters.wait("sandbox", NO_COLUMN, ("glove_size",))


def test_a_column_goes_from_the_sandbox_only_after_its_last_row(lab):
    core = lab.core
    cid, _ = apply_and_fill(lab, "ring_size", "16")
    lab.clusters.wait("sandbox", "SELECT NOT (" + NO_COLUMN.removeprefix("SELECT ") + ")", ("ring_size",), seconds=60)
    lab.arrived("SELECT count(*) = 1 FROM crm.person WHERE ring_size = '16'", seconds=60)
    lab.clusters.rows("sandbox", "ALTER SUBSCRIPTION sandbox_crm DISABLE")
    try:
        assert core.post("/v1/people", {"given_name": "Ed", "ring_size": "17"}).status == 201
        act(core, cid, "rollback")
        until(core, cid, "rolled_back")
        lab.arrived("SELECT lab.registry_followed() AND NOT EXISTS (SELECT FROM change.field WHERE name = 'ring_size')", seconds=60)
        assert has_column(lab, "sandbox", "ring_size")
    finally:
        lab.clusters.rows("sandbox", "ALTER SUBSCRIPTION sandbox_crm ENABLE")
    lab.clusters.wait("sandbox", NO_COLUMN, ("ring_size",), seconds=60)
    in_step(lab, "after-ring")


def test_a_sandbox_that_was_away_while_a_column_came_and_went(lab):
    core = lab.core
    lab.sandbox.stop()
    cid, path = apply_and_fill(lab, "sock_size", "42")
    lab.clusters.wait("airlock", "SELECT count(*) = 1 FROM crm.person WHERE sock_size = '42'")
    act(core, cid, "rollback")
    until(core, cid, "rolled_back")
    lab.sandbox.start()
    # Its rows cannot be taken, so the whole copy is made anew; nobody has to see to it.
    in_step(lab, "after-sock")
    assert not has_column(lab, "sandbox", "sock_size")
    lab.arrived("SELECT count(*) = 0 FROM lab.resync", seconds=60)
    core.delete(path, headers={"If-Match": "*"})
