"""What a flag gave and would give: explanations as of a moment or a revision, previews over the record, through the real daemon."""
import datetime
import json
import time
import urllib.parse
import uuid

import pytest
import traced

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


def test_what_the_record_added(core, product):
    place = f"P{uuid.uuid4().hex[:8]}"
    key, _ = create(core, [{"force": "treatment", "condition": {"country": place, "plan": "pro"}}], unit="person")
    named, _ = create(core, [{"force": "treatment", "condition": {"email": {"$ew": "@example.com"}}}], unit="person")
    person = core.post("/v1/people", {"given_name": "Ann", "country": place, "email": "ann@example.com"}).json["id"]
    pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
    x = ask(core, key, {"targetingKey": person, "plan": "pro"})
    assert x["record"] == {"attributes": {"country": place}, "segments": {}} and x["variation"] == "treatment"
    assert x["value"] is core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": {"targetingKey": pseudonym, "plan": "pro"}}).json["value"]
    x = ask(core, key, {"targetingKey": person, "plan": "pro", "country": "elsewhere"})
    assert x["record"] is None and x["variation"] == "control"
    assert ask(core, key, {"targetingKey": str(uuid.uuid4()), "plan": "pro"})["record"] is None
    # Who may not read people gets no word of one, and who may not read a field none of what rules make of it.
    x = ask(core, key, {"targetingKey": pseudonym, "plan": "pro"}, role="service")
    assert x["record"] is None and x["variation"] == "control"
    for role in ("operator", "innovator", "product_owner"):
        assert "email" in ask(core, named, {"targetingKey": person}, role=role, status=403)["detail"]
        assert ask(core, named, {"targetingKey": person, "email": "a@example.com"}, role=role)["variation"] == "treatment"


def test_what_a_person_was_given(core, product):
    """The first exposure to each flag, for those who may see the person; the pseudonym is in no answer."""
    person = core.post("/v1/people", {"given_name": "Ann"}).json["id"]
    url = f"/v1/people/{person}/flags"
    nothing = core.get(url, role="product_owner")
    assert nothing.status == 200 and nothing.json == {"data": [], "page": {"next": None, "has_more": False}}
    made = sorted((create(core, [SPLIT], unit="person") for _ in range(3)))
    given = {key: core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": {"targetingKey": person}}).json for key, _ in made}
    product.clusters.wait("core", "select count(*) = 3 from flag.exposure where flag = any (%s)", ([key for key, _ in made],))
    rows = core.get(url, role="product_owner").json["data"]
    assert [(x["key"], x["revision"], x["variation"], x["value"], x["archived"]) for x in rows] == [
        (key, revision, given[key]["variant"], given[key]["value"], False) for key, revision in made]
    pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
    assert pseudonym not in str(rows)
    x = ask(core, made[0][0], {"targetingKey": person}, at=rows[0]["at"])
    assert (x["revision"], x["variation"]) == (rows[0]["revision"], rows[0]["variation"])
    page = core.get(f"{url}?limit=2", role="product_owner").json
    assert page["page"]["has_more"] and [r["key"] for r in page["data"]] == [key for key, _ in made[:2]]
    rest = core.get(f"{url}?limit=2&after={page['page']['next']}", role="product_owner").json
    assert not rest["page"]["has_more"] and [r["key"] for r in rest["data"]] == [made[2][0]]
    assert core.get(url, role="service").json["right"] == "exposure.read" and core.get(url, role="agent").status == 403
    assert core.get("/v1/people/0190a000-0000-7000-8000-000000000000/flags", role="product_owner").status == 404


# -- preview

def preview(core, key, body, role="product_owner", status=200):
    r = core.post(f"/v1/flags/{key}/preview", body, role=role)
    assert r.status == status, r
    return r.json


def units(rows):
    return {r["variation"]: r["units"] for r in rows}


def moves(x):
    return {(m["from"], m["to"]): m["units"] for m in x["moves"]}


def test_people_who_would_move(core, product):
    """The preview says what then happens: everybody is asked before and after."""
    place = f"P{uuid.uuid4().hex[:8]}"
    people = [core.post("/v1/people", {"given_name": "Ann", "country": place, "region": "north" if i % 3 else "south"}).json
              for i in range(24)]
    of = product.clusters.one("core", "select count(*) from crm.person")
    key, _ = create(core, [SPLIT | {"condition": {"country": place}}], unit="person")
    rules = [{"force": "treatment", "condition": {"region": "north", "country": place}}, SPLIT | {"condition": {"country": place}}]
    x = preview(core, key, {"document": document(rules, "person")})
    assert (x["unit"], x["counted"], x["of"], x["complete"], x["not_in_record"]) == ("person", of, of, True, [])

    def answers():
        context = ({"targetingKey": p["id"], "country": place, "region": p["region"]} for p in people)
        return [core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": c}).json["variant"] for c in context]

    before = answers()
    revise(core, key, rules, "person")
    after = answers()
    moved = sum(b != a for b, a in zip(before, after))
    assert moved > 0 and moves(x) == {("control", "treatment"): moved} and x["moved"] == moved
    assert x["estimate"] == {"moved": moved, "within": 0}
    assert units(x["now"]) == {"control": of - before.count("treatment"), "treatment": before.count("treatment")}
    assert units(x["would"]) == {"control": of - after.count("treatment"), "treatment": after.count("treatment")}
    y = preview(core, key, {"document": document(rules, "person")})
    assert y["moves"] == [] and y["now"] == x["would"]
    y = preview(core, key, {"document": document(rules, "person"), "enabled": False})
    assert units(y["would"]) == {"control": 0, "treatment": 0, None: of} and moves(y)[("treatment", None)] == after.count("treatment")


def test_organizations_and_what_only_applications_tell(core, product):
    place = f"O{uuid.uuid4().hex[:8]}"
    for n in (5, 50, 500):
        assert core.post("/v1/organizations", {"name": f"Org {n}", "country": place, "employees": n}).status == 201
    key, _ = create(core, unit="organization")
    core.post(f"/v1/flags/{key}/disable", role="product_owner")
    rules = [{"force": "treatment", "condition": {"country": place, "employees": {"$gte": 50}, "plan": {"$ne": "free"}}}]
    body = {"document": document(rules, "organization")}
    of = product.clusters.one("core", "select count(*) from crm.organization")
    assert units(preview(core, key, body)["would"])[None] == of
    x = preview(core, key, body | {"enabled": True, "seconds": 20})
    assert x["unit"] == "organization" and x["of"] == of and x["not_in_record"] == ["plan"]
    assert moves(x)[(None, "treatment")] == 2 and units(x["now"])[None] == of


def test_preview_refused(core):
    key, _ = create(core, unit="person")
    mail = {"document": document([{"force": "treatment", "condition": {"email": {"$ew": "@example.com"}}}], "person")}
    r = preview(core, key, mail, status=403)
    assert '"email"' in r["detail"] or '"email"' in str(r), r
    assert preview(core, key, {"document": document(unit="person")}, role="service", status=403)["right"] == "people.read"
    preview(core, "nothing-here", {"document": document(unit="person")}, status=404)
    for body, where in (({}, "/document"), ({"document": document()}, "/document/unit"), ({"document": document(unit="person"), "seconds": 26}, "/seconds"),
                        ({"document": document(unit="person"), "enabled": 1}, "/enabled"),
                        ({"document": document([{"force": "x"}], "person")}, "/document/rules/0/force")):
        assert pointer(preview(core, key, body, status=422)) == where
    hidden, _ = create(core, mail["document"]["rules"], unit="person")  # what is served now asks for it
    preview(core, hidden, {"document": document(unit="person")}, status=403)
    assert preview(core, key, {"document": document(unit="person")})["moves"] == []  # nothing of those is left behind


# -- segments

def segment(core, query, resource="people", status=201, **kw):
    body = {"name": f"s-{uuid.uuid4().hex[:10]}", "resource": resource, "query": query, "purpose": "a test",
            "business_owner": "product_owner", "technical_owner": "innovator"} | kw
    r = core.post("/v1/segments", body, role=kw.pop("role", "product_owner"))
    assert r.status == status, r
    return r if status != 201 else body["name"]


def ofrep(core, key, **context):
    r = core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": context})
    assert r.status == 200, r
    return r.json.get("value")


def eventually(look, seconds=30):
    deadline = time.monotonic() + seconds
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_segments_of_the_record(core, product):
    """Who is in a segment says the database: to one who asks, to who has it explained, and to a preview over all, alike."""
    place, odd = f"P{uuid.uuid4().hex[:8]}", f'O"{uuid.uuid4().hex[:6]},\\'
    people = [core.post("/v1/people", {"given_name": "Ann", "country": (place, odd, "elsewhere")[i % 3], "stage": "won" if i < 6 else None}).json["id"]
              for i in range(9)]
    quoted = urllib.parse.quote('in.("' + place + '","' + odd.replace("\\", "\\\\").replace('"', '\\"') + '")')
    name = segment(core, f"country={quoted}&stage=is.not_null")
    company = core.post("/v1/organizations", {"name": "Firm", "employees": 70, "revenue": 12.5}).json["id"]
    big = segment(core, "employees=gte.70&revenue=lt.12.51", "organizations")
    rule = {"force": "treatment", "condition": {"id": {"$inGroup": name}}}
    key, _ = create(core, [rule], unit="person")
    firm, _ = create(core, [{"force": "treatment", "condition": {"id": {"$inGroup": big}}}], unit="organization")
    outside, _ = create(core, [{"force": "treatment", "condition": {"id": {"$notInGroup": name}}}], unit="person")
    inside = [i < 6 and i % 3 != 2 for i in range(9)]
    eventually(lambda: all(ofrep(core, key, targetingKey=people[0]) and ofrep(core, firm, targetingKey=company) for _ in range(8)))
    assert [ofrep(core, key, targetingKey=p) for p in people] == inside
    assert [ofrep(core, outside, targetingKey=p) for p in people] == [not i for i in inside]
    assert ofrep(core, firm, targetingKey=people[0]) is False and ofrep(core, key, targetingKey="somebody") is False
    # The caller cannot say who is in a segment, and a segment of organizations has no people.
    assert ofrep(core, key, targetingKey=people[8], id=people[0]) is False
    x = ask(core, key, {"targetingKey": people[0]})
    assert x["record"] == {"attributes": {"id": people[0]}, "segments": {name: True}} and x["variation"] == "treatment"
    assert ask(core, key, {"targetingKey": people[8]})["record"]["segments"] == {name: False}
    # The preview, over all of the record.
    x = preview(core, key, {"document": document([rule | {"condition": {"id": {"$notInGroup": name}}}], "person")})
    assert x["complete"] and x["not_in_record"] == [] and x["kept_not_counted"] is False
    assert units(x["now"])["treatment"] == 4 == moves(x)[("treatment", "control")] and x["moved"] == x["of"]
    # Such a flag stays in core.
    assert product.clusters.one("core", "select r.core_only from flag.flag f join flag.revision r using (revision) where f.key = %s", (key,))
    # Other filters: another answer, without a new revision of any flag.
    before = core.get(f"/v1/segments/{name}", role="operator")
    assert set(before.json["used_by"]) == {key, outside} and before.etag == '"v1"'
    assert core.patch(f"/v1/segments/{name}", {"query": "stage=won"}, role="product_owner").status == 428
    assert core.patch(f"/v1/segments/{name}", {"query": "stage=won"}, role="product_owner", headers={"If-Match": '"v7"'}).status == 412
    after = core.patch(f"/v1/segments/{name}", {"query": f"country={place}"}, role="product_owner", headers={"If-Match": before.etag})
    assert after.status == 200 and after.json["version"] == 2 and after.json["query"] == f"country={place}", after
    eventually(lambda: all(ofrep(core, key, targetingKey=people[6]) for _ in range(8)))
    # Used ones stay; others go.
    r = core.delete(f"/v1/segments/{name}", role="product_owner")
    assert r.status == 409 and key in r.json["detail"] and outside in r.json["detail"], r
    for k in (key, outside):
        core.delete(f"/v1/flags/{k}", role="product_owner")
    assert core.delete(f"/v1/segments/{name}", role="product_owner").status == 204
    assert core.get(f"/v1/segments/{name}", role="operator").status == 404 == core.delete(f"/v1/segments/{name}", role="product_owner").status
    listed = core.get("/v1/segments", role="operator").json["data"]
    assert big in [s["name"] for s in listed] and name not in [s["name"] for s in listed]
    assert product.clusters.one("core", "select count(*) from event.log where resource = 'flags' and after ->> 'segment' = %s", (name,)) == 3


def test_segments_refused(core):
    for body, where in ((dict(query="colour=red"), "/query"), (dict(query=""), "/query"), (dict(query="x", resource="cases"), "/resource"),
                        (dict(query="country=AT", name="Big"), "/name"), (dict(query="country=AT", purpose=""), "/purpose"),
                        (dict(query="employees=many", resource="organizations"), "/query"),
                        (dict(query="country=AT", business_owner="innovator"), "/technical_owner")):
        assert pointer(segment(core, **body, status=422).json) == where
    # A product owner may not read personal fields, so he cannot put a filter on one either.
    segment(core, "email=ann@example.com", status=403)
    name = segment(core, "country=AT")
    assert pointer(segment(core, "country=AT", name=name, status=409).json) == "/name"


def test_segments_on_the_command_line(core, product, tmp_path):
    """With the tokens of an installation and none named: each command acts as the role that may."""
    (tmp_path / "tokens").mkdir()
    for role, token in core.tokens.items():
        (tmp_path / "tokens" / role).write_text(token + "\n")

    def cli(*words, code=0):
        done = traced.bimodal(product, "--core", f"http://127.0.0.1:{core.port}", "segment", *words, env={"BIMODAL_VAR": str(tmp_path)})
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return json.loads(done.stdout) if code == 0 and done.stdout else done.stderr
    name = f"c-{uuid.uuid4().hex[:8]}"
    owners = ("--purpose", "a test", "--business-owner", "product_owner", "--technical-owner", "innovator")
    made = cli("create", name, "people", "country=in.(AT,CH)", "stage=won", *owners)
    assert urllib.parse.unquote(made["query"]) == "country=in.(AT,CH)&stage=won" and made["used_by"] == []
    assert cli("show", name) == made and made in cli("list")["data"]
    assert "colour" in cli("create", f"{name}-2", "people", "colour=red", *owners, code=1)
    cli("create", name, "people", code=2)
    cli("delete", name)
    assert "there is no segment" in cli("show", name, code=1)
