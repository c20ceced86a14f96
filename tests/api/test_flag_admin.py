"""Flags as they are administered: the guard of divisions, the state of a flag's life, search, notices before the expiry."""
import json
import time

from test_flags import BOOL, FORCED, SPLIT, command_line, create, diff, document, draft, later, ofrep, pointer, publish

UNITS = [f"unit-{i}" for i in range(24)]


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
    fresh, _ = create(core)
    assert revise(core, fresh, [{"experiment": {**SPLIT["experiment"], "seed": "z"}}]).status == 201  # nobody has met it


def test_a_condition_that_puts_people_out(core, product):
    key, _, met = divided(core, product)
    r = revise(core, key, [{**SPLIT, "condition": {"plan": "pro"}}])
    told = r.json["rebucket"]
    assert r.status == 409 and told["causes"] == [] and told["moved"] == list(met.values()).count("treatment"), r
    assert told["counted"] == len(UNITS)  # the others have the default's value anyway
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
