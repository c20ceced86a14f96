"""Flags as they are administered: the guard of divisions, the state of a flag's life, search, notices before the expiry."""
import json
import time

from test_flags import BOOL, FORCED, SPLIT, command_line, create, diff, draft, flag, later, ofrep, pointer, publish

from test_flags import document as plain

UNITS = [f"unit-{i}" for i in range(24)]


def document(rules=(), **kw):
    """Who falls out of a division gets what no arm of it gives."""
    return plain(rules, variations=BOOL + [{"key": "none", "value": False}], default="none", **kw)


def divided(core, product, rules=(SPLIT,), units=UNITS, **kw):
    """A flag that has divided these units already."""
    key, r = create(core, document=document(rules), **kw)
    met = {u: ofrep(core, key, {"targetingKey": u}).json for u in units}
    n = sum(m["reason"] == "SPLIT" for m in met.values())
    product.clusters.wait("core", "select count(*) = %s from flag.exposure where flag = %s", (n, key), 30)
    return key, r.json["revision"], {u: m.get("variant") for u, m in met.items()}


def revise(core, key, rules, **kw):
    return core.post(f"/v1/flags/{key}/revisions", {"document": document(rules), **kw}, role="product_owner")


def serves(core, key, unit, want):
    """Both workers follow a write before it is answered, but one of them may be late."""
    deadline = time.monotonic() + 30
    while ofrep(core, key, {"targetingKey": unit}).json.get("variant") != want:
        assert time.monotonic() < deadline
        time.sleep(0.05)


# -- the guard of divisions

def test_an_edit_that_moves_people_is_refused(core, product):
    key, first, met = divided(core, product)
    reseeded = {"experiment": {**SPLIT["experiment"], "seed": "another"}}
    r = revise(core, key, [reseeded])
    told = r.json["rebucket"]
    assert r.status == 409 and pointer(r) == "/document" and "another seed" in r.body.decode() and '"rebucket": true' in r.json["detail"], r
    assert told["causes"] == [{"change": "seed", "pointer": "/document/rules/0/experiment/seed", "rule": None, "share": 1,
                               "why": "with another seed everybody is divided anew"}]
    assert 0 < told["moved"] < told["counted"] == len(UNITS) and told["complete"] is True and told["unjudged"] == 0
    assert core.get(f"/v1/flags/{key}", role="operator").json["revision"] == first
    r = revise(core, key, [reseeded], rebucket="yes")
    assert r.status == 422 and pointer(r) == "/rebucket"
    # Somebody means it: kept in the revision and in the log, shown by the diff.
    r = revise(core, key, [reseeded], rebucket=True)
    assert r.status == 201, r
    second = r.json["revision"]
    kept = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]
    assert [x["rebucket"] for x in kept] == [True, False]
    shown = diff(core, key, f"?from={first}&to={second}").json
    assert shown["to"]["rebucket"] is True and [c["change"] for c in shown["rebuckets"]] == ["seed"]
    assert product.clusters.one("core", "select after->>'rebucket' from event.log where op = 'flag.revise' and after->>'key' = %s", (key,)) == "true"
    # Back again moves them again.
    r = core.post(f"/v1/flags/{key}/rollback", {"revision": first}, role="product_owner")
    assert r.status == 409 and r.json["rebucket"]["moved"] > 0, r
    assert core.post(f"/v1/flags/{key}/rollback", {"revision": first, "rebucket": True}, role="product_owner").status == 201
    for unit in UNITS[:4]:
        serves(core, key, unit, met[unit])


def test_what_moves_nobody_is_let_through(core, product):
    key, _, met = divided(core, product, [{"id": "x", "experiment": {**SPLIT["experiment"], "coverage": 0.5}}])
    grown = {"id": "x", "experiment": {**SPLIT["experiment"], "coverage": 0.9}}
    assert revise(core, key, [grown]).status == 201
    r = revise(core, key, [{"id": "x", "experiment": {**SPLIT["experiment"], "coverage": 0.1}}])
    cause = r.json["rebucket"]["causes"][0]
    assert r.status == 409 and (cause["change"], cause["rule"], cause["share"]) == ("coverage", "x", 0.8), r
    assert revise(core, key, [{"id": "staff", "force": "treatment", "condition": {"staff": True}}, grown]).status == 201
    assert revise(core, key, [FORCED]).status == 201  # for everybody, and says so: the winner
    fresh, _ = create(core, document=document([SPLIT]))
    assert revise(core, fresh, [{"experiment": {**SPLIT["experiment"], "seed": "z"}}]).status == 201  # nobody has met it


def test_a_condition_that_puts_people_out(core, product):
    key, _, _ = divided(core, product)
    r = revise(core, key, [{**SPLIT, "condition": {"plan": "pro"}}])
    told = r.json["rebucket"]
    assert r.status == 409 and told["causes"] == [] and told["moved"] == told["counted"] == len(UNITS), r
    assert "a condition or the order" in r.json["detail"]


def test_a_division_that_only_applications_can_judge(core, product):
    """What is hashed is not in the record: the change alone tells."""
    company = {"experiment": {**SPLIT["experiment"], "hashAttribute": "company"}}
    key, _ = create(core, document=document([company]))
    assert ofrep(core, key, {"targetingKey": "u1", "company": "acme"}).json["reason"] == "SPLIT"
    product.clusters.wait("core", "select count(*) = 1 from flag.exposure where flag = %s", (key,), 30)
    r = revise(core, key, [{"experiment": {**company["experiment"], "hashVersion": 1}}])
    assert r.status == 409 and r.json["rebucket"]["unjudged"] == 1 and "only those who ask know" in r.json["detail"], r
    assert revise(core, key, [{**company, "id": "named"}]).status == 201


def test_the_record_tells_whom_a_rule_means(core, product):
    ids = [core.post("/v1/organizations", {"name": f"O{i}", "country": "AT" if i % 2 else "DE"}).json["id"] for i in range(6)]
    at = {"condition": {"country": "AT"}, **SPLIT}
    key, _ = create(core, document=document([at], unit="organization"))
    for i, o in enumerate(ids):
        ofrep(core, key, {"targetingKey": o, "country": "AT" if i % 2 else "DE"})
    product.clusters.wait("core", "select count(*) = 3 from flag.exposure where flag = %s", (key,), 30)

    def put(condition):
        body = {"document": document([{**SPLIT, "condition": condition}], unit="organization")}
        return core.post(f"/v1/flags/{key}/revisions", body, role="product_owner")
    assert put({"country": {"$in": ["AT", "DE"]}}).status == 201
    r = put({"country": "DE"})
    assert r.status == 409 and r.json["rebucket"]["moved"] == 3, r


def test_a_draft_is_guarded_when_it_is_published(core, product):
    key, _, _ = divided(core, product)
    swapped = {"experiment": {"variations": ["treatment", "control"]}}
    assert draft(core, key, {"document": document([swapped])}).status == 200
    causes = diff(core, key).json["rebuckets"]
    assert [(c["change"], c["pointer"], c["share"]) for c in causes] == [("weights", "/rules/0/experiment/weights", 1)]
    r = publish(core, key)
    assert r.status == 409 and r.json["rebucket"]["moved"] == len(UNITS), r
    assert publish(core, key, {"rebucket": 1}).status == 422
    assert publish(core, key, {"rebucket": True}).status == 201


def test_command_line_of_the_guard(core, product):
    key, first, _ = divided(core, product)
    bimodal = command_line(core, product)
    anew = json.dumps(document([{"experiment": {**SPLIT["experiment"], "seed": "s"}}]))
    assert "would get another one" in bimodal("revise", key, anew, codes=(1,))
    bimodal("draft", key, anew)
    assert "moves people: /rules/0/experiment/seed: with another seed everybody is divided anew" in bimodal("diff", key)
    assert "would get another one" in bimodal("publish", key, codes=(1,))
    bimodal("publish", key, "--rebucket", codes=(0, 3))
    second = core.get(f"/v1/flags/{key}", role="operator").json["revision"]
    assert f"revision {second}, on, divided anew" in bimodal("diff", key, "--from", str(first), "--to", str(second))
    bimodal("rollback", key, str(first), codes=(1,))
    bimodal("rollback", key, str(first), "--rebucket", codes=(0, 3))
    bimodal("revise", key, anew, "--rebucket", codes=(0, 3))


# -- a flag's life

def listed(core, query):
    return {f["key"]: f["state"] for f in core.get(f"/v1/flags?limit=200&{query}", role="operator").json["data"]}


def test_states_and_search(core, product):
    """Some days are given to flags by hand: nothing but time makes one stale."""
    mark = f"life{time.monotonic_ns()}"
    new, _ = create(core, key=f"{mark}-new", enabled=False)
    live, _ = create(core, key=f"{mark}-live")
    stale, _ = create(core, key=f"{mark}-stale", purpose=f"100% Ünused_{mark}")
    asked, _ = create(core, key=f"{mark}-asked")
    off, _ = create(core, key=f"{mark}-off")
    gone, _ = create(core, key=f"{mark}-gone")
    over, _ = create(core, key=f"{mark}-over")
    assert core.post(f"/v1/flags/{off}/disable", role="product_owner").status == 200
    assert core.delete(f"/v1/flags/{gone}", role="product_owner").status == 200
    ofrep(core, asked, {"targetingKey": "u"})
    product.clusters.wait("core", "select count(*) = 1 from flag.exposure where flag = %s", (asked,), 30)
    product.clusters.rows("core", "insert into flag.revision (key, document, enabled, actor, at) select r.key, r.document, true, r.actor,"
                          " now() - interval '40 days' from flag.revision r where r.key = any (%s)", ([stale, asked],))
    product.clusters.rows("core", "update flag.flag set expires_at = now() - interval '1 second' where key = %s", (over,))
    assert listed(core, f"q={mark}") | {over: "expired"} == {new: "new", live: "live", stale: "stale", asked: "live", off: "stale", over: "expired"}
    for state, keys in (("new", {new}), ("live", {live, asked}), ("stale", {stale, off}), ("archived", {gone}), ("expired", {over})):
        assert set(listed(core, f"q={mark}&state={state}")) == keys, state
    assert set(listed(core, f"q={mark}&archived=true")) == {new, live, stale, asked, off, gone, over}
    assert core.get(f"/v1/flags/{stale}", role="operator").json["state"] == "stale"
    assert set(listed(core, f"q={mark[:4].upper()}{mark[4:]}-ST")) == {stale}
    assert set(listed(core, f"q=0%25%20%C3%9CNUSED_{mark}")) == {stale} and listed(core, f"q=%25{mark}") == {}
    for query in ("state=old", "q=" + "x" * 201):
        assert core.get(f"/v1/flags?{query}", role="operator").status == 400
    lines = command_line(core, product)("list", "--search", mark, "--state", "stale").splitlines()
    assert len(lines) == 3 and lines[1].split()[:3] == [off, "off", "stale"], lines
    assert "  state: must be new, live" in command_line(core, product)("list", "--state", "old", codes=(1,))


def test_owners_are_told_before_the_expiry(core, product):
    """Once for each of the two times and both owners; what was made later than that is not told."""
    one, _ = create(core, expires_at=later(hours=20))
    week, _ = create(core, expires_at=later(days=6))
    late, _ = create(core, expires_at=later(days=6))
    product.clusters.rows("core", "update flag.flag set created_at = now() - interval '60 days' where key = any (%s)", ([one, week],))
    def told(key):
        return product.clusters.rows("core", "select p.name, n.title from notice.notice n join access.principal p on p.id = n.principal"
                                     " where n.kind = 'flag.expiring' and n.subject = %s order by 1", (f"flags/{key}",))
    product.clusters.wait("core", "select count(*) = 4 from notice.notice where kind = 'flag.expiring' and subject = any (%s)",
                          ([f"flags/{one}", f"flags/{week}"],), 40)
    assert told(one) == [(name, f"The flag {one} expires in one day") for name in ("innovator", "product_owner")]
    assert told(week) == [(name, f"The flag {week} expires in 7 days") for name in ("innovator", "product_owner")]
    assert product.clusters.one("core", "select flag.expiring(array[7, 1], 200)") == 0
    product.clusters.rows("core", "update flag.flag set expires_at = now() + interval '23 hours' where key = %s", (week,))
    product.clusters.wait("core", "select count(*) = 4 from notice.notice where kind = 'flag.expiring' and subject = %s", (f"flags/{week}",), 40)
    assert told(late) == [] and len(told(one)) == 2
    assert BOOL[0]["value"] is core.get(f"/v1/flags/{late}", role="operator").json["expired"]


# -- protected flags

def asked(core, product, key, reply):
    """The request that a change of a protected flag became, once its notice is there."""
    assert reply.status == 202 and reply.json["state"] == "waiting" and reply.json["key"] == key, reply
    product.clusters.wait("core", "select count(*) > 0 from notice.notice where kind = 'flag.waiting' and task and done_at is null"
                          " and subject = %s", (f"flag-requests/{reply.json['id']}",), 40)
    return reply.json


def decide(core, request, verb, body=None, role="operator"):
    return core.post(f"/v1/flag-requests/{request['id']}/{verb}", body, role=role)


def approve(core, request, role="operator", **kw):
    return decide(core, request, "approve", {"sha256": request["sha256"], **kw}, role)


def protected(core, **kw):
    key, r = create(core, document=document([SPLIT]), **kw)
    assert core.post(f"/v1/flags/{key}/protect", role="product_owner").status == 403
    assert [core.post(f"/v1/flags/{key}/protect", role="operator").status for _ in range(2)] == [204, 204]
    assert core.get(f"/v1/flags/{key}", role="operator").json["protected"] is True
    return key, r.json["revision"]


def test_a_protected_flag_needs_a_second_person(core, product):
    key, first = protected(core)
    r = revise(core, key, [FORCED], comment="all in")
    request = asked(core, product, key, r)
    assert request["kind"] == "revise" and request["base"] == request["current"] == first and request["comment"] == "all in"
    assert [c["op"] for c in request["changes"]] == ["remove", "add"] and request["document"]["rules"] == [FORCED]
    shown = core.get(f"/v1/flags/{key}", role="operator").json
    assert shown["revision"] == first and shown["request"] == request["id"]
    assert core.get(f"/v1/flag-requests/{request['id']}", role="innovator").json == request
    waiting = core.get(f"/v1/flag-requests?state=waiting&key={key}", role="operator").json["data"]
    assert [x["id"] for x in waiting] == [request["id"]]
    r = revise(core, key, [])
    assert r.status == 409 and "product_owner" in r.json["detail"], r  # one at a time
    # Not the author, not other bytes, nobody without the right.
    r = approve(core, request, role="product_owner")
    assert r.status == 409 and "an author does not approve" in r.json["detail"], r
    r = decide(core, request, "approve", {"sha256": "0" * 64})
    assert r.status == 409 and pointer(r) == "/sha256", r
    assert decide(core, request, "approve", {}).status == decide(core, request, "reject", {}).status == 422
    assert approve(core, request, role="innovator").status == 403
    r = approve(core, request, note="seen")
    assert r.status == 200 and r.json["revision"] > first and r.json["applied"]["of"] == 2, r
    serves(core, key, "u", "treatment")
    assert approve(core, request).status == 409
    done = core.get(f"/v1/flag-requests/{request['id']}", role="operator").json
    assert (done["state"], done["decided_by_name"], done["note"]) == ("approved", "operator", "seen")
    # Everybody who may approve was asked, and need not look any more; the author is told.
    product.clusters.wait("core", "select count(*) filter (where kind = 'flag.approved') = 1 and count(*) > 1"
                          " and bool_and(done_at is not null or kind = 'flag.approved') from notice.notice where subject = %s",
                          (f"flag-requests/{request['id']}",), 40)
    ops = product.clusters.rows("core", "select op from event.log where resource = 'flags' and after->>'key' = %s order by seq", (key,))
    assert [o for o, in ops] == ["flag.create", "flag.protect", "flag.request", "flag.approve"]


def test_off_needs_nobody_and_on_needs_two(core, product):
    key, _ = protected(core)
    for verb in ("kill", "disable"):
        assert core.post(f"/v1/flags/{key}/{verb}", role="product_owner").status == 200
    request = asked(core, product, key, core.post(f"/v1/flags/{key}/enable", {"comment": "again"}, role="product_owner"))
    assert request["kind"] == "enable" and request["document"] is None and request["changes"] == []
    r = decide(core, request, "reject", {"reason": "not today"})
    assert r.status == 200 and r.json["state"] == "rejected" and r.json["note"] == "not today", r
    assert approve(core, request).status == 409
    request = asked(core, product, key, core.post(f"/v1/flags/{key}/enable", role="product_owner"))
    assert decide(core, request, "withdraw").status == 403  # not his
    assert decide(core, request, "withdraw", role="product_owner").json["state"] == "withdrawn"
    request = asked(core, product, key, core.post(f"/v1/flags/{key}/enable", role="product_owner"))
    assert core.post(f"/v1/flags/{key}/disable", role="product_owner").status == 200
    r = approve(core, request)
    assert r.status == 409 and "made anew" in r.json["detail"], r  # it is about what was
    assert decide(core, request, "withdraw", role="product_owner").status == 200
    request = asked(core, product, key, core.post(f"/v1/flags/{key}/enable", role="product_owner"))
    r = approve(core, request)
    assert r.status == 200 and r.json["enabled"] is True, r


def test_drafts_and_rollbacks_of_protected_flags(core, product):
    key, first = protected(core)
    assert draft(core, key, {"document": document([FORCED]), "comment": "mine"}).status == 200
    request = asked(core, product, key, publish(core, key))
    assert request["kind"] == "publish" and request["document"]["rules"] == [FORCED]
    assert draft(core, key, {"document": document([])}).status == 200  # the draft goes on; what was asked stays what it was
    second = approve(core, request).json["revision"]
    assert core.get(f"/v1/flags/{key}", role="operator").json["document"]["rules"] == [FORCED]
    assert core.get(f"/v1/flags/{key}/draft", role="operator").json["document"]["rules"] == []
    request = asked(core, product, key, core.post(f"/v1/flags/{key}/rollback", {"revision": first}, role="product_owner"))
    assert request["kind"] == "rollback" and request["base"] == second
    assert approve(core, request).status == 200
    # The way out takes two as well; the operator asks, the product owner agrees.
    request = asked(core, product, key, core.post(f"/v1/flags/{key}/unprotect", {"comment": "over"}, role="operator"))
    assert approve(core, request).status == 409 and approve(core, request, role="product_owner").status == 200
    assert core.get(f"/v1/flags/{key}", role="operator").json["protected"] is False
    assert revise(core, key, [FORCED]).status == 201
    assert core.post(f"/v1/flags/{key}/unprotect", role="operator").status == 409


def test_nobody_goes_round_a_protection(core, product):
    """By the workers' own role, by archiving, by a password that the author made."""
    key, _ = protected(core)
    write = ("insert into flag.revision (key, document, enabled, actor) select r.key, r.document || %s::jsonb, r.enabled, r.actor"
             " from flag.flag f join flag.revision r on r.revision = f.revision where f.key = %s")
    try:
        product.clusters.rows("core", write, ('{"rules":[]}', key), role="bimodal_app")
        raise AssertionError("it was written")
    except Exception as e:
        assert "is protected" in str(e), e
    request = asked(core, product, key, revise(core, key, [FORCED]))
    author, second = (product.clusters.one("core", "select id from access.principal where name = %s", (n,)) for n in ("product_owner", "operator"))
    before = product.clusters.rows("core", "select phc, given_by from access.credential where principal = %s", (second,))
    product.clusters.rows("core", "insert into access.credential (principal, phc, given_by) values (%s, '$argon2id$v=19$m=8,t=1,p=1$aa$bb', %s) on conflict (principal)"
                          " do update set given_by = excluded.given_by", (second, str(author)))
    try:
        r = approve(core, request)
        assert r.status == 409 and "secret" in r.json["detail"], r
    finally:
        if before:
            product.clusters.rows("core", "update access.credential set given_by = %s where principal = %s", (before[0][1], second))
        else:
            product.clusters.rows("core", "delete from access.credential where principal = %s", (second,))
    plan = {"at": later(days=1), "action": "disable"}
    assert core.post(f"/v1/flags/{key}/schedules", {**plan, "action": "enable"}, role="product_owner").status == 423
    assert core.post(f"/v1/flags/{key}/schedules", plan, role="product_owner").status == 201
    other, _ = create(core)
    assert core.post(f"/v1/flags/{other}/schedules", {**plan, "action": "enable"}, role="product_owner").status == 201
    assert core.post(f"/v1/flags/{other}/protect", role="operator").status == 409
    assert core.delete(f"/v1/flags/{key}", role="product_owner").status == 200
    r = core.post("/v1/flags", flag(key, document=document([FORCED])), role="product_owner")
    assert r.status == 423, r


def test_a_request_is_guarded(core, product):
    key, _, _ = divided(core, product)
    assert core.post(f"/v1/flags/{key}/protect", role="operator").status == 204
    anew = [{"experiment": {**SPLIT["experiment"], "seed": "s"}}]
    assert revise(core, key, anew).status == 409
    request = asked(core, product, key, revise(core, key, anew, rebucket=True))
    assert request["rebucket"] is True and approve(core, request).status == 200


def test_command_line_of_requests(core, product):
    key, _ = create(core, document=document([SPLIT]))
    owner, operator = command_line(core, product), command_line(core, product, "operator")
    assert operator("protect", key) == f"{key} changes only by two people from now on\n"
    assert "waits for another person" in owner("revise", key, json.dumps(document([FORCED])))
    lines = operator("requests", "--flag", key).splitlines()
    assert key in lines[1] and "revise" in lines[1] and "product_owner" in lines[1], lines
    number = core.get(f"/v1/flag-requests?key={key}", role="operator").json["data"][0]["id"]
    assert "an author does not approve" in owner("approve", number, codes=(1,))
    assert "applied by" in operator("approve", number, "--note", "seen", codes=(0, 3))
    assert "waits for another person" in owner("rollback", key, str(core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"][-1]["revision"]))
    number = core.get(f"/v1/flag-requests?key={key}", role="operator").json["data"][0]["id"]
    assert '"rejected"' in operator("reject", number, "--reason", "no")
    assert "waits for another person" in operator("unprotect", key)
    number = core.get(f"/v1/flag-requests?key={key}", role="operator").json["data"][0]["id"]
    assert '"withdrawn"' in operator("withdraw", number)


# -- schemas of values

def test_values_fit_their_schema(core):
    schema = {"type": "object", "required": ["limit"], "additionalProperties": False,
              "properties": {"limit": {"type": "integer", "minimum": 1, "maximum": 10}, "colour": {"enum": ["red", "blue"]},
                             "names": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5}}}}
    def of(value, schema=schema):
        return {"unit": "visitor", "schema": schema, "variations": [{"key": "a", "value": {"limit": 1}}, {"key": "b", "value": value}], "default": "a"}
    key, _ = create(core, document=of({"limit": 10, "colour": "red", "names": ["ab"]}))
    assert ofrep(core, key).json["value"] == {"limit": 1}
    assert core.get(f"/v1/flags/{key}", role="operator").json["document"]["schema"] == schema
    place = "/document/variations/1/value"
    for value, at, why in (({"limit": 11}, "/limit", "at most 10"), ({"limit": "1"}, "/limit", "of type integer"), ({}, "", '"limit" is required'),
                           ({"limit": 1, "size": 2}, "/size", "not allowed"), ({"limit": 1, "names": ["ab", "A"]}, "/names/1", "must match")):
        r = core.request("PUT", f"/v1/flags/{key}/draft", {"document": of(value)}, role="product_owner")
        assert r.status == 422 and pointer(r) == place + at and why in r.json["detail"], r
    for wrong, at in (({"$ref": "#/x"}, "/$ref"), ({"properties": {"a": {"type": "money"}}}, "/properties/a/type"), ([], "")):
        r = core.post(f"/v1/flags/{key}/revisions", {"document": of({"limit": 1}, wrong)}, role="product_owner")
        assert r.status == 422 and pointer(r) == "/document/schema" + at, r
    r = core.post("/v1/flags", flag(document={**plain(), "schema": {}}), role="product_owner")
    assert r.status == 422 and pointer(r) == "/document/variations/0/value", r


def test_flags_belong_to_teams(core):
    slug = f"team-{time.monotonic_ns()}"
    assert core.post("/v1/teams", {"name": "Checkout", "slug": slug}, role="operator").status == 201
    key, _ = create(core, team=slug)
    other, _ = create(core)
    assert [core.get(f"/v1/flags/{k}", role="operator").json["team"] for k in (key, other)] == [slug, None]
    assert set(listed(core, f"team={slug}")) == {key} and listed(core, "team=nobody") == {}
    r = core.post("/v1/flags", flag(team="nobody"), role="product_owner")
    assert r.status == 422 and pointer(r) == "/team", r
