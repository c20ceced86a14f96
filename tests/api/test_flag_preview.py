"""What a flag gave and would give: explanations as of a moment or a revision, through the real daemon."""
import datetime
import uuid

import pytest

BOOL = [{"key": "control", "value": False}, {"key": "treatment", "value": True}]
SPLIT = {"id": "half", "experiment": {"variations": ["control", "treatment"]}}


def document(rules=(), unit="visitor"):
    return {"unit": unit, "variations": BOOL, "rules": list(rules), "default": "control"}


def create(core, rules=(), unit="visitor", **kw):
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)
    body = {"key": f"e-{uuid.uuid4().hex[:12]}", "kind": "release", "purpose": "a test", "business_owner": "product_owner",
            "technical_owner": "innovator", "expires_at": expires.isoformat(), "enabled": True, "document": document(rules, unit)} | kw
    r = core.post("/v1/flags", body, role="product_owner")
    assert r.status == 201, r
    return body["key"], r.json["revision"]


def revise(core, key, rules=(), unit="visitor", **kw):
    r = core.post(f"/v1/flags/{key}/revisions", {"document": document(rules, unit)} | kw, role="product_owner")
    assert r.status == 201, r
    return r.json["revision"]


def ask(core, key, context=None, role="product_owner", status=200, **kw):
    r = core.post(f"/v1/flags/{key}/explain", ({"context": context} if context is not None else {}) | kw, role=role)
    assert r.status == status, r
    return r.json


def pointer(r):
    return r["errors"][0]["pointer"]


# -- explain

def test_what_decided(core):
    staff = {"id": "staff", "force": "treatment", "condition": {"email": {"$ew": "@example.com"}}}
    off = {"id": "later", "active": False, "force": "treatment"}
    key, revision = create(core, [off, staff, SPLIT])
    x = ask(core, key, {"targetingKey": "u1", "email": "a@example.com"})
    assert x["revision"] == revision and x["enabled"] and not x["archived"] and x["outcome"] == "evaluated"
    assert (x["variation"], x["value"], x["reason"], x["decided_by"]) == ("treatment", True, "TARGETING_MATCH", "force")
    assert x["rule"]["index"] == 1 and x["rule"]["id"] == "staff" and x["rule"]["condition"] == staff["condition"]
    assert x["rule"]["bucket"] is None and [(p["id"], p["because"]) for p in x["passed"]] == [("later", "inactive")]
    for i in range(8):
        x = ask(core, key, {"targetingKey": f"u{i}", "email": "a@elsewhere.org"})
        real = core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": {"targetingKey": f"u{i}"}}).json
        assert (x["variation"], x["reason"]) == (real["variant"], real["reason"])
        assert x["rule"]["id"] == "half" and x["rule"]["attribute"] == "targetingKey" and x["rule"]["experiment"] == key
        assert (x["rule"]["bucket"] < 0.5) == (x["variation"] == "control") and x["rule"]["arm"] == int(x["variation"] == "treatment")
        assert [p["because"] for p in x["passed"]] == ["inactive", "condition"]
    assert ask(core, key, {"email": "a@elsewhere.org"})["outcome"] == "targeting key missing"
    core.post(f"/v1/flags/{key}/disable", role="product_owner")
    x = ask(core, key, {"targetingKey": "u1"})
    assert x["decided_by"] == "switch" and x["reason"] == "DISABLED" and x["variation"] is None and x["rule"] is None
    assert ask(core, key, {"targetingKey": "u1"}, revision=revision)["decided_by"] == "experiment"


def test_as_of(core, product):
    """Each moment has the revisions of that moment, also of the flags that were waited for."""
    other, _ = create(core, [{"force": "treatment"}])
    gate = {"id": "gate", "prerequisites": [{"flag": other, "condition": {"value": True}, "gate": True}]}
    key, first = create(core, [gate, {"force": "treatment"}])
    second = revise(core, key, [gate])
    revise(core, other)
    times = product.clusters.rows("core", "select revision, at::text, (at - interval '1 hour')::text from flag.revision "
                                          "where key = %s order by revision", (key,))
    moments = {r: at.replace(" ", "T") + ":00" for r, at, _ in times}
    x = ask(core, key, {}, at=moments[first])
    assert x["revision"] == first and x["variation"] == "treatment" and x["rule"]["index"] == 1 and x["passed"][0]["because"] == "gate open"
    assert ask(core, key, {}, revision=first)["variation"] == "treatment"
    x = ask(core, key, {}, revision=second)
    assert x["variation"] == "control" and x["decided_by"] == "default"
    x = ask(core, key)
    assert x["revision"] == second and x["decided_by"] == "prerequisite" and x["variation"] is None
    assert x["rule"]["id"] == "gate" and x["rule"]["prerequisites"][0]["flag"] == other
    core.delete(f"/v1/flags/{key}", role="product_owner")
    assert ask(core, key)["archived"] and not ask(core, key, revision=second)["archived"]
    ask(core, key, at=times[0][2].replace(" ", "T") + ":00", status=404)
    ask(core, key, revision=1 << 60, status=404)
    ask(core, "nothing-here", status=404)


@pytest.mark.parametrize("body, where", [
    ({"at": "soon"}, "/at"), ({"at": "2999-01-01T00:00:00Z"}, "/at"), ({"at": "2026-01-01T00:00:00Z", "revision": 1}, "/at"),
    ({"revision": "one"}, "/revision"), ({"revision": 0}, "/revision"), ({"context": 1}, "/context"), ({"contxt": {}}, "/contxt"),
    ({"context": {"targetingKey": "x" * 201}}, "/context/targetingKey"),
])
def test_question_refused(core, body, where):
    key, _ = create(core)
    assert pointer(ask(core, key, status=422, **body)) == where


def test_a_person_is_looked_at(core, product):
    key, _ = create(core, [SPLIT], unit="person")
    person = core.post("/v1/people", {"given_name": "Ann"}).json["id"]
    pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
    x, y = ask(core, key, {"targetingKey": person}), ask(core, key, {"targetingKey": pseudonym.upper()}, role="service")
    assert x["rule"] == y["rule"] and x["variation"] == y["variation"] and pseudonym not in str(x)
    assert x["variation"] == core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": {"targetingKey": person}}).json["variant"]
    assert ask(core, key, {"targetingKey": person}, role="service", status=403)["right"] == "people.read"
    ask(core, key, {"targetingKey": "0190a000-0000-7000-8000-000000000000"}, status=404)
