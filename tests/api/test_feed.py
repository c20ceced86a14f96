"""The feed from core to the sandbox: what the copy holds and never holds, how old it is, and how fast consent works."""
import datetime
import json
import time
import uuid

RESOURCES = ("organizations", "people", "consents", "interactions", "opportunities", "cases")
TABLES = {"organizations": "organization", "people": "person", "consents": "consent", "interactions": "interaction",
          "opportunities": "opportunity", "cases": "support_case"}


def family(core):
    """A person with one child of each kind; ids by resource."""
    tag = uuid.uuid4().hex[:12]
    org = core.post("/v1/organizations", {"name": f"Org {tag}", "sector": tag}).json["id"]
    person = core.post("/v1/people", {"given_name": "Fam", "email": f"{tag}@example.org", "organization_id": org, "segment": tag,
                                      "note": f"note {tag}", "owner": f"owner {tag}"}).json["id"]
    made = {"organizations": org, "people": person}
    made["consents"] = core.post(f"/v1/people/{person}/consents", {"purpose": "analysis", "state": "granted"}).json["id"]
    made["interactions"] = core.post("/v1/interactions", {"kind": "call", "person_id": person, "channel": tag, "subject": f"s {tag}"}).json["id"]
    made["opportunities"] = core.post("/v1/opportunities", {"person_id": person, "product": tag, "name": f"n {tag}", "amount": 12.5}).json["id"]
    made["cases"] = core.post("/v1/cases", {"person_id": person, "kind": tag, "subject": f"s {tag}", "description": f"d {tag}"}).json["id"]
    return tag, made


def pseudonym(product, person):
    return product.clusters.one("core", "SELECT pseudonym::text FROM crm.person WHERE id = %s", (person,))


PRESENT = ("SELECT (SELECT count(*) FROM crm.person WHERE pseudonym = %(p)s) + (SELECT count(*) FROM crm.consent WHERE person_pseudonym = %(p)s)"
           " + (SELECT count(*) FROM crm.interaction WHERE person_pseudonym = %(p)s) + (SELECT count(*) FROM crm.opportunity WHERE person_pseudonym = %(p)s)"
           " + (SELECT count(*) FROM crm.support_case WHERE person_pseudonym = %(p)s) = %(n)s")


def until(product, p, n, seconds=10.0):
    return product.arrived(PRESENT, {"p": p, "n": n}, seconds)


def test_copy_shows_open_values_only(product, core, sandbox):
    tag, made = family(core)
    p = pseudonym(product, made["people"])
    until(product, p, 5)
    allowed = {}
    for resource, name in product.clusters.rows("core", "SELECT resource, name FROM change.field WHERE class = 'open'"
                                                " UNION ALL SELECT name, CASE person_field WHEN 'id' THEN 'pseudonym' ELSE 'person_pseudonym' END"
                                                " FROM change.resource WHERE person_field IS NOT NULL"):
        allowed.setdefault(resource, set()).add(name)
    never = [f"note {tag}", f"{tag}@example.org", f"owner {tag}", f"s {tag}", f"d {tag}", f"n {tag}", f"Org {tag}", "Fam", made["people"]]
    for resource in RESOURCES:
        for role in ("operator", "innovator", "product_owner", "agent"):
            r = sandbox.get(f"/v1/{resource}?limit=200", role=role)
            assert r.status == 200 and r.json["data"], (resource, role, r)
            for row in r.json["data"]:
                assert set(row) <= allowed[resource], (resource, role, row)
            text = r.body.decode()
            assert not [v for v in never if v in text], (resource, role)
    mine = sandbox.get(f"/v1/people?segment={tag}", role="innovator").json["data"]
    assert len(mine) == 1 and mine[0]["pseudonym"] == p and "id" not in mine[0]
    one = sandbox.get(f"/v1/people/{p}", role="innovator")
    assert one.status == 200 and one.json == mine[0] and one.etag
    assert sandbox.get(f"/v1/people/{p}", role="innovator", headers={"If-None-Match": one.etag}).status == 304
    assert sandbox.get(f"/v1/people/{made['people']}", role="innovator").status == 404
    # Personal fields do not even exist here: neither to show, to filter by nor to sort by.
    for query in ("fields=email", "email=x", "family_name=eq.x", "sort=family_name", "fields=given_name", "owner=x", "fields=id"):
        r = sandbox.get(f"/v1/people?{query}", role="agent")
        assert r.status in (400, 403), (query, r)
    columns = product.clusters.rows("sandbox", "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'crm'")
    for resource, table in TABLES.items():
        here = {c for t, c in columns if t == table}
        assert here and here <= allowed[resource], (table, here - allowed[resource])
    airlock = product.clusters.rows("airlock", "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'crm'")
    assert sorted(airlock) == sorted(columns)


def test_position_and_lag_are_told(product, core, sandbox):
    time.sleep(1.2)
    r = sandbox.get("/v1/organizations?limit=1", role="innovator")
    as_of = datetime.datetime.fromisoformat(r.headers["X-Data-As-Of"].replace("Z", "+00:00"))
    age = (datetime.datetime.now(datetime.timezone.utc) - as_of).total_seconds()
    assert -0.5 < age < 5, r.headers["X-Data-As-Of"]
    assert 0 <= int(r.headers["X-Replication-Lag-Ms"]) < 5000
    time.sleep(2.2)
    later = sandbox.get("/v1/organizations?limit=1", role="innovator")
    assert later.headers["X-Data-As-Of"] > r.headers["X-Data-As-Of"]
    one = sandbox.get(f"/v1/organizations/{r.json['data'][0]['id']}" if r.json["data"] else "/v1/organizations?limit=2", role="innovator")
    assert "X-Data-As-Of" in one.headers
    feed = sandbox.get("/v1/feed", role="operator")
    assert feed.status == 200 and feed.json["resyncing"] is False and 0 <= feed.json["lag_ms"] < 5000
    assert {s["name"] for s in feed.json["subscriptions"]} == {"sandbox_registry", "sandbox_crm"}
    assert all(s["enabled"] and s["running"] and s["tables"] == s["tables_ready"] for s in feed.json["subscriptions"])
    hops = {h["hop"]: h for h in core.get("/v1/feed", role="operator").json["hops"]}
    assert set(hops) == {"core-airlock", "airlock-sandbox"}
    assert hops["core-airlock"]["state"]["airlock_reached"] is True and 0 <= hops["core-airlock"]["state"]["lag_ms"] < 5000
    for name, slots in (("core-airlock", {"airlock_crm", "airlock_registry"}), ("airlock-sandbox", {"sandbox_crm", "sandbox_registry"})):
        state = hops[name]["state"]
        assert {s["slot"] for s in state["slots"]} == slots and hops[name]["age_ms"] < 10000
        assert all(s["active"] and s["wal_status"] == "reserved" and s["behind_bytes"] < 10_000_000 for s in state["slots"]), state
    assert core.get("/v1/feed", role="agent").status == 403 and core.get("/v1/feed", role=None).status == 401
    assert sandbox.get("/v1/feed", role="agent").status == 403


def test_heartbeats_keep_an_idle_copy_fresh(product, sandbox):
    seen = set()
    start = time.monotonic()
    for _ in range(35):
        seen.add(str(product.clusters.one("sandbox", "SELECT at FROM lab.position")))
        time.sleep(0.1)
    # One a second, and never a storm; a machine under load may lose some and take longer for the look.
    assert 3 <= len(seen) <= time.monotonic() - start + 3, len(seen)
    assert sandbox.metric("bimodal_copy_lag_milliseconds") < 5000


def measured(action, check):
    """The best of three measurements: the machine is shared with others."""
    best = None
    for _ in range(3):
        took = check(action())
        best = took if best is None else min(best, took)
        if best < 1:
            break
    return best


def test_consent_withdrawn_is_gone_within_a_second(product, core, sandbox):
    tag, made = family(core)
    p = pseudonym(product, made["people"])
    until(product, p, 5)
    path = f"/v1/people/{made['people']}/consents/{made['consents']}"

    def withdraw():
        assert core.patch(path, {"state": "granted"}, headers={"If-Match": "*"}).status == 200
        until(product, p, 5)
        began = time.monotonic()
        assert core.patch(path, {"state": "withdrawn"}, headers={"If-Match": "*"}).status == 200
        return began

    def gone(began):
        until(product, p, 0)
        return time.monotonic() - began

    took = measured(withdraw, gone)
    assert took < 1, f"the person was in the copy for {took:.2f} s after the withdrawal"
    assert sandbox.get(f"/v1/people/{p}", role="innovator").status == 404
    for resource in ("interactions", "opportunities", "cases"):
        assert sandbox.get(f"/v1/{resource}/{made[resource]}", role="innovator").status == 404, resource
    assert core.get(f"/v1/people/{made['people']}").json["lab_ok"] is False
    # While it is withdrawn nothing new about the person leaves core, whoever writes it.
    late = core.post("/v1/interactions", {"kind": "chat", "person_id": made["people"], "channel": tag})
    assert late.status == 201 and late.json["lab_ok"] is False
    assert core.patch(f"/v1/people/{made['people']}", {"segment": f"{tag}-2"}, headers={"If-Match": "*"}).status == 200
    mark = core.post("/v1/organizations", {"name": "barrier", "sector": f"b{tag}"}).json["id"]
    product.arrived("SELECT EXISTS (SELECT FROM crm.organization WHERE id = %s)", (mark,))
    assert product.clusters.one("sandbox", PRESENT, {"p": p, "n": 0})
    # A change of person moves a child out of sight and back.
    other = core.post("/v1/people", {"given_name": "Other"}).json["id"]
    moved = core.patch(f"/v1/cases/{made['cases']}", {"person_id": other}, headers={"If-Match": "*"})
    assert moved.status == 200 and moved.json["lab_ok"] is True
    product.arrived("SELECT EXISTS (SELECT FROM crm.support_case WHERE id = %s)", (made["cases"],))
    assert core.patch(f"/v1/cases/{made['cases']}", {"person_id": made["people"]}, headers={"If-Match": "*"}).json["lab_ok"] is False
    product.arrived("SELECT NOT EXISTS (SELECT FROM crm.support_case WHERE id = %s)", (made["cases"],))
    # Granted again: all of it comes back, what was written meanwhile too.
    assert core.patch(path, {"state": "granted"}, headers={"If-Match": "*"}).status == 200
    until(product, p, 6)
    assert sandbox.get(f"/v1/people/{p}", role="innovator").json["segment"] == f"{tag}-2"


def test_marketing_consent_stays_countable(product, core):
    _, made = family(core)
    p = pseudonym(product, made["people"])
    r = core.post(f"/v1/people/{made['people']}/consents", {"purpose": "marketing", "state": "withdrawn"})
    assert r.status == 201
    until(product, p, 6)
    assert product.clusters.one("sandbox", "SELECT state FROM crm.consent WHERE person_pseudonym = %s AND purpose = 'marketing'", (p,)) == "withdrawn"


def test_reply_of_a_consent_is_the_record(core):
    """The ETag of a consent that was just written is its version: the cascade must not leave the writer with an old one."""
    person = core.post("/v1/people", {"given_name": "Etag"}).json["id"]
    base = f"/v1/people/{person}/consents"
    core.post(base, {"purpose": "marketing", "state": "granted"})
    said = core.post(base, {"purpose": "analysis", "state": "withdrawn"})
    path = said.headers["Location"]
    for state in ("granted", "withdrawn", "granted"):
        now = core.get(path)
        assert (now.json, now.etag) == (said.json, said.etag)
        said = core.patch(path, {"state": state}, headers={"If-Match": said.etag})
        assert said.status == 200, said
    now = core.get(path)
    assert (now.json, now.etag) == (said.json, said.etag)


def test_writes_and_deletes_arrive(product, core, sandbox):
    tag, made = family(core)
    p = pseudonym(product, made["people"])
    until(product, p, 5)
    assert core.patch(f"/v1/organizations/{made['organizations']}", {"sector": f"{tag}-x", "name": "only here"}, headers={"If-Match": "*"}).status == 200
    product.arrived("SELECT EXISTS (SELECT FROM crm.organization WHERE id = %s AND sector = %s AND version = 2)", (made["organizations"], f"{tag}-x"))
    assert core.delete(f"/v1/interactions/{made['interactions']}", headers={"If-Match": "*"}).status == 204
    until(product, p, 4)
    assert sandbox.get(f"/v1/interactions/{made['interactions']}", role="innovator").status == 404
    # The person goes: children go with it, the opportunity stays without a person.
    assert core.delete(f"/v1/people/{made['people']}", headers={"If-Match": "*"}).status == 204
    until(product, p, 0)
    product.arrived("SELECT person_pseudonym IS NULL FROM crm.opportunity WHERE id = %s", (made["opportunities"],))
    assert core.get(f"/v1/cases/{made['cases']}").status == 404
    assert core.get(f"/v1/opportunities/{made['opportunities']}").json["person_id"] is None


def test_copy_equals_core(product, core):
    ops = [{"op": "create", "data": {"kind": "purchase", "channel": "bulk", "amount": i / 4}} for i in range(300)]
    assert core.post("/v1/interactions/batch", {"ops": ops}).status == 200
    mark = core.post("/v1/organizations", {"name": "barrier"}).json["id"]
    product.arrived("SELECT EXISTS (SELECT FROM crm.organization WHERE id = %s)", (mark,))
    for resource, table in TABLES.items():
        columns = [r[0] for r in product.clusters.rows("sandbox", "SELECT column_name FROM information_schema.columns WHERE table_schema = 'crm'"
                                                       " AND table_name = %s ORDER BY 1", (table,))]
        listed = ", ".join(columns)
        where = "" if resource == "organizations" else "WHERE lab_ok"
        sql = f"SELECT json_agg(t ORDER BY t::text) FROM (SELECT {listed} FROM crm.{table} {where}) t"
        assert json.dumps(product.clusters.one("core", sql)) == json.dumps(product.clusters.one("sandbox", sql)), resource


def test_lists_of_the_copy_page(product, core, sandbox):
    tag = f"page{uuid.uuid4().hex[:8]}"
    core.post("/v1/people/batch", {"ops": [{"op": "create", "data": {"segment": tag}} for _ in range(25)]})
    product.arrived("SELECT count(*) = 25 FROM crm.person WHERE segment = %s", (tag,))
    seen, after = [], ""
    while True:
        page = sandbox.get(f"/v1/people?segment={tag}&limit=10{after}", role="innovator")
        assert page.status == 200 and "X-Data-As-Of" in page.headers
        seen += [d["pseudonym"] for d in page.json["data"]]
        if not page.json["page"]["has_more"]:
            break
        after = "&after=" + page.json["page"]["next"]
    assert len(seen) == len(set(seen)) == 25
    assert seen == sorted(seen)
