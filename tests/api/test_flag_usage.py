"""Who asks for flags, whom a kill does not reach at once, all experiments stopped at once, flags as files.

One product that tells who asked every 200 ms."""
import datetime
import json
import time
import uuid

import pytest
from product import BUILD, Product
from streams import Stream

EXPIRES = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).isoformat()
BOOL = [{"key": "control", "value": False}, {"key": "treatment", "value": True}]
ALL = "/ofrep/v1/evaluate/flags"


@pytest.fixture(scope="module")
def product():
    p = Product()
    for name in ("core", "sandbox"):
        p.overrides[name] = "ofrep: { usage_period: 200ms }\n"
    p.start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


@pytest.fixture(scope="module")
def sandbox(product):
    return product.sandbox


def document(rules=(), default="control"):
    return {"unit": "visitor", "variations": BOOL, "rules": list(rules), "default": default}


def create(core, prefix="u", role="product_owner", **kw):
    body = {"key": f"{prefix}-{uuid.uuid4().hex[:8]}", "kind": "release", "purpose": "a test", "business_owner": "product_owner",
            "technical_owner": "innovator", "expires_at": EXPIRES, "document": document(), "enabled": True, **kw}
    r = core.post("/v1/flags", body, role=role)
    assert r.status == 201, r
    return body["key"]


def eventually(what, seconds=30.0):
    """The value once it is true; each question may be answered by another worker."""
    deadline = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return got


def settled(core, key):
    eventually(lambda: (a := core.get(f"/v1/flags/{key}", role="operator").json["applied"])["workers"] == a["of"] == 2)


def ask(daemon, key, client, role="agent"):
    path = ALL if key is None else f"{ALL}/{key}"
    return daemon.request("POST", path, {"context": {"targetingKey": "v-1"}}, role=role, headers={"User-Agent": client})


def usage(core, key):
    r = core.get(f"/v1/flags/{key}/usage", role="product_owner")
    assert r.status == 200, r
    return r.json


def asker(core, key, client, how, daemon="core"):
    found = [a for a in usage(core, key)["asked_by"] if (a["client"], a["how"], a["daemon"]) == (client, how, daemon)]
    assert len(found) <= 1
    return found[0] if found else None


# -- who asks

def test_who_asks_is_counted(core):
    key = create(core)
    settled(core, key)
    for _ in range(7):
        assert ask(core, key, "till/3.2 (shop 17)").status == 200
    assert ask(core, None, "web/1").status == 200
    assert ask(core, key, "").status == 200
    a = eventually(lambda: (a := asker(core, key, "till/3.2", "one")) and a["count"] == 7 and a)
    assert a["name"] == "agent" and a["streams"] == 0 and a["first_at"] <= a["last_at"]
    a = eventually(lambda: asker(core, key, "web/1", "all"))
    assert a["count"] == 1
    assert eventually(lambda: asker(core, key, "-", "one"))["count"] == 1
    assert asker(core, create(core), "till/3.2", "one") is None
    assert core.get("/v1/flags/nothing-here/usage", role="product_owner").status == 404


def test_the_sandbox_tells_core(core, sandbox, product):
    key = create(core)
    product.arrived("SELECT count(*) = 1 FROM flag.flag WHERE key = %s", (key,))
    eventually(lambda: ask(sandbox, key, "trial/1").status == 200)
    a = eventually(lambda: asker(core, key, "trial/1", "one", "sandbox"))
    assert a["count"] >= 1 and a["name"] == "agent"


def test_the_sandbox_has_nothing_but_its_report(core):
    row = {"flag": "x", "principal": str(uuid.uuid4()), "client": "c", "count": 1, "first_at": EXPIRES, "last_at": EXPIRES}
    body = {"instance": "sandbox-9", "worker": 0, "asked": [row], "streams": []}
    assert core.post("/v1/flag-usage", body, role="product_owner").status == 403
    for bad, where in (({"worker": 5000}, "/worker"), ({"asked": {}}, "/asked"), ({"asked": [1]}, "/asked"), ({"streams": None}, "/streams"),
                       ({"instance": ""}, "/instance"), ({"more": 1}, "/more"), ({"asked": [{}] * 513}, "/asked")):
        r = core.post("/v1/flag-usage", {**body, **bad}, role="service")
        assert r.status == 422 and r.json["errors"][0]["pointer"] == where, (bad, r)
    for bad in ({"principal": "me"}, {"count": "many"}, {"last_at": "then"}, {"client": ""}, {"flag": None}):
        r = core.post("/v1/flag-usage", {**body, "asked": [{**row, **bad}]}, role="service")
        assert r.status == 422, (bad, r)
    assert core.post("/v1/flag-usage", body, role="service").json == {"counted": 1}


def test_what_is_counted_is_bounded(core, product):
    principal = str(uuid.uuid4())
    rows = [{"flag": f"no-such-{i}", "principal": principal, "client": "c/1", "count": 2, "first_at": EXPIRES, "last_at": EXPIRES}
            for i in range(300)]
    rows += [{"flag": "", "principal": principal, "client": f"c/{i}", "count": 2, "first_at": EXPIRES, "last_at": EXPIRES} for i in range(60)]
    for _ in range(2):
        assert core.post("/v1/flag-usage", {"instance": "s", "worker": 1, "asked": rows, "streams": []}, role="service").status == 200
    got = product.clusters.rows("core", "SELECT flag, client, count FROM flag.asked WHERE principal = %s", (principal,))
    unknown = [g for g in got if g[0] not in ("", "(others)")]
    assert len(unknown) == 100 and all(g[2] == 4 for g in unknown)
    assert {(g[0], g[1]): g[2] for g in got}["(others)", "c/1"] == 4 * 200
    assert len({g[1] for g in got}) == 21 and sum(g[2] for g in got if g[0] == "") == 4 * 60
    # Nothing is counted in a time to come.
    assert product.clusters.rows("core", "SELECT count(*) FROM flag.asked WHERE last_at > now() + interval '1 s'")[0][0] == 0


def test_keys_that_are_not_there(core):
    key, gone = f"typo-{uuid.uuid4().hex[:8]}", create(core)
    assert core.delete(f"/v1/flags/{gone}", role="product_owner").status == 200
    for k in (key, key, gone):
        eventually(lambda k=k: ask(core, k, "till/3.2").status == 404)

    def listed():
        out, after = {}, ""
        while True:
            page = core.get(f"/v1/unknown-flags?limit=2&after={after}", role="operator").json
            out.update({f["key"]: f for f in page["data"]})
            if not page["page"]["has_more"]:
                return out
            after = page["page"]["next"]
    found = eventually(lambda: (f := listed()) and key in f and gone in f and f[key]["count"] >= 2 and f)
    assert found[key]["archived"] is False and found[gone]["archived"] is True
    assert found[key]["asked_by"][0]["name"] == "agent" and found[key]["asked_by"][0]["client"] == "till/3.2"
    assert list(found) == sorted(found)
    create(core, key=key)
    assert key not in listed()
    assert core.get("/v1/unknown-flags?limit=0", role="operator").status == 400


def test_what_uses_a_flag(core):
    base = create(core)
    needs = document([{"force": "treatment", "prerequisites": [{"flag": base, "condition": {"value": True}}]}])
    above = create(core, document=needs)
    assert {"kind": "flag", "name": above, "how": "waits for it"} in usage(core, base)["used_by"]
    assert usage(core, above)["needs"] == [base]
    made = create(core, role="service", kind="experiment")
    assert [u["kind"] for u in usage(core, made)["used_by"]] == ["experiment"]


# -- whom a kill reaches

def test_a_kill_names_who_is_not_told(core):
    key = create(core)
    settled(core, key)
    mark = uuid.uuid4().hex[:6]
    for _ in range(3):
        ask(core, key, f"each-{mark}/1")
        told = ask(core, None, f"told-{mark}/1")
        ask(core, None, f"polls-{mark}/1")
    stream = Stream(core, told.json["eventStreams"][0]["endpoint"]["requestUri"], role=None, headers=[f"User-Agent: told-{mark}/1"])
    try:
        eventually(lambda: (a := asker(core, key, f"told-{mark}/1", "all")) and a["streams"] == 1)
        for c, how in (("each", "one"), ("polls", "all")):
            eventually(lambda c=c, how=how: (a := asker(core, key, f"{c}-{mark}/1", how)) and a["count"] == 3)
        r = core.post(f"/v1/flags/{key}/kill", role="operator")
        assert r.status == 200, r
        seen = r.json["applications"]
        found = {a["client"]: a for a in seen["without_stream"]}
        assert seen["seconds"] == 6 * 3600 and seen["streams"] >= 1
        assert f"told-{mark}/1" not in found
        assert found[f"each-{mark}/1"]["asks"] == "one" and found[f"each-{mark}/1"]["every_ms"] is None
        assert found[f"polls-{mark}/1"]["asks"] == "all" and found[f"polls-{mark}/1"]["every_ms"] >= 0
    finally:
        stream.close()
    # A stream that has ended does not count for long.
    eventually(lambda: asker(core, key, f"told-{mark}/1", "all")["streams"] == 0)
    found = core.post(f"/v1/flags/{key}/disable", role="operator").json["applications"]["without_stream"]
    assert f"told-{mark}/1" in [a["client"] for a in found]
    assert "applications" not in core.post(f"/v1/flags/{key}/enable", role="product_owner").json
