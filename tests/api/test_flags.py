"""Flags through the real daemon: creation and its limits, OFREP single evaluation, the acknowledged kill, expiry, exposures."""
import datetime
import http.client
import json
import time
import uuid

import described
import pytest
import traced

from clusters import ROOT

BOOL = [{"key": "control", "value": False}, {"key": "treatment", "value": True}]


def later(**kw):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**kw)).isoformat().replace("+00:00", "Z")


def document(rules=(), unit="visitor", variations=None, default="control"):
    return {"unit": unit, "variations": variations or BOOL, "rules": list(rules), "default": default}


SPLIT = {"experiment": {"variations": ["control", "treatment"]}}


def flag(key=None, **kw):
    body = {"key": key or f"t-{uuid.uuid4().hex[:12]}", "kind": "release", "purpose": "a test of flags", "business_owner": "product_owner",
            "technical_owner": "innovator", "expires_at": later(days=30), "document": document([SPLIT]), "enabled": True}
    body.update(kw)
    return {k: v for k, v in body.items() if v is not None}


def create(core, role="product_owner", **kw):
    body = flag(**kw)
    r = core.post("/v1/flags", body, role=role)
    assert r.status == 201, r
    return body["key"], r


def ofrep(core, key, context=None, role="agent", body=None):
    if body is None:
        body = {"context": context} if context is not None else {}
    return core.request("POST", f"/ofrep/v1/evaluate/flags/{key}", body, role=role)


def pointer(r):
    return r.json["errors"][0]["pointer"]


@pytest.fixture(scope="module", autouse=True)
def workers_of_others_have_gone(product):
    """What an earlier file had beside the product counts for a while after its end."""
    product.clusters.wait("core", "SELECT count(*) = 2 FROM change.worker WHERE daemon = 'core' AND seen_at > clock_timestamp() - interval '3 s'")


# -- creation

def test_create_and_read(core):
    key, r = create(core)
    assert r.headers["Location"] == f"/v1/flags/{key}"
    assert r.json["enabled"] is True and r.json["applied"]["workers"] == r.json["applied"]["of"] == 2
    assert r.json["applied"]["missing"] == [] and r.json["applied"]["ms"] > 0
    one = core.get(f"/v1/flags/{key}", role="operator").json
    assert one["key"] == key and one["purpose"] == "a test of flags" and one["document"]["unit"] == "visitor"
    assert one["archived_at"] is None and one["expired"] is False and one["applied"]["of"] == 2
    listed = core.get("/v1/flags?limit=200", role="operator").json
    assert key in [f["key"] for f in listed["data"]]
    assert core.get("/v1/flags/nothing-here", role="operator").status == 404
    r = core.post("/v1/flags", flag(key), role="product_owner")
    assert r.status == 409 and pointer(r) == "/key"


@pytest.mark.parametrize("change, where", [
    ({"key": "Bad Key"}, "/key"), ({"key": None}, None), ({"kind": "trial"}, "/kind"), ({"kind": None}, "/kind"),
    ({"purpose": None}, "/purpose"), ({"purpose": ""}, "/purpose"), ({"business_owner": None}, "/business_owner"),
    ({"technical_owner": 7}, "/technical_owner"), ({"business_owner": "nobody"}, "/business_owner"),
    ({"technical_owner": "agent"}, "/technical_owner"), ({"technical_owner": "product_owner"}, "/technical_owner"), ({"expires_at": None}, "/expires_at"), ({"expires_at": "soon"}, "/expires_at"),
    ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"), ({"document": None}, "/document"), ({"document": []}, "/document"),
    ({"document": document([{"force": "nobody"}])}, "/document/rules/0/force"),
    ({"document": document([{"experiment": {"variations": ["control", "treatment"], "weights": [0.5, 0.4]}}])},
     "/document/rules/0/experiment/weights"),
    ({"document": document([{"force": "control", "condition": {"country": {"$inn": ["at"]}}}])}, "/document/rules/0/condition/country/$inn"),
    ({"document": document([{"force": "control", "condition": {"name": {"$regex": "(?=a)"}}}])}, "/document/rules/0/condition/name/$regex"),
    ({"enabled": "yes"}, "/enabled"), ({"ownr": "x"}, "/ownr"),
    ({"kind": "experiment", "expires_at": later(days=91)}, "/expires_at"),
])
def test_refused_with_its_place(core, change, where):
    body = flag(**change)
    if change.get("key", "") is None:
        del body["key"]
        where = "/key"
    r = core.post("/v1/flags", body, role="product_owner")
    assert r.status == 422 and pointer(r) == where, r
    assert not [f for f in core.get("/v1/flags?limit=200", role="operator").json["data"] if f["key"] == body.get("key")]


def test_not_json(core):
    r = core.post("/v1/flags", b"{\"key\":", role="product_owner")
    assert r.status == 400 and r.json["code"] == "bad-json"


def test_list_pages(core):
    prefix = f"page-{uuid.uuid4().hex[:8]}"
    keys = [create(core, key=f"{prefix}-{i}")[0] for i in range(5)]
    got, after = [], prefix
    while True:
        page = core.get(f"/v1/flags?limit=2&after={after}", role="operator").json
        got += [f["key"] for f in page["data"]]
        if not page["page"]["has_more"] or len(got) >= 5:
            break
        after = page["page"]["next"]
    assert got[:5] == keys
    assert core.get("/v1/flags?limit=0", role="operator").status == 400
    assert core.get("/v1/flags?kind=x", role="operator").status == 400


# -- rights

def test_rights(core):
    key, _ = create(core)
    assert core.post("/v1/flags", flag(), role="agent").status == 403
    r = core.post("/v1/flags", flag(), role="innovator")
    assert r.status == 403 and r.json["right"] == "flag.write"
    assert core.post(f"/v1/flags/{key}/enable", role="operator").status == 403
    assert core.post(f"/v1/flags/{key}/kill", role="innovator").status == 403
    assert core.post(f"/v1/flags/{key}/kill", role="operator").status == 200  # an emergency stop
    assert core.delete(f"/v1/flags/{key}", role="operator").status == 403
    assert core.request("POST", f"/ofrep/v1/evaluate/flags/{key}", {}, role=None).status == 401


def test_experimenter_is_limited(core):
    r = core.post("/v1/flags", flag(kind="release"), role="service")
    assert r.status == 403 and pointer(r) == "/kind"
    key, _ = create(core, role="service", kind="experiment")
    assert core.post(f"/v1/flags/{key}/revisions", {"document": document()}, role="service").status == 403
    assert core.post(f"/v1/flags/{key}/kill", role="product_owner").status == 200
    assert core.post(f"/v1/flags/{key}/enable", role="service").status == 403  # a kill stays a kill
    assert core.post(f"/v1/flags/{key}/disable", {"comment": "harm"}, role="service").status == 200
    other, _ = create(core, kind="experiment")
    assert core.post(f"/v1/flags/{other}/disable", role="service").status == 403
    assert core.delete(f"/v1/flags/{other}", role="service").status == 403
    r = core.delete(f"/v1/flags/{key}", role="service")
    assert r.status == 200 and r.json["archived"] is True
    assert core.post(f"/v1/flags/{key}/disable", role="service").status == 410
    # Deployed again: the archived one is taken up, with its history; but not by somebody else's experiment.
    r = core.post("/v1/flags", flag(key, kind="experiment"), role="service")
    assert r.status == 201, r
    assert len(core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]) == 4
    assert core.delete(f"/v1/flags/{other}", role="product_owner").status == 200
    assert core.post("/v1/flags", flag(other, kind="experiment"), role="service").status == 409


# -- OFREP

def test_ofrep_reasons(core):
    values = [{"key": "small", "value": 1}, {"key": "large", "value": 2.0}]
    static, _ = create(core, document=document(variations=values, default="large"))
    r = ofrep(core, static)  # a body of {} and no targeting key: no rule needs one
    assert r.status == 200 and r.headers["Content-Type"].startswith("application/json")
    assert r.json["reason"] == "STATIC" and r.json["variant"] == "large" and r.json["key"] == static
    assert r.json["metadata"]["revision"] > 0
    assert b'"value":2.0' in r.body  # the number as it was written, not 2
    assert ofrep(core, static, body=b"").status == 200
    forced, _ = create(core, document=document([{"force": "treatment"}]))
    assert ofrep(core, forced).json | {"metadata": 0} == {"key": forced, "reason": "TARGETING_MATCH", "variant": "treatment", "value": True,
                                                          "metadata": 0}
    split, _ = create(core)
    assert ofrep(core, split, {"targetingKey": "u1"}).json["reason"] == "SPLIT"
    none, _ = create(core, document=document([{"experiment": {"variations": ["control", "treatment"], "coverage": 0}}]))
    assert ofrep(core, none, {"targetingKey": "u1"}).json["reason"] == "DEFAULT"
    off, _ = create(core, enabled=False)
    r = ofrep(core, off, {"targetingKey": "u1"})
    assert r.status == 200 and r.json["reason"] == "DISABLED" and "value" not in r.json and "variant" not in r.json


@pytest.mark.parametrize("body, code", [
    ({}, "TARGETING_KEY_MISSING"), (b"", "TARGETING_KEY_MISSING"), ({"context": {}}, "TARGETING_KEY_MISSING"),
    ({"context": {"targetingKey": ""}}, "TARGETING_KEY_MISSING"), ({"context": {"plan": "pro"}}, "TARGETING_KEY_MISSING"),
    (b"{", "PARSE_ERROR"), (b"\xff", "PARSE_ERROR"), (b'{"context":{"targetingKey":"\xc3("}}', "PARSE_ERROR"),
    ({"context": []}, "INVALID_CONTEXT"), ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"),
    ({"context": {"targetingKey": "x" * 201}}, "INVALID_CONTEXT"), (b'{"context":{},"context":{}}', "INVALID_CONTEXT"),
])
def test_ofrep_errors(core, body, code):
    key, _ = create(core, key="ofrep-errors") if core.get("/v1/flags/ofrep-errors", role="operator").status == 404 else ("ofrep-errors", 0)
    r = ofrep(core, key, body=body)
    assert r.status == 400 and r.json["errorCode"] == code and r.json["key"] == key and r.json["errorDetails"], r
    assert r.headers["Content-Type"].startswith("application/json")


def test_ofrep_keys(core):
    for path in ("nothing-here", "my%2Fflag%20x", "my/flag%20x"):
        r = ofrep(core, path, {"targetingKey": "u"})
        assert r.status == 404 and r.json["errorCode"] == "FLAG_NOT_FOUND"
    assert r.json["key"] == "my/flag x"
    key, _ = create(core, key=f"dotted.{uuid.uuid4().hex[:6]}")
    assert ofrep(core, key.replace(".", "%2E"), {"targetingKey": "u"}).status == 200


def test_ofrep_persons(core, product):
    """A person's id and pseudonym are one unit; the pseudonym is in no answer; exposures name only the pseudonym."""
    key, _ = create(core, document=document([SPLIT], unit="person"))
    seen = set()
    for i in range(12):
        person = core.post("/v1/people", {"given_name": "Ann", "family_name": f"N{i}"}).json["id"]
        pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
        by_id, by_pseudonym = ofrep(core, key, {"targetingKey": person}), ofrep(core, key, {"targetingKey": pseudonym.upper()})
        assert by_id.status == 200 and by_id.json == by_pseudonym.json
        assert pseudonym not in by_id.body.decode()
        seen.add(by_id.json["variant"])
        product.clusters.wait("core", "select count(*) = 1 from flag.exposure where flag = %s and unit = %s and variation = %s",
                              (key, pseudonym, by_id.json["variant"]), 5)
    assert seen == {"control", "treatment"}
    r = ofrep(core, key, {"targetingKey": "0190a000-0000-7000-8000-000000000000"})
    assert r.status == 400 and r.json["errorCode"] == "INVALID_CONTEXT"
    assert ofrep(core, key, {"targetingKey": "visitor@example.com"}).json["reason"] == "SPLIT"
    time.sleep(0.2)
    assert product.clusters.one("core", "select count(*) from flag.exposure where flag = %s", (key,)) == 12


def test_exposures_once_and_in_batches(core, product):
    key, r = create(core)
    c = http.client.HTTPConnection("127.0.0.1", core.port)
    for _ in range(2):
        for i in range(300):
            unit = f'u"{i}\\,{{}}é'
            c.request("POST", f"/ofrep/v1/evaluate/flags/{key}", json.dumps({"context": {"targetingKey": unit}}),
                      {"Authorization": f"Bearer {core.tokens['agent']}", "Content-Type": "application/json"})
            answer = c.getresponse()
            described.check(core, "POST", f"/ofrep/v1/evaluate/flags/{key}", answer.status, answer.headers, answer.read())
    c.close()
    product.clusters.wait("core", "select count(*) >= 300 from flag.exposure where flag = %s", (key,), 5)
    rows = product.clusters.rows("core", "select unit, variation, revision from flag.exposure where flag = %s", (key,))
    assert {u for u, _, _ in rows} == {f'u"{i}\\,{{}}é' for i in range(300)} and len(rows) == 300
    assert {r.json["revision"]} == {v for _, _, v in rows}
    assert core.metric("bimodal_flag_exposures_lost_total") == 0


# -- turning

def test_kill_is_acknowledged(core, product):
    key, _ = create(core)
    before = ofrep(core, key, {"targetingKey": "u7"}).json["variant"]
    r = core.post(f"/v1/flags/{key}/kill", {"comment": "complaints"}, role="product_owner")
    assert r.status == 200 and r.json["enabled"] is False, r
    assert r.json["applied"]["workers"] == r.json["applied"]["of"] == 2 and r.json["applied"]["ms"] < 2000
    for _ in range(20):  # over both workers: nobody still serves it
        assert ofrep(core, key, {"targetingKey": "u7"}).json["reason"] == "DISABLED"
    r = core.post(f"/v1/flags/{key}/enable", role="product_owner")
    assert r.json["enabled"] is True
    assert {ofrep(core, key, {"targetingKey": "u7"}).json["variant"] for _ in range(20)} == {before}
    revisions = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]
    assert [x["enabled"] for x in revisions] == [True, False, True] and revisions[1]["comment"] == "complaints"
    ops = product.clusters.rows("core", "select op, actor, request_id from event.log where resource = 'flags' and after->>'key' = %s"
                                " order by seq", (key,))
    assert [o for o, _, _ in ops] == ["flag.create", "flag.kill", "flag.enable"]
    assert all(uuid.UUID(a) and uuid.UUID(i) for _, a, i in ops)


def test_missing_worker_is_named(core, product):
    """A worker that is alive and does not follow is waited for two seconds and then named."""
    key, _ = create(core)
    product.clusters.rows("core", "insert into change.worker (instance, daemon, worker, seen_at)"
                          " values ('stuck', 'core', 0, clock_timestamp() + interval '2 seconds')")
    try:
        start = time.monotonic()
        r = core.post(f"/v1/flags/{key}/kill", role="product_owner").json
        assert 1.9 < time.monotonic() - start < 4
        assert r["applied"]["workers"] == 2 and r["applied"]["of"] == 3 and r["applied"]["missing"] == ["stuck/0"]
    finally:
        product.clusters.rows("core", "delete from change.worker where instance = 'stuck'")


def test_replicated_snapshot(core, product):
    """The sandbox's snapshot, as its own login reads it: the same documents, and the generation it acknowledges."""
    key, r = create(core)
    text = (ROOT / "sql" / "sandbox" / "queries" / "sandbox_flag_snapshot.sql").read_text()
    product.arrived("select generation >= %s from flag.state", (r.json["generation"],))
    rows = {row[0]: row for row in product.clusters.rows("sandbox", text, role="bimodal_app")}
    assert rows[key][1] is True and rows[key][2] == r.json["revision"] and rows[key][3]["default"] == "control"
    assert rows[key][5] >= r.json["generation"]
    killed = core.post(f"/v1/flags/{key}/kill", role="product_owner").json
    product.arrived("select generation >= %s from flag.state", (killed["generation"],))
    rows = {row[0]: row for row in product.clusters.rows("sandbox", text, role="bimodal_app")}
    assert rows[key][1] is False and rows[key][2] == killed["revision"]
    core.delete(f"/v1/flags/{key}", role="product_owner")
    product.arrived("select archived_at is not null from flag.flag where key = %s", (key,))
    assert key not in {row[0] for row in product.clusters.rows("sandbox", text, role="bimodal_app")}


def test_sandbox_acknowledges(core):
    key, r = create(core)
    generation = r.json["generation"]
    body = {"instance": "ack-test", "worker": 1, "flag_generation": generation - 1, "schema_generation": 1, "access_generation": 1}
    r = core.post("/v1/workers", body, role="service")
    assert r.status == 200 and r.json["flag_generation"] >= generation
    shown = core.get(f"/v1/flags/{key}", role="operator").json["sandbox"]
    assert shown["acknowledged"] is False and shown["of"] >= 1
    body["flag_generation"] = r.json["flag_generation"]
    assert core.post("/v1/workers", body, role="service").status == 200
    after = core.get(f"/v1/flags/{key}", role="operator").json["sandbox"]
    assert after["workers"] > shown["workers"]  # its own workers may have caught up as well
    assert core.post("/v1/workers", body, role="agent").status == 403
    r = core.post("/v1/workers", {**body, "worker": -1}, role="service")
    assert r.status == 422 and pointer(r) == "/worker"


def test_new_document(core):
    key, _ = create(core)
    r = core.post(f"/v1/flags/{key}/revisions", {"document": document([{"force": "treatment"}]), "comment": "all in"}, role="product_owner")
    assert r.status == 201 and r.json["enabled"] is True
    assert ofrep(core, key).json["reason"] == "TARGETING_MATCH"
    r = core.post(f"/v1/flags/{key}/revisions", {"document": document([{"force": "x"}])}, role="product_owner")
    assert r.status == 422 and pointer(r) == "/document/rules/0/force"
    assert core.post("/v1/flags/nothing-here/revisions", {"document": document()}, role="product_owner").status == 404


def test_conditions_and_prerequisites(core):
    parent, _ = create(core, document=document([{"force": "treatment"}]))
    gate = {"prerequisites": [{"flag": parent, "condition": {"value": True}, "gate": True}]}
    rules = [gate, {"id": "alps", "condition": {"country": {"$ini": ["AT", "ch"]}, "company.size": {"$gte": 50}}, "force": "treatment"},
             {"condition": {"app": {"$semverLt": "2.0.0"}}, "experiment": {"variations": ["control", "treatment"], "hashAttribute": "device"}}]
    key, _ = create(core, document=document(rules))
    assert ofrep(core, key, {"country": "At", "company": {"size": 50}}).json["reason"] == "TARGETING_MATCH"
    assert ofrep(core, key, {"country": "At", "company": {"size": 49}}).json["reason"] == "DEFAULT"
    assert ofrep(core, key, {"app": "1.9.9", "device": "d1"}).json["reason"] == "SPLIT"
    assert ofrep(core, key, {"app": "1.9.9"}).json["reason"] == "DEFAULT"  # nothing to divide by
    assert ofrep(core, key, {"app": "2.0.0", "device": "d1"}).json["reason"] == "DEFAULT"
    assert core.post(f"/v1/flags/{parent}/kill", role="product_owner").status == 200
    r = ofrep(core, key, {"country": "at", "company": {"size": 50}}).json
    assert r["reason"] == "DISABLED" and "value" not in r and "variant" not in r


def test_hostile_pattern_ends(core):
    key, _ = create(core, document=document([{"force": "treatment", "condition": {"name": {"$regex": "^(a+)+$"}}}]))
    assert ofrep(core, key, {"name": "aaaa"}).json["reason"] == "TARGETING_MATCH"
    before = core.metric("bimodal_flag_conditions_limited_total")
    assert ofrep(core, key, {"name": "a" * 60 + "!"}).json["reason"] == "DEFAULT"
    assert core.metric("bimodal_flag_conditions_limited_total") == before + 1


def test_large_conditions(core):
    def post(n):
        return core.post("/v1/flags", flag(document=document([{"force": "control", "condition": {"n": {"$in": list(range(n))}}}])), role="product_owner")
    assert post(8000).status == 201
    r = post(9000)
    assert r.status == 413 and "/document/rules/0/condition" in r.body.decode()


@pytest.mark.parametrize("rule, core_only", [
    ({"condition": {"country": {"$in": ["at"]}}}, False), ({"condition": {"$or": [{"plan": "pro"}, {"person.email": {"$exists": True}}]}}, True),
    ({"condition": {"domain": {"$ewi": "@example.com"}}}, True), ({"condition": {"id": {"$not": "018f3a5e-7c1d-7000-8000-000000000000"}}}, True),
    ({"coverage": 0.5, "hashAttribute": "email"}, True), ({"coverage": 0.5, "hashAttribute": "company"}, False),
])
def test_personal_rules_stay_in_core(core, product, rule, core_only):
    def kept(key):
        return product.clusters.rows("core", "SELECT core_only FROM flag.revision WHERE key = %s ORDER BY revision", (key,))
    key, _ = create(core, document=document([{"force": "treatment", **rule}]))
    assert kept(key) == [(core_only,)]
    other, _ = create(core)
    r = core.post(f"/v1/flags/{other}/revisions", {"document": document([{"force": "treatment", **rule}])}, role="product_owner")
    assert r.status == 201, r
    assert core.post(f"/v1/flags/{other}/kill", role="product_owner").status == 200
    assert kept(other) == [(False,), (core_only,), (core_only,)]


def test_many_toggles_at_once(core, product):
    """Racing toggles: each gets a revision of its own and none is lost."""
    from concurrent.futures import ThreadPoolExecutor
    key, _ = create(core)
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda i: core.post(f"/v1/flags/{key}/{'enable' if i % 2 else 'disable'}", role="product_owner"), range(16)))
    good = [r for r in replies if r.status == 200]
    assert all(r.status in (200, 409, 503) for r in replies) and len(good) >= 8, replies
    assert len({r.json["revision"] for r in good}) == len(good)
    n = product.clusters.one("core", "select count(*) from flag.revision where key = %s", (key,))
    assert n == len(good) + 1


# -- drafts, diff, publish, roll back

FORCED = {"force": "treatment"}


def draft(core, key, body=None):
    return core.request("PUT", f"/v1/flags/{key}/draft", body or {"document": document([FORCED])}, role="product_owner")


def diff(core, key, query=""):
    return core.get(f"/v1/flags/{key}/diff{query}", role="operator")


def publish(core, key, body=None, match=None):
    return core.post(f"/v1/flags/{key}/publish", body, role="product_owner", headers={"If-Match": match} if match else None)


def test_draft_is_published(core, product):
    key, r = create(core)
    first = r.json["revision"]
    path = f"/v1/flags/{key}/draft"
    assert core.get(path, role="operator").status == 404 and diff(core, key).status == 404 and publish(core, key).status == 404
    r = draft(core, key, {"document": document([FORCED]), "comment": "all in"})
    assert r.status == 200 and r.json["base"] == r.json["current"] == first and r.json["author_name"] == "product_owner", r
    assert core.get(path, role="operator").json == r.json
    assert ofrep(core, key, {"targetingKey": "u1"}).json["reason"] == "SPLIT"  # a draft serves nobody
    shown = diff(core, key).json
    assert shown["from"] == {"revision": first, "enabled": True, "rebucket": False}
    assert shown["to"] == {"revision": None, "enabled": True, "base": first, "rebucket": False}
    assert shown["changes"] == [{"op": "remove", "pointer": "/rules/0/experiment", "before": SPLIT["experiment"]},
                                {"op": "add", "pointer": "/rules/0/force", "after": "treatment"}]
    assert core.post(f"/v1/flags/{key}/disable", role="product_owner").status == 200  # no hindrance, and it stays off
    r = publish(core, key)
    assert r.status == 201 and r.json["revision"] > first and r.json["enabled"] is False and r.json["applied"]["of"] > 0, r
    assert core.get(path, role="operator").status == 404
    newest = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"][0]
    assert newest["comment"] == "all in" and newest["document"] == document([FORCED])
    assert core.post(f"/v1/flags/{key}/enable", role="product_owner").status == 200
    assert ofrep(core, key).json["reason"] == "TARGETING_MATCH"
    ops = product.clusters.rows("core", "select op from event.log where resource = 'flags' and after->>'key' = %s order by seq", (key,))
    assert [o for o, in ops] == ["flag.create", "flag.draft", "flag.disable", "flag.publish", "flag.enable"]


def test_draft_of_rules_that_moved(core):
    key, r = create(core)
    first = r.json["revision"]
    assert draft(core, key).status == 200
    second = core.post(f"/v1/flags/{key}/revisions", {"document": document([{"force": "control"}])}, role="product_owner").json["revision"]
    r = publish(core, key)
    assert r.status == 409 and f"revision {first} " in r.body.decode() and f"revision {second} " in r.body.decode(), r
    r = publish(core, key, match=f'"v{first}"')
    assert r.status == 409 and f"at revision {second}, not {first}" in r.body.decode(), r
    assert publish(core, key, match="seven").status == 400
    assert publish(core, key, {"comment": "seen"}, match=f'"v{second}"').status == 201
    assert draft(core, key, {"document": document(), "base": first}).json["base"] == first
    assert publish(core, key).status == 409 and publish(core, key, match="*").status == 201


def test_draft_is_checked_and_somebodys(core, product):
    key, _ = create(core)
    r = draft(core, key, {"document": document([{"force": "x"}])})
    assert r.status == 422 and pointer(r) == "/document/rules/0/force"
    _, foreign = create(core)
    for base in (foreign.json["revision"], 0, "x"):
        r = draft(core, key, {"document": document(), "base": base})
        assert r.status == 422 and pointer(r) == "/base"
    r = draft(core, key, {"document": document(), "replace": 1})
    assert r.status == 422 and pointer(r) == "/replace"
    assert draft(core, "nothing-here").status == 404
    assert draft(core, key).status == draft(core, key).status == 200
    somebody = product.clusters.one("core", "select id from access.principal where name = 'operator'")
    product.clusters.rows("core", "update flag.draft set author = %s where key = %s", (somebody, key))
    r = draft(core, key)
    assert r.status == 409 and "a draft of operator" in r.body.decode()
    assert draft(core, key, {"document": document(), "replace": True}).json["author_name"] == "product_owner"
    path = f"/v1/flags/{key}/draft"
    assert [core.delete(path, role="product_owner").status for _ in range(2)] == [204, 404]
    assert core.delete(f"/v1/flags/{key}", role="product_owner").status == 200
    assert draft(core, key).status == 410 and publish(core, key).status == 410


def test_personal_draft_stays_in_core(core, product):
    key, _ = create(core)
    assert draft(core, key, {"document": document([{**FORCED, "condition": {"person.email": {"$exists": True}}}])}).status == 200
    r = publish(core, key)
    assert r.status == 201
    assert product.clusters.one("core", "select core_only from flag.revision where revision = %s", (r.json["revision"],)) is True


def test_diff_of_revisions_and_roll_back(core, product):
    def valued(value, rules, default):
        return document(rules, variations=[{"key": "a", "value": value}, {"key": "c", "value": {}}], default=default)
    key, r = create(core, document=valued({"n~": 1, "same": [1, 2]}, [{"force": "a"}], "c"))
    first = r.json["revision"]
    body = {"document": valued({"n~": 1.0, "x/y": None, "same": [1, 3, 4]}, [], "a")}
    second = core.post(f"/v1/flags/{key}/revisions", body, role="product_owner").json["revision"]
    assert core.post(f"/v1/flags/{key}/kill", role="product_owner").status == 200
    assert diff(core, key, f"?from={first}").status == 404  # there is no draft
    r = diff(core, key, f"?from={first}&to={second}")
    place = "/variations/0/value"
    assert [(c["op"], c["pointer"], c.get("before"), c.get("after")) for c in r.json["changes"]] == [
        ("change", "/default", "c", "a"), ("remove", "/rules/0", {"force": "a"}, None), ("change", f"{place}/n~0", 1, 1),
        ("change", f"{place}/same/1", 2, 3), ("add", f"{place}/same/2", None, 4), ("add", f"{place}/x~1y", None, None)]
    assert b'"after": 1.0,' in r.body  # 1 and 1.0 are two values to a client
    assert diff(core, key, f"?to={second}").json["changes"] == []
    for query, status in ((f"?from={second + 1000}&to={first}", 404), (f"?from={first}&to={second + 1000}", 404), ("?from=x", 400)):
        assert diff(core, key, query).status == status
    assert diff(core, "nothing-here").status == 404
    r = core.post(f"/v1/flags/{key}/rollback", {"revision": first, "comment": "worse"}, role="product_owner")
    assert r.status == 201 and r.json["enabled"] is False and r.json["applied"]["of"] > 0, r  # a kill stays a kill
    newest = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"][0]
    assert newest["comment"] == f"back to revision {first}: worse"
    assert diff(core, key, f"?from={first}&to={newest['revision']}").json["changes"] == []
    ops = product.clusters.rows("core", "select op from event.log where resource = 'flags' and after->>'key' = %s order by seq", (key,))
    assert ops[-1] == ("flag.rollback",)


def test_roll_back_is_refused(core, product):
    key, _ = create(core)
    other, o = create(core)
    for body in ({"revision": o.json["revision"]}, {"revision": 0}, {"revision": "1"}, {}):
        r = core.post(f"/v1/flags/{key}/rollback", body, role="product_owner")
        assert r.status == 422 and pointer(r) == "/revision", r
    assert core.post("/v1/flags/nothing-here/rollback", {"revision": 1}, role="product_owner").status == 404
    strange = {**document(), "rules": [{"force": "treatment", "moon": "full"}]}
    number = product.clusters.one("core", "insert into flag.revision (key, document, enabled, actor) select key, %s::jsonb, false, created_by"
                                  " from flag.flag where key = %s returning revision", (json.dumps(strange), other))
    assert core.post(f"/v1/flags/{other}/rollback", {"revision": o.json["revision"]}, role="product_owner").status == 201
    r = core.post(f"/v1/flags/{other}/rollback", {"revision": number}, role="product_owner")
    assert r.status == 409 and "another version" in r.body.decode() and "/rules/0/moon" in r.body.decode(), r


def test_roll_back_to_a_large_document(core):
    """The database writes a document longer than it was sent."""
    numbers = document([{**FORCED, "condition": {"n": {"$in": list(range(8000))}}}], variations=BOOL + [{"key": "pad", "value": False}])
    key, first = create(core, document=numbers)
    assert core.post(f"/v1/flags/{key}/revisions", {"document": document()}, role="product_owner").status == 201
    r = core.post(f"/v1/flags/{key}/rollback", {"revision": first.json["revision"]}, role="product_owner")
    assert r.status == 201, r


def command_line(core, product, role="product_owner"):
    """flag WORDS as one of a role; what it says, if its exit code is one of `codes`."""
    token = product.secret(f"cli-flags-{role}", core.tokens[role])

    def bimodal(*words, codes=(0,)):
        done = traced.bimodal(product, "--core", f"http://127.0.0.1:{core.port}", "--token-file", token, "flag", *words)
        assert done.returncode in codes, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr
    return bimodal


def test_command_line_tells_the_whole_rule(core, product, tmp_path):
    bimodal = command_line(core, product)
    half = {"condition": {"country": {"$in": ["AT"]}}, "experiment": {**SPLIT["experiment"], "namespace": ["n", 0, 1]}}
    rules = [{"id": "at", "force": "treatment", "condition": {"country": "AT"}, "coverage": 0.5}, {"force": "treatment", "range": [0, 0.1]},
             {"prerequisites": [{"flag": "other", "condition": {"value": True}, "gate": True}]}]
    key, _ = create(core, document=document([*rules, half], unit="person"))
    lines = [line[4:].strip() for line in bimodal("get", key).splitlines() if line.startswith("rule")]
    assert lines == ['if {"country":"AT"}: 50 % get treatment', "a range gets treatment; see also range", "goes on, or gives nothing; see also prerequisites",
                     'if {"country":{"$in":["AT"]}}: 100 % take part: control 50 %, treatment 50 %; see also namespace']


def test_command_line_explains_and_previews(core, product, tmp_path):
    bimodal = command_line(core, product)
    key, r = create(core, document=document([{"id": "late", "active": False, "force": "treatment"}, {"id": "at", "force": "treatment",
                                                                                                     "condition": {"country": "AT"}}], unit="person"))
    told = bimodal("explain", key, '{"country": "AT"}').splitlines()
    assert told[0] == f"{key}: revision {r.json['revision']}, on"
    assert {" ".join(line.split()) for line in told} >= {"variation treatment", "value true", "rule 1 (at)", 'condition {"country":"AT"}',
                                                         "passed over rule 0 (late): inactive"}
    assert "revision" in bimodal("explain", key, "--revision", "1,\"at\":1", codes=(2,))
    assert "the context: line 1, column 2" in bimodal("explain", key, "{broken", codes=(1,))
    (tmp_path / "rules.json").write_text("{broken")
    assert f"{tmp_path}/rules.json: line 1, column 2" in bimodal("preview", key, str(tmp_path / "rules.json"), codes=(1,))
    assert "the document: line 1, column 2" in bimodal("revise", key, "{broken", codes=(1,))
    (tmp_path / "rules.json").write_text(json.dumps(document([{"force": "treatment", "condition": {"country": "XX", "mood": "x"}}], unit="person")))
    lines = [" ".join(line.split()) for line in bimodal("preview", key, str(tmp_path / "rules.json")).splitlines()]
    assert lines[0].startswith(f"{key}: ") and lines[0].endswith(" would move") and "each person" in lines and "not counted mood" in lines, lines


def test_command_line_of_drafts(core, product, tmp_path):
    key, r = create(core)
    first = r.json["revision"]
    (tmp_path / "rules.json").write_text(json.dumps(document([FORCED])))
    bimodal = command_line(core, product)
    assert "has no draft" in bimodal("diff", key, codes=(1,))
    assert '"base"' in bimodal("draft", key, str(tmp_path / "rules.json"), "--comment", "all in", "--base", str(first), "--replace")
    assert '"all in"' in bimodal("draft", key)
    shown = bimodal("diff", key).splitlines()
    assert shown[0].endswith(f"revision {first}, on") and shown[1].endswith(f"the draft, made from revision {first}")
    assert shown[2:] == ["remove /rules/0/experiment", '  - {"variations":["control","treatment"]}', "add /rules/0/force", '  + "treatment"']
    assert f"at revision {first}, not {first + 1}" in bimodal("publish", key, "--over", str(first + 1), codes=(1,))
    assert "revision " in bimodal("publish", key, codes=(0, 3))  # 3: a worker is late
    second = core.get(f"/v1/flags/{key}", role="operator").json["revision"]
    assert "add /rules/0/experiment" in bimodal("diff", key, "--from", str(second), "--to", str(first))
    assert "the rules are the same" in bimodal("diff", key, "--to", str(second))
    assert "applied by" in bimodal("rollback", key, str(first), codes=(0, 3))
    assert bimodal("draft", key, json.dumps(document())) and bimodal("draft", key, "--drop") == ""
    assert core.get(f"/v1/flags/{key}/draft", role="operator").status == 404
    bimodal("rollback", key, "last", codes=(2,))
    bimodal("draft", key, "{}", "--drop", codes=(2,))


# -- expiry

def test_expiry_acts_by_itself(core, product):
    key, _ = create(core, expires_at=later(seconds=1.5))
    assert ofrep(core, key, {"targetingKey": "u"}).json["reason"] == "SPLIT"
    deadline = time.monotonic() + 10
    while True:
        r = ofrep(core, key, {"targetingKey": "u"})
        if r.status == 404 or r.json.get("reason") == "DISABLED":
            break
        assert time.monotonic() < deadline
        time.sleep(0.02)
    product.clusters.wait("core", "select archived_at is not null from flag.flag where key = %s", (key,), 10)
    assert product.clusters.one("core", "select actor from event.log where op = 'flag.expire' and after->>'key' = %s", (key,)) == "system:flags"
    assert core.post(f"/v1/flags/{key}/enable", role="product_owner").status == 410
    assert core.get(f"/v1/flags/{key}", role="operator").json["expired"] is True


def test_idle_job_does_not_move_the_generation(core, product):
    before = product.clusters.one("core", "select generation from flag.state")
    time.sleep(2.5)
    assert product.clusters.one("core", "select generation from flag.state") == before
