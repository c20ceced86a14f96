"""Hypothesis features through the real daemons: deployed, answered, removed, expired, and nothing left of them (law 7)."""
import time
import uuid

import feature as F
import pytest
import traced

LEFT = """select count(*) from (
 select rolname from pg_roles where rolname ~ %(p)s union all select nspname from pg_namespace where nspname ~ %(p)s
 union all select relname from pg_class where relname ~ %(p)s or relacl::text ~ %(p)s
 union all select proname from pg_proc where prosrc ~ %(p)s or proacl::text ~ %(p)s
 union all select usename from pg_stat_activity where usename ~ %(p)s
 union all select attname from pg_attribute where attacl::text ~ %(p)s
 union all select datname from pg_database where datacl::text ~ %(p)s) x"""


def slug():
    return "t" + uuid.uuid4().hex[:10]


def deployed(sandbox, name, **kw):
    r = F.deploy(sandbox, F.files(name, **kw))
    assert r.status == 201 and r.json["state"] == "running", r
    return r.json


def call(sandbox, name, unit, more=""):
    return sandbox.get(f"/v1/features/{name}/advice?unit={unit}{more}")


def left(product, name):
    return product.clusters.one("sandbox", LEFT, {"p": f"feature_{name}"})


def test_deploy_call_remove(product, core, sandbox):
    name = slug()
    before = product.clusters.one("sandbox", "select change.fingerprint()")
    d = deployed(sandbox, name)
    flag = core.get(f"/v1/flags/feature-{name}", role="operator").json
    assert flag["kind"] == "experiment" and flag["enabled"] and (flag["business_owner"], flag["technical_owner"]) == ("product_owner", "innovator")
    # Law 5: the bytes that were sent are the bytes that are kept, by their hash.
    import hashlib
    assert d["sha256"] == hashlib.sha256(F.archive(F.files(name))).hexdigest()
    (_, unit), = F.people(product, 1, country="FR")
    r = call(sandbox, name, unit, "&limit=1")
    assert r.status == 200 and r.json["rows"] == [{"arm": r.json["variant"], "note": "first", "country": "FR", "mine": True}]
    assert any(x["slug"] == name for x in sandbox.get("/v1/features?limit=500", role="innovator").json["data"])
    r = F.remove(sandbox, name)
    assert r.status == 200 and r.json["state"] == "removed" and r.json["flag_state"] == "archived", r
    assert left(product, name) == 0
    assert product.clusters.one("sandbox", "select change.fingerprint()") == before
    assert core.get(f"/v1/flags/feature-{name}", role="operator").json["archived_at"]
    assert call(sandbox, name, unit).status == 410
    assert sandbox.delete(f"/v1/features/{name}", role="innovator").status == 410
    # The slug is free again.
    deployed(sandbox, name)
    assert F.remove(sandbox, name).status == 200


def test_sticky(product, sandbox):
    name = slug()
    deployed(sandbox, name)
    units = [u for _, u in F.people(product, 60)]
    first = {u: call(sandbox, name, u).json["variant"] for u in units}
    assert {u: call(sandbox, name, u.upper()).json["variant"] for u in units} == first
    assert 15 < list(first.values()).count("treatment") < 45
    product.arrived("select count(*) = 60 from lab.exposure where flag = %s", (f"feature-{name}",))
    kept = product.clusters.rows("sandbox", "select unit, variation, at from lab.exposure where flag = %s order by 1", (f"feature-{name}",))
    sandbox.stop()
    sandbox.start()
    assert {u: call(sandbox, name, u).json["variant"] for u in units} == first
    time.sleep(0.3)
    assert product.clusters.rows("sandbox", "select unit, variation, at from lab.exposure where flag = %s order by 1",
                                 (f"feature-{name}",)) == kept
    assert {v: u for u, v in first.items()}.keys() == {v for _, v, _ in kept}
    F.remove(sandbox, name)


def test_a_killed_flag_gives_the_control(product, core, sandbox):
    name = slug()
    deployed(sandbox, name)
    units = [u for _, u in F.people(product, 30)]
    assert core.post(f"/v1/flags/feature-{name}/kill", role="product_owner").status == 200
    F.eventually(lambda: {call(sandbox, name, u).json["variant"] for u in units} == {"control"})
    assert product.clusters.one("sandbox", "select count(*) from lab.exposure where flag = %s", (f"feature-{name}",)) < 30
    F.remove(sandbox, name)


def test_wrong_calls(product, sandbox):
    name = slug()
    deployed(sandbox, name)
    unit = str(uuid.uuid4())
    assert call(sandbox, name, unit).json["rows"] == []
    assert sandbox.get(f"/v1/features/{name}/advice").status == 400
    assert call(sandbox, name, "no").status == 422
    assert call(sandbox, name, "0190f1c0-0000-7000-8000-000000000000").status == 422
    assert call(sandbox, name, unit, "&nothing=1").status == 400
    assert call(sandbox, name, unit, "&limit=x").status in (400, 422)
    assert sandbox.get(f"/v1/features/{name}/other?unit={unit}").status == 404
    assert sandbox.get(f"/v1/features/nosuch/advice?unit={unit}").status == 404
    time.sleep(0.3)
    # Nobody of the copy: no trace.
    assert product.clusters.one("sandbox", "select count(*) from lab.exposure where unit = %s", (unit,)) == 0
    r = F.deploy(sandbox, F.files(name))
    assert r.status == 409, r
    assert F.deploy(sandbox, F.files(slug()), role="agent").status == 403
    assert sandbox.delete(f"/v1/features/{name}", role="agent").status == 403
    F.remove(sandbox, name)


HOSTILE = [
    ("queries/advice_control.sql", "-- $1 uuid unit\nSELECT email FROM crm.person WHERE pseudonym = $1\n", "email"),
    ("queries/advice_control.sql", "-- $1 uuid unit\nSELECT hash FROM access.token_published\n", "access"),
    ("queries/advice_control.sql", "-- $1 uuid unit\nSELECT pg_sleep(10)\n", "pg_sleep"),
    ("queries/advice_control.sql", "-- $1 uuid unit\nSELECT pg_read_file('/etc/passwd')\n", "pg_read_file"),
    ("queries/advice_control.sql", "-- $1 uuid unit\nSELECT set_config('role', 'bimodal_owner', false)\n", "set_config"),
    ("queries/advice_control.sql", "-- $1 uuid unit\nSELECT 1; DELETE FROM crm.person\n", None),
    ("queries/advice_control.sql", "-- $1 uuid unit\nSELECT country FROM crm.person WHERE pseudonym = $1 FOR UPDATE\n", "FOR UPDATE"),
    ("up.sql", "CREATE TABLE lab.x (id int);\n", "schema"),
    ("up.sql", "GRANT bimodal_owner TO PUBLIC;\n", None),
    ("up.sql", "ALTER ROLE bimodal_app SUPERUSER;\n", None),
    ("metrics/won.sql", "-- $1 uuid[] units\n-- $2 timestamptz[] exposed_at\n-- $3 timestamptz until\n"
                        "SELECT u AS unit, 1 AS value, random() FROM unnest($1) AS x (u)\n", "random"),
    ("feature.yaml", "slug: x\n", None),
]


@pytest.mark.parametrize("path,text,word", HOSTILE)
def test_hostile(product, sandbox, path, text, word):
    name = slug()
    content = F.files(name)
    content[path] = text
    r = F.deploy(sandbox, content)
    assert r.status == 422, r
    assert r.json["detail"].startswith(path + ":"), r
    found = r.json["findings"]
    assert found and found[0]["file"] == path and found[0]["line"] >= 1 and found[0]["reason"]
    assert word is None or word.lower() in r.json["detail"].lower() or any(word.lower() in f["reason"].lower() for f in found), r
    assert left(product, name) == 0
    assert product.clusters.one("sandbox", "select count(*) from lab.hypothesis where slug = %s", (name,)) == 0


def test_not_a_package(sandbox):
    for body in (b"", b"x", b"bimodal-package 1\n", F.archive({"../x": "y"}), F.archive(F.files("abc"))[:-5]):
        r = sandbox.post("/v1/features", body, role="innovator", headers={"Content-Type": F.MEDIA})
        assert r.status in (400, 422), (body, r)
    assert sandbox.post("/v1/features", {"a": 1}, role="innovator").status == 415


def test_a_deployment_that_fails_leaves_nothing(product, core, sandbox):
    name = slug()
    content = F.files(name)
    content["verify.sql"] = "SELECT 'never good' AS failure\n"
    before = product.clusters.one("sandbox", "select change.fingerprint()")
    r = F.deploy(sandbox, content)
    assert r.status == 409 and "never good" in r.json["detail"], r
    assert left(product, name) == 0 and product.clusters.one("sandbox", "select change.fingerprint()") == before
    assert core.get(f"/v1/flags/feature-{name}", role="operator").status == 404
    deployed(sandbox, name)
    F.remove(sandbox, name)


def test_a_flag_of_somebody_else_is_not_taken(product, core, sandbox):
    name = slug()
    document = {"unit": "person", "variations": [{"key": "control", "value": False}, {"key": "treatment", "value": True}], "rules": [],
                "default": "control"}
    assert core.post("/v1/flags", {"key": f"feature-{name}", "kind": "release", "purpose": "another", "business_owner": "product_owner",
                                   "technical_owner": "innovator", "expires_at": "2099-01-01T00:00:00Z", "document": document},
                     role="product_owner").status == 201
    F.deploy(sandbox, F.files(name))
    F.eventually(lambda: sandbox.get(f"/v1/features/{name}", role="innovator").json["state"] == "failed")
    assert left(product, name) == 0
    assert core.get(f"/v1/flags/feature-{name}", role="operator").json["archived_at"] is None
    core.delete(f"/v1/flags/feature-{name}", role="product_owner")


def test_expiry_acts_by_itself(product, core, sandbox):
    """Law 7: five seconds, and nothing is left in any catalog."""
    name = slug()
    before = product.clusters.one("sandbox", "select change.fingerprint()")
    deployed(sandbox, name, expires="5s", runs="4s")
    (_, unit), = F.people(product, 1)
    assert call(sandbox, name, unit).status == 200
    assert left(product, name) > 0
    F.eventually(lambda: left(product, name) == 0, 8, "the feature is still there")
    F.eventually(lambda: core.get(f"/v1/flags/feature-{name}", role="operator").json["archived_at"])
    assert product.clusters.one("sandbox", "select change.fingerprint()") == before
    assert sandbox.get(f"/v1/features/{name}", role="innovator").json["state"] == "expired"
    assert call(sandbox, name, unit).status == 410
    for table in ("lab.feature where slug", "lab.unit_metric where slug", "lab.dirty where slug", "lab.exposure where flag"):
        key = f"feature-{name}" if table.endswith("flag") else name
        assert product.clusters.one("sandbox", f"select count(*) from {table} = %s", (key,)) == 0
    # The sandbox writes down that the flag is archived when it has core's answer, a moment after core did it.
    F.eventually(lambda: {"deployed", "expired", "flag.archived"} <= {
        j["kind"] for j in sandbox.get(f"/v1/features/{name}", role="innovator").json["journal"]})


def test_expiry_while_core_is_away(product, core, sandbox):
    name = slug()
    deployed(sandbox, name, expires="2s", runs="2s")
    core.stop()
    try:
        F.eventually(lambda: left(product, name) == 0, 8)
        assert sandbox.get(f"/v1/features/{name}", role="innovator").json["flag_state"] == "made"
    finally:
        core.start()
    F.eventually(lambda: core.get(f"/v1/flags/feature-{name}", role="operator").json["archived_at"], 40)
    F.eventually(lambda: sandbox.get(f"/v1/features/{name}", role="innovator").json["flag_state"] == "archived")


def test_a_deployment_waits_for_core(product, core, sandbox):
    name = slug()
    core.stop()
    try:
        r = F.deploy(sandbox, F.files(name), wait=False)
        assert r.status == 202 and r.json["state"] == "deploying", r
    finally:
        core.start()
    F.eventually(lambda: sandbox.get(f"/v1/features/{name}", role="innovator").json["state"] == "running", 40)
    assert F.remove(sandbox, name).status == 200


def test_a_down_that_fails_does_not_keep_it(product, sandbox):
    name = slug()
    content = F.files(name)
    content["down.sql"] = f"DROP TABLE feature_{name}.never_made;\n"
    r = F.deploy(sandbox, content)
    assert r.status == 201, r
    F.remove(sandbox, name)
    F.eventually(lambda: left(product, name) == 0)


def test_isolation(product, sandbox):
    """What a feature's login may: the published columns and its own schema, nothing else (decisions 24)."""
    import psycopg2
    name, other = slug(), slug()
    deployed(sandbox, name)
    deployed(sandbox, other)
    cluster = product.clusters.cluster["sandbox"]
    cluster.passwords[f"feature_{name}"] = product.clusters.one("sandbox", "select password from lab.feature where slug = %s", (name,))
    db = product.clusters.connect("sandbox", f"feature_{name}")
    for sql in (f"select * from feature_{other}.note", "select * from lab.exposure", "select * from lab.feature", "select * from flag.flag",
                "select * from access.token_published", "set role bimodal_owner", f"set role feature_{name}_owner", f"drop table feature_{name}.note",
                f"insert into feature_{name}.note values (9, 'x')", "select set_config('role', 'bimodal_app', false)",
                "create temp table x (id int)", "create schema y", "update crm.person set country = 'XX'"):
        with db.cursor() as cur, pytest.raises(psycopg2.Error):
            cur.execute(sql)
    with db.cursor() as cur:
        cur.execute(f"select count(*) from feature_{name}.note")
        assert cur.fetchone()[0] == 2
    db.close()
    for n in (name, other):
        assert F.remove(sandbox, n).status == 200
        assert left(product, n) == 0


def test_the_template_runs(product, sandbox, tmp_path):
    name = slug()
    made = traced.bimodal(product, "feature", "init", name, tmp_path / name)
    assert made.returncode == 0, made
    content = {str(p.relative_to(tmp_path / name)): p.read_text() for p in (tmp_path / name).rglob("*") if p.is_file()}
    r = F.deploy(sandbox, content)
    assert r.status == 201, r
    (_, unit), = F.people(product, 1)
    assert call(sandbox, name, unit).status == 200
    assert F.remove(sandbox, name).status == 200


def test_columns(sandbox):
    rows = sandbox.get("/v1/features/columns", role="innovator").json["data"]
    names = {(r["table"], r["name"]) for r in rows}
    assert ("person", "pseudonym") in names and ("person", "country") in names
    assert not {("person", "email"), ("person", "id"), ("person", "given_name"), ("interaction", "subject")} & names
