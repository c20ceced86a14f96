"""Records as people need them: history, state at a time, undo, restore; saved views; the whole of a customer; one search."""
import concurrent.futures
import json
import time
import urllib.parse
import uuid

import pytest

import traced


def unique(prefix):
    return f"{prefix}{uuid.uuid4().hex[:12]}"


def made(core, resource, **fields):
    r = core.post(f"/v1/{resource}", fields)
    assert r.status == 201, r
    return r.headers["Location"]


def edit(core, path, version="*", **fields):
    r = core.patch(path, fields, headers={"If-Match": version})
    assert r.status == 200, r
    return r


def history(core, path, **kw):
    r = core.get(path + "/history?limit=200", **kw)
    assert r.status == 200, r
    return r.json["data"]


def gone(core, path):
    assert core.delete(path, headers={"If-Match": "*"}).status == 204


def undo(core, path, version, match="*", **kw):
    return core.post(path + "/undo", {"version": version}, headers={"If-Match": match, **kw.pop("headers", {})}, **kw)


def as_of(core, path, moment, more="", **kw):
    return core.get(f"{path}?as_of={urllib.parse.quote(moment)}{more}", **kw)


# -- history

def test_history_tells_who_when_and_what(core):
    path = made(core, "people", given_name="Ada", email="ada@example.org", country="GB")
    edit(core, path, country="AT", phone="1")
    edit(core, path, email="new@example.org")
    entries = history(core, path)
    assert [(e["op"], e["version"]) for e in entries] == [("update", 3), ("update", 2), ("create", 1)]
    assert entries[0]["changes"] == {"email": {"before": "ada@example.org", "after": "new@example.org"}}
    assert list(entries[1]["changes"]) == ["phone", "country"]
    assert entries[1]["changes"]["country"] == {"before": "GB", "after": "AT"}
    assert entries[2]["changes"]["given_name"] == {"before": None, "after": "Ada"}
    assert all(e["actor"]["name"] == "agent" and uuid.UUID(e["actor"]["id"]) and uuid.UUID(e["request_id"]) for e in entries)
    assert not any(e["hidden"] or e["erased"] for e in entries)
    assert "pseudonym" not in str(entries)
    assert entries[0]["at"] > entries[1]["at"] > entries[2]["at"]


def test_history_shows_no_more_than_the_record(core):
    path = made(core, "people", given_name="Ada", email="secret@example.org", country="GB")
    edit(core, path, email="other@example.org")
    edit(core, path, country="AT", owner="Bob")
    for role, owner in (("operator", True), ("innovator", False)):
        r = core.get(path + "/history", role=role)
        assert r.status == 200 and b"example.org" not in r.body and b"email" not in r.body and b"Ada" not in r.body
        newest, hidden, first = r.json["data"]
        assert hidden["changes"] == {} and hidden["hidden"] is True
        assert ("owner" in newest["changes"]) is owner and newest["changes"]["country"]["after"] == "AT"
        assert newest["hidden"] is not owner and first["hidden"] is True
        assert first["changes"]["lab_ok"]["after"] is True
    assert core.get(path + "/history", role="service").status == 403
    assert core.get(path + "/history", role=None).status == 401


def test_history_pages_and_refuses_foreign_cursors(core):
    path = made(core, "organizations", name="Org")
    other = made(core, "organizations", name="Other")
    for i in range(5):
        edit(core, path, employees=i)
        edit(core, other, employees=i)
    seen, after = [], ""
    while True:
        page = core.get(f"{path}/history?limit=2{after}")
        assert page.status == 200, page
        seen += [e["version"] for e in page.json["data"]]
        if not page.json["page"]["has_more"]:
            break
        assert page.json["page"]["next"] in page.headers["Link"]
        after = "&after=" + page.json["page"]["next"]
    assert seen == [6, 5, 4, 3, 2, 1]
    cursor = core.get(f"{path}/history?limit=2").json["page"]["next"]
    assert core.get(f"{other}/history?limit=2&after={cursor}").status == 400
    assert core.get(f"{path}/history?limit=2&after={cursor}", role="operator").status == 400
    for bad in ("limit=0", "limit=x", "sort=at", "after=zz"):
        assert core.get(f"{path}/history?{bad}").status == 400, bad
    assert core.get(f"/v1/organizations/{uuid.uuid4()}/history").status == 404
    assert core.get(path.replace("organizations", "people") + "/history").status == 404


def test_history_outlives_the_record_but_not_its_erasure(product, core):
    path = made(core, "people", given_name="Gone", email="gone@example.org")
    gone(core, path)
    assert core.get(path).status == 404
    entries = history(core, path)
    assert [e["op"] for e in entries] == ["delete", "create"]
    assert entries[0]["changes"]["email"] == {"before": "gone@example.org", "after": None}
    seen = core.get(path + "/history", role="operator")
    assert seen.status == 200 and b"example.org" not in seen.body
    erase(product, path)
    entries = history(core, path)
    assert [(e["op"], e["erased"], e["changes"]) for e in entries] == [("erase", False, {}), ("delete", True, {}), ("create", True, {})]
    assert core.post(path + "/restore").status == 410


def erase(product, path):
    _, _, resource, record = path.split("/")
    with product.clusters.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("select set_config('bimodal.actor', 'test', true)")
        cur.execute("select event.erase(%s, %s)", (resource, record))


# -- the state at a time

def test_as_of_at_exact_boundaries(product, core):
    path = made(core, "people", given_name="One", email="one@example.org", country="GB")
    edit(core, path, given_name="Two")
    gone(core, path)
    deleted, edited, created = (e["at"] for e in history(core, path))

    def before(moment):
        return product.clusters.one("core", "select to_jsonb(%s::timestamptz - interval '1 microsecond') #>> '{}'", (moment,))

    assert as_of(core, path, before(created)).status == 404
    for moment, name, version in ((created, "One", 1), (before(edited), "One", 1), (edited, "Two", 2), (before(deleted), "Two", 2)):
        r = as_of(core, path, moment)
        assert r.status == 200 and (r.json["given_name"], r.json["version"]) == (name, version), r
        assert r.etag.startswith(f'"v{version}.')
    for moment in (deleted, "2999-01-01T00:00:00Z"):
        r = as_of(core, path, moment)
        assert r.status == 404 and "at that time" in r.json["detail"]
    masked = as_of(core, path, edited, role="operator")
    assert masked.status == 200 and "email" not in masked.json and masked.json["country"] == "GB"
    assert list(as_of(core, path, edited, "&fields=country").json) == ["id", "country"]
    assert as_of(core, path, edited, "&fields=email", role="operator").status == 403
    for bad in ("yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00Z'--", ""):
        assert as_of(core, path, bad).status == 400, bad
    assert core.get(f"{path}?as_of={created[:19]}Z&as_of={created[:19]}Z").status == 400
    assert core.get("/v1/people?as_of=2026-01-01T00:00:00Z").status == 400
    erase(product, path)
    assert as_of(core, path, edited).status == 410
    assert as_of(core, path, before(created)).status == 404


def test_as_of_is_the_present_where_nothing_changed(core):
    path = made(core, "opportunities", name="Deal", amount=12.5, stage="won", closed_at="2026-01-02")
    now = core.get(path)
    then = as_of(core, path, "2999-01-01T00:00:00Z")
    assert (then.status, then.body, then.etag) == (200, now.body, now.etag)
    person = made(core, "people", given_name="P")
    consent = core.post(person + "/consents", {"purpose": "marketing", "state": "granted"}).headers["Location"]
    assert as_of(core, consent, "2999-01-01T00:00:00Z").body == core.get(consent).body
    elsewhere = consent.replace(person.split("/")[3], str(uuid.uuid4()))
    assert as_of(core, elsewhere, "2999-01-01T00:00:00Z").status == 404


def test_the_copy_keeps_no_history(sandbox):
    r = sandbox.get(f"/v1/organizations/{uuid.uuid4()}?as_of=2026-01-01T00:00:00Z", role="innovator")
    assert r.status == 400 and "core" in r.json["detail"]
    assert sandbox.get(f"/v1/organizations/{uuid.uuid4()}/history", role="innovator").status == 404


# -- undo

def test_undo_puts_the_fields_of_one_edit_back(core):
    path = made(core, "people", given_name="Ada", city="London", country="GB")
    edit(core, path, city="Graz", country="AT")
    edit(core, path, given_name="Augusta")
    r = undo(core, path, 2, '"v3"')
    assert r.status == 200 and r.json["version"] == 4 and r.etag.startswith('"v4.'), r
    assert (r.json["given_name"], r.json["city"], r.json["country"]) == ("Augusta", "London", "GB")
    assert r.body == core.get(path).body
    assert history(core, path)[0]["changes"] == {"city": {"before": "Graz", "after": "London"},
                                                 "country": {"before": "AT", "after": "GB"}}
    assert undo(core, path, 4).status == 200 and core.get(path).json["city"] == "Graz"


def test_undo_is_refused_where_it_would_undo_more(product, core):
    path = made(core, "organizations", name="Org", stage="a", sector="x")
    edit(core, path, stage="b", sector="y")
    edit(core, path, stage="c")
    edit(core, path, stage="b")
    edit(core, path, region="r")
    r = undo(core, path, 2)
    assert r.status == 409 and r.json["conflicts"] == [{"field": "stage", "versions": [3, 4]}], r
    assert undo(core, path, 5).status == 200
    assert core.post(path + "/undo", {"version": 3}).status == 428
    assert undo(core, path, 3, '"v2"').status == 412
    assert undo(core, path, 1).status == 422
    assert undo(core, path, 99).status == 422
    for body in ({}, {"version": "3"}, {"version": 0}, {"version": 3, "x": 1}, {"version": 1.5}, {"version": 99999999999}):
        assert core.post(path + "/undo", body, headers={"If-Match": "*"}).status == 422, body
    assert undo(core, path, 3, role="operator").status == 403
    assert undo(core, f"/v1/organizations/{uuid.uuid4()}", 2).status == 404
    erase(product, path)
    assert undo(core, path, 4).status == 410


def test_undo_brings_no_reference_back_to_what_is_gone(core):
    org = made(core, "organizations", name="Org")
    path = made(core, "people", given_name="P", organization_id=org.split("/")[3])
    edit(core, path, organization_id=None)
    gone(core, org)
    r = undo(core, path, 2)
    assert r.status == 409 and r.json["errors"][0]["pointer"] == "/organization_id", r


def test_undo_of_what_followed_from_a_consent_is_not_an_edit(core):
    path = made(core, "people", given_name="P")
    consent = core.post(path + "/consents", {"purpose": "analysis", "state": "withdrawn"}).headers["Location"]
    assert core.get(path).json["lab_ok"] is False
    r = undo(core, path, 2)
    assert r.status == 422 and "follows" in r.json["detail"], r
    consent = "/v1/consents/" + consent.split("/")[-1]
    edit(core, consent, state="granted")
    r = undo(core, consent, 2)
    assert r.status == 200 and r.json["state"] == "withdrawn" and core.get(path).json["lab_ok"] is False, r


def test_undo_once_for_one_key_and_never_over_an_edit_at_the_same_moment(core):
    path = made(core, "organizations", name="Org", stage="a")
    edit(core, path, stage="b")
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first, again = undo(core, path, 2, headers=key), undo(core, path, 2, headers=key)
    assert (first.status, again.status, again.body) == (200, 200, first.body)
    assert again.headers["Idempotency-Replayed"] == "true" and core.get(path).json["version"] == 3
    for _ in range(4):
        version = edit(core, path, stage=unique("s")).json["version"]
        stage = unique("t")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            undone = pool.submit(undo, core, path, version)
            edited = pool.submit(core.patch, path, {"stage": stage}, headers={"If-Match": "*"})
            undone, edited = undone.result(), edited.result()
        assert edited.status == 200 and undone.status in (200, 409, 503), undone
        entries = history(core, path)[:2]
        # Whoever was last, nothing of the other is lost without a trace: an undo never lies on top of the edit.
        if undone.status == 200:
            assert (entries[0]["version"], entries[1]["version"]) == (edited.json["version"], undone.json["version"])
        else:
            assert core.get(path).json["stage"] == stage


# -- restore

def test_restore_brings_back_what_went_along(product, core):
    org = made(core, "organizations", name="Org").split("/")[3]
    email = unique("r") + "@example.org"
    path = made(core, "people", given_name="Ada", email=email, external_id=unique("x"), organization_id=org)
    person = path.split("/")[3]
    consent = core.post(path + "/consents", {"purpose": "marketing", "state": "granted"}).json["id"]
    talk = made(core, "interactions", person_id=person, kind="call", subject="Hello", amount=1.5)
    case = made(core, "cases", person_id=person, subject="Broken")
    deal = made(core, "opportunities", person_id=person, name="Deal")
    edit(core, path, city="Graz")
    was = core.get(path)
    pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
    gone(core, path)
    assert core.get(talk).status == core.get(case).status == 404 and core.get(deal).json["person_id"] is None
    with_key = {"Idempotency-Key": uuid.uuid4().hex}
    r = core.post(path + "/restore", headers=with_key)
    assert r.status == 200, r
    assert r.json["restored"] == {"people": 1, "consents": 1, "interactions": 1, "cases": 1} and r.json["linked"] == {"opportunities": 1}
    now = core.get(path)
    same = {k: v for k, v in was.json.items() if k not in ("version", "updated_at")}
    assert {k: v for k, v in now.json.items() if k not in ("version", "updated_at")} == same
    assert now.json["version"] == was.json["version"] + 1 and r.json["record"] == now.json and r.etag.startswith('"v3.')
    assert core.get(talk).json["subject"] == "Hello" and core.get(case).json["version"] == 2
    assert core.get(f"/v1/consents/{consent}").json["state"] == "granted"
    assert core.get(deal).json["person_id"] == person
    assert [e["op"] for e in history(core, path)] == ["restore", "delete", "update", "create"]
    new = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
    assert new != pseudonym
    product.arrived("select exists (select from crm.person where pseudonym = %s)"
                    " and not exists (select from crm.person where pseudonym = %s)", (new, pseudonym))
    assert core.post(path + "/restore", headers=with_key).body == r.body
    twice = core.post(path + "/restore")
    assert twice.status == 409 and "not deleted" in twice.json["detail"]
    assert undo(core, path, 2).status == 200 and core.get(path).json["city"] is None


def test_restore_at_once_by_two_is_done_once(core):
    path = made(core, "organizations", name="Org")
    gone(core, path)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        got = sorted(r.status for r in pool.map(lambda _: core.post(path + "/restore"), range(4)))
    assert got == [200, 409, 409, 409], got


def test_who_had_withdrawn_stays_away_from_the_feed(product, core):
    path = made(core, "people", given_name="W", country=unique("w"))
    person = path.split("/")[3]
    core.post(path + "/consents", {"purpose": "analysis", "state": "withdrawn"})
    talk = made(core, "interactions", person_id=person, kind="call")
    gone(core, path)
    assert core.post(path + "/restore").status == 200
    assert core.get(path).json["lab_ok"] is False and core.get(talk).json["lab_ok"] is False
    marker = made(core, "organizations", name="marker", region=unique("m"))
    region = core.get(marker).json["region"]
    product.arrived("select exists (select from crm.organization where region = %s)", (region,))
    country = core.get(path).json["country"]
    assert product.clusters.one("sandbox", "select count(*) from crm.person where country = %s", (country,)) == 0


def test_what_a_leaver_hid_stays_hidden(core):
    """A row whose person withdrew and was deleted is about nobody now: neither it nor its restored copy goes to the lab."""
    path = made(core, "people", given_name="W")
    deal = made(core, "opportunities", person_id=path.split("/")[3], name="Deal")
    core.post(path + "/consents", {"purpose": "analysis", "state": "withdrawn"})
    gone(core, path)
    assert (core.get(deal).json["person_id"], core.get(deal).json["lab_ok"]) == (None, False)
    gone(core, deal)
    r = core.post(deal + "/restore")
    assert r.status == 200 and r.json["record"]["lab_ok"] is False and core.get(deal).json["lab_ok"] is False, r


def test_what_was_withdrawn_since_is_not_granted_by_a_restore(core):
    path = made(core, "people", given_name="W")
    granted = core.post(path + "/consents", {"purpose": "analysis", "state": "granted"}).json["id"]
    gone(core, f"/v1/consents/{granted}")
    withdrawn = core.post(path + "/consents", {"purpose": "analysis", "state": "withdrawn"}).json["id"]
    gone(core, f"/v1/consents/{withdrawn}")
    assert core.get(path).json["lab_ok"] is False
    r = core.post(f"/v1/consents/{granted}/restore")
    assert r.status == 409 and r.json["conflicts"] == [{"resource": "consents", "field": "state", "why": "withdrawn since"}], r
    assert core.get(path).json["lab_ok"] is False
    # Another purpose, and the withdrawal itself, come back as they were.
    assert core.post(f"/v1/consents/{withdrawn}/restore").status == 200
    other = core.post(path + "/consents", {"purpose": "marketing", "state": "granted"}).json["id"]
    gone(core, f"/v1/consents/{other}")
    assert core.post(f"/v1/consents/{other}/restore").status == 200 and core.get(path).json["lab_ok"] is False


def test_restore_names_what_is_in_its_way(core):
    org = made(core, "organizations", name="Org")
    taken = unique("taken")
    path = made(core, "people", given_name="P", external_id=taken, organization_id=org.split("/")[3])
    gone(core, path)
    gone(core, org)
    other = made(core, "people", external_id=taken)
    r = core.post(path + "/restore")
    assert r.status == 409, r
    assert {(c["field"], c["why"]) for c in r.json["conflicts"]} == {("external_id", "taken"), ("organization_id", "gone")}
    gone(core, other)
    assert core.post(org + "/restore").status == 200 and core.post(path + "/restore").status == 200
    person = made(core, "people", given_name="P")
    consent = core.post(person + "/consents", {"purpose": "marketing", "state": "granted"}).json["id"]
    gone(core, f"/v1/consents/{consent}")
    core.post(person + "/consents", {"purpose": "marketing", "state": "withdrawn"})
    r = core.post(f"/v1/consents/{consent}/restore")
    assert r.status == 409 and {c["field"] for c in r.json["conflicts"]} == {"person_id", "purpose"}, r
    assert core.post(f"/v1/people/{uuid.uuid4()}/restore").status == 404
    assert core.post(person + "/restore", {"force": True}).status == 422
    assert core.post(person + "/restore", role="operator").status == 403


def test_one_of_a_batch_comes_back_alone(core):
    ids = [r["id"] for r in core.post("/v1/people/batch", {"ops": [{"op": "create", "data": {"given_name": "B"}}] * 2}).json["results"]]
    talks = [made(core, "interactions", person_id=i, kind="call") for i in ids]
    r = core.post("/v1/people/batch", {"ops": [{"op": "delete", "id": i, "if_match": "*"} for i in ids]})
    assert r.status == 200, r
    r = core.post(f"/v1/people/{ids[0]}/restore")
    assert r.status == 200 and r.json["restored"] == {"people": 1, "interactions": 1}, r
    assert core.get(talks[0]).status == 200 and core.get(talks[1]).status == 404


# -- saved views

@pytest.fixture
def views(core):
    yield
    for role in ("agent", "operator"):
        for v in core.get("/v1/views", role=role).json["data"]:
            if v["mine"]:
                core.delete(f"/v1/views/{v['id']}", role=role)


def saved(core, role="agent", **view):
    r = core.post("/v1/views", view, role=role)
    assert r.status == 201, r
    return r.json["id"]


def test_a_view_is_a_list_under_a_name(core, views):
    tag = unique("v")
    for i in range(3):
        made(core, "organizations", name=f"{tag} {i}", owner=tag, employees=i)
    view = saved(core, resource="organizations", name="Mine", query=f"owner={tag}&sort=-name&fields=name,employees")
    r = core.get(f"/v1/organizations?view={view}")
    assert r.status == 200 and [d["employees"] for d in r.json["data"]] == [2, 1, 0] and list(r.json["data"][0]) == ["id", "name", "employees"]
    assert [d["employees"] for d in core.get(f"/v1/organizations?view={view}&sort=name&employees=gt.0").json["data"]] == [1, 2]
    page = core.get(f"/v1/organizations?view={view}&limit=2").json["page"]["next"]
    rest = core.get(f"/v1/organizations?view={view}&limit=2&after={page}")
    assert [d["employees"] for d in rest.json["data"]] == [0]
    assert core.get(f"/v1/people?view={view}").status == 404
    assert core.get(f"/v1/organizations?view={uuid.uuid4()}").status == 404
    assert core.get("/v1/organizations?view=1'%20or%20true--").status == 400
    assert core.get(f"/v1/organizations?view={view}&owner=x&owner2=y").status == 400
    got = core.get(f"/v1/views/{view}")
    assert got.etag == '"v1"' and got.json["mine"] is True
    assert core.patch(f"/v1/views/{view}", {"name": "x"}).status == 428
    r = core.patch(f"/v1/views/{view}", {"name": "Big", "query": f"owner={tag}&employees=gte.2"}, headers={"If-Match": '"v1"'})
    assert r.status == 200 and r.json["version"] == 2 and r.json["shared"] == "private", r
    other = saved(core, resource="organizations", name="Small")
    taken = core.patch(f"/v1/views/{other}", {"name": "Big"}, headers={"If-Match": "*"})
    assert taken.status == 409 and taken.json["errors"][0]["pointer"] == "/name", taken
    assert core.patch(f"/v1/views/{other}", {"name": "Small", "shared": "team"}, headers={"If-Match": "*"}).status == 200
    assert core.patch(f"/v1/views/{view}", {"name": "x"}, headers={"If-Match": '"v1"'}).status == 412
    assert len(core.get(f"/v1/organizations?view={view}").json["data"]) == 1
    assert core.delete(f"/v1/views/{view}").status == 204 and core.get(f"/v1/views/{view}").status == 404


def test_a_view_is_checked_when_it_is_saved(product, core, views):
    name = "'); drop table views.saved; --"
    view = saved(core, resource="people", name=name, query="country=in.(AT,%22A%2CB%22)")
    assert core.get(f"/v1/views/{view}").json["name"] == name and core.get(f"/v1/people?view={view}").status == 200
    for body, at in (({"resource": "people", "name": "n", "query": "nonsense=1"}, "/query"),
                     ({"resource": "people", "name": "n", "query": "pseudonym=is.null"}, "/query"),
                     ({"resource": "people", "name": "n", "query": "sort=note"}, "/query"),
                     ({"resource": "people", "name": "n", "query": "after=abc"}, "/query"),
                     ({"resource": "people", "name": "n", "query": "country=%zz"}, "/query"),
                     ({"resource": "people", "name": "n", "query": "a" * 1501}, "/query"),
                     ({"resource": "people", "name": "", "query": ""}, "/name"),
                     ({"resource": "people", "name": "n" * 101}, "/name"),
                     ({"resource": "people"}, "/name"),
                     ({"name": "n"}, "/resource"),
                     ({"resource": "people", "name": "n", "shared": "world"}, "/shared"),
                     ({"resource": "people", "name": "n", "owner": str(uuid.uuid4())}, "/owner"),
                     ({"resource": "people", "name": 5}, "/name")):
        r = core.post("/v1/views", body)
        assert r.status == 422 and r.json["errors"][0]["pointer"] == at, r
    assert core.post("/v1/views", {"resource": "nothing", "name": "n"}).status in (403, 404)
    again = core.post("/v1/views", {"resource": "people", "name": name})
    assert again.status == 409 and again.json["errors"][0]["pointer"] == "/name"
    assert core.post("/v1/views", {"resource": "people", "name": "n", "query": "email=is.null"}, role="operator").status == 403
    assert core.post("/v1/views", {"resource": "people", "name": "n"}, role="service").status == 403
    assert product.clusters.one("core", "select count(*) from event.log where resource = 'views' and record_id = %s", (view,)) == 1


def test_a_shared_view_tells_nobody_what_a_hidden_field_holds(core, views):
    private = saved(core, resource="people", name="p", query="country=AT")
    personal = saved(core, resource="people", name="e", query="email=eq.ada%40example.org", shared="all")
    opened = saved(core, resource="people", name="o", query="country=AT", shared="all")
    seen = core.get("/v1/views", role="operator")
    assert [v["id"] for v in seen.json["data"] if not v["mine"]] == [opened] and b"ada" not in seen.body
    for view in (private, personal):
        assert core.get(f"/v1/views/{view}", role="operator").status == 404
        r = core.get(f"/v1/people?view={view}", role="operator")
        assert r.status in (403, 404) and b"ada" not in r.body
    assert core.get(f"/v1/people?view={opened}", role="operator").status == 200
    assert core.get(f"/v1/views/{opened}", role="operator").json["mine"] is False
    assert core.patch(f"/v1/views/{opened}", {"name": "x"}, role="operator", headers={"If-Match": "*"}).status == 404
    assert core.delete(f"/v1/views/{opened}", role="operator").status == 404
    assert core.get("/v1/views?resource=organizations").json["data"] == []


def test_a_view_is_shared_with_the_teams_of_its_owner(product, core, views):
    view = saved(core, resource="people", name="t", query="country=AT", shared="team")
    assert core.get(f"/v1/views/{view}", role="operator").status == 404
    db = product.clusters.connect("core")
    with db.cursor() as cur:
        cur.execute("select set_config('bimodal.actor', 'test', false)")
        cur.execute("insert into access.team (name, slug) values ('Views', %s) returning id", (unique("views-"),))
        team = cur.fetchone()[0]
        for role in ("agent", "operator"):
            cur.execute("insert into access.membership (principal, team) values (%s, %s)", (core.get("/v1/me", role=role).json["principal"], team))
        assert core.get(f"/v1/people?view={view}", role="operator").status == 200
        assert core.get(f"/v1/views/{view}", role="product_owner").status == 404
        assert view in [v["id"] for v in core.get("/v1/views", role="operator").json["data"]]
        cur.execute("delete from access.membership where team = %s", (team,))
        assert core.get(f"/v1/people?view={view}", role="operator").status == 404
        cur.execute("delete from access.team where id = %s", (team,))
    db.close()
    # What is shared is handed over with what else a leaver owned; private views are not.
    assert product.clusters.one("core", "select live from access.owned where relation = 'views.saved'") == "shared <> 'private'"


def test_views_have_a_limit(product, core, views):
    owner = core.get("/v1/me", role="operator").json["principal"]
    with product.clusters.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("select set_config('bimodal.actor', 'test', true)")
        cur.execute("insert into views.saved (owner, resource, name, query) select %s, 'people', 'v' || n, '' from generate_series(1, 200) n",
                    (owner,))
    r = core.post("/v1/views", {"resource": "people", "name": "one more"}, role="operator")
    assert r.status == 409 and "200" in r.json["detail"], r
    with product.clusters.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("select set_config('bimodal.actor', 'test', true)")
        cur.execute("delete from views.saved where owner = %s", (owner,))


# -- the whole of a customer

@pytest.fixture(scope="module")
def customer(core):
    org = made(core, "organizations", name=unique("Org "), external_id=unique("o"))
    person = made(core, "people", given_name="Grace", family_name=unique("Hopper"), email=unique("g") + "@example.org",
                  phone="+43 660 " + str(uuid.uuid4().int)[:7], external_id=unique("crm-"), organization_id=org.split("/")[3])
    who = {"person_id": person.split("/")[3], "organization_id": org.split("/")[3]}
    core.post(person + "/consents", {"purpose": "marketing", "state": "granted"})
    for stage in ("prospecting", "won", "engaging"):
        made(core, "opportunities", name=unique("Deal "), stage=stage, **who)
    for status in ("open", "closed", "pending"):
        made(core, "cases", subject=unique("Case "), status=status, **who)
    ops = [{"op": "create", "data": {"kind": "call", "at": f"2026-01-{i + 1:02}T00:00:00Z", "subject": f"s{i}", **who}} for i in range(25)]
    assert core.post("/v1/interactions/batch", {"ops": ops}).status == 200
    edit(core, person, city="Arlington")
    return person, org


def test_the_whole_of_a_person(core, customer):
    person, _ = customer
    r = core.get(person + "/360")
    assert r.status == 200, r
    whole = r.json
    assert whole["profile"] == core.get(person).json
    assert whole["values"]["city"]["version"] == 2 and whole["values"]["email"]["version"] == 1
    assert whole["values"]["city"]["by"]["name"] == "agent" and whole["values"]["city"]["from"] == "log"
    assert whole["values"]["city"]["at"] > whole["values"]["email"]["at"] and "street" not in whole["values"]
    assert [c["purpose"] for c in whole["consents"]["data"]] == ["marketing"]
    assert [d["stage"] for d in whole["opportunities"]["data"]] == ["engaging", "prospecting"]
    assert {c["status"] for c in whole["cases"]["data"]} == {"open", "pending"} and whole["cases"]["more"] is False
    talks = whole["interactions"]
    assert [t["subject"] for t in talks["data"]] == [f"s{i}" for i in range(24, 4, -1)] and talks["more"] is True
    assert all(t["_set"]["by"]["name"] == "agent" and t["_set"]["at"] for t in talks["data"])
    assert core.get(person + "/360", headers={"If-None-Match": r.etag}).status == 304
    edit(core, "/v1/interactions/" + talks["data"][0]["id"], channel="new")
    assert core.get(person + "/360", headers={"If-None-Match": r.etag}).status == 200
    assert core.get(f"/v1/people/{uuid.uuid4()}/360").status == 404
    assert core.get(person + "/360?fields=id").status == 400


def test_the_whole_of_an_organization(core, customer):
    person, org = customer
    r = core.get(org + "/360")
    assert r.status == 200 and r.json["profile"] == core.get(org).json
    assert [p["id"] for p in r.json["people"]["data"]] == [person.split("/")[3]]
    assert len(r.json["opportunities"]["data"]) == 2 and len(r.json["cases"]["data"]) == 2 and len(r.json["interactions"]["data"]) == 20


def test_the_whole_shows_no_more_than_its_parts(core, customer):
    person, org = customer
    full = core.get(person + "/360").json
    for role, owner in (("operator", True), ("innovator", False)):
        for path in (person, org):
            r = core.get(path + "/360", role=role)
            assert r.status == 200, r
            for secret in ("Grace", full["profile"]["email"], "Arlington", "s24", "pseudonym"):
                assert secret.encode() not in r.body, (role, secret)
            assert "email" not in r.json.get("values", {}) and "country" not in r.json["values"]
            assert ("person_id" in r.json["interactions"]["data"][0]) is owner
    assert core.get(person + "/360", role="service").status == 403


def test_a_narrow_token_gets_what_its_rights_are_and_no_more(core, customer):
    person, org = customer
    later = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    made_token = core.post("/v1/tokens", {"audience": "core", "expires_at": later, "scopes": ["people.read", "organizations.write", "me.read"]})
    assert made_token.status == 201, made_token

    def ask(method, path, body=None):
        """A worker that has not read the new token yet says 401."""
        deadline = time.monotonic() + 30
        while True:
            r = core.request(method, path, body, token=made_token.json["token"], headers={"If-Match": "*"})
            if r.status != 401 or time.monotonic() > deadline:
                return r
            time.sleep(0.02)

    r = ask("GET", person + "/360")
    assert r.status == 200 and list(r.json) == ["profile", "values"], r
    r = ask("GET", "/v1/search?q=" + core.get(person).json["family_name"])
    assert [p["resource"] for p in r.json["results"]] == ["people"]
    assert ask("GET", person + "/history").status == 200
    for method, path, body in (("GET", org + "/360", None), ("GET", org + "/history", None), ("POST", person + "/undo", {"version": 2}),
                               ("POST", person + "/restore", {}), ("POST", "/v1/views", {"resource": "organizations", "name": "n"})):
        assert ask(method, path, body).status == 403, path


def test_the_whole_of_what_the_log_does_not_know(product, core):
    with product.clusters.connect("core") as db, db.cursor() as cur:
        cur.execute("set session_replication_role = replica")
        cur.execute("insert into crm.person (given_name, updated_at) values ('Old', '2020-01-01') returning id::text")
        person = cur.fetchone()[0]
    r = core.get(f"/v1/people/{person}/360")
    assert r.status == 200 and r.json["values"]["given_name"] == {"at": "2020-01-01T00:00:00+00:00", "by": None, "version": None,
                                                                   "from": "record"}


# -- search

def search(core, q, **kw):
    r = core.get("/v1/search?q=" + urllib.parse.quote(q), **kw)
    assert r.status == 200, r
    return {p["resource"]: [d.get("id") for d in p["data"]] for p in r.json["results"]}


def test_search_finds_by_everything_one_knows(core, customer):
    person, org = customer
    me = core.get(person).json
    for q in (me["family_name"], me["family_name"].upper(), me["family_name"][:9], "grace " + me["family_name"][:8], me["email"],
              me["email"][:10], me["email"].upper(), me["phone"], me["phone"].replace(" ", ""),
              me["external_id"], me["external_id"][:12]):
        assert me["id"] in search(core, q)["people"], q
    company = core.get(org).json
    assert org.split("/")[3] in search(core, company["name"])["organizations"]
    assert org.split("/")[3] in search(core, company["external_id"][:8])["organizations"]
    deal = core.get(person + "/360").json["opportunities"]["data"][0]
    assert search(core, deal["name"].split()[1])["opportunities"] == [deal["id"]]
    case = core.get(person + "/360").json["cases"]["data"][0]
    assert search(core, case["subject"].split()[1])["cases"] == [case["id"]]
    assert search(core, "zz" + uuid.uuid4().hex)["people"] == []
    hit = core.get("/v1/search?q=" + me["family_name"]).json["results"][0]["data"][0]
    assert list(hit) == ["id", "given_name", "family_name", "email", "phone", "external_id"]
    edit(core, person, family_name=(new := unique("Murray")))
    assert search(core, me["family_name"])["people"] == [] and search(core, new)["people"] == [me["id"]]


def test_search_is_bounded_and_whole_words_come_first(core):
    word = unique("w")
    ops = [{"op": "create", "data": {"name": word + ("" if i == 14 else f"x{i}")}} for i in range(15)]
    ids = [r["id"] for r in core.post("/v1/organizations/batch", {"ops": ops}).json["results"]]
    r = core.get(f"/v1/search?q={word}")
    part = [p for p in r.json["results"] if p["resource"] == "organizations"][0]
    assert len(part["data"]) == 10 and part["more"] is True and part["data"][0]["id"] == ids[14]
    part = [p for p in core.get(f"/v1/search?q={word}&limit=20").json["results"] if p["resource"] == "organizations"][0]
    assert len(part["data"]) == 15 and part["more"] is False
    for bad in ("", "q=", "q=a", "q=+a+", "q=ab&limit=21", "q=ab&x=1", "q=" + "a" * 201, "q=ab&q=cd"):
        assert core.get(f"/v1/search?{bad}").status == 400, bad
    for q in ("' & | ! ( ) : * <-> \\", "%%", "a'b:*", "\\\\'", "&&", "*:*", "$1", "--", "'; drop table crm.person; --"):
        assert core.get("/v1/search?q=" + urllib.parse.quote(q)).status == 200, q


def test_search_hits_nothing_that_is_hidden(core, customer):
    person, org = customer
    me = core.get(person).json
    for q in (me["email"], me["family_name"], me["external_id"], me["phone"]):
        found = search(core, q, role="operator")
        assert "people" not in found and "cases" not in found
    assert search(core, core.get(org).json["name"], role="operator")["organizations"] == [org.split("/")[3]]
    assert search(core, core.get(org).json["name"], role="innovator") == {}
    assert search(core, core.get(org).json["name"], role="service") == {}
    assert core.get("/v1/search?q=abc", role=None).status == 401


# -- what it costs

def plan(product, text, args):
    with product.clusters.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("set enable_seqscan = off")
        cur.execute("set plan_cache_mode = force_generic_plan")
        cur.execute("prepare whole as " + text)
        cur.execute("explain (costs off) execute whole (" + ", ".join(["%s"] * len(args)) + ")", args)
        return "\n".join(row[0] for row in cur.fetchall())


def statement(product, core, name, call):
    """The text of the engine's own statement, as the server was last asked for it."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert call().status == 200
        rows = product.clusters.rows("core", "select query from pg_stat_activity where query like %s", (f"/* record {name} */%",))
        if rows:
            return rows[0][0]
    raise AssertionError(f"the statement {name} was not seen")


def test_the_whole_and_the_search_are_served_by_indexes(product, core, customer):
    person, org = customer
    for path, name, filters in ((person, "people", 2), (org, "organizations", 2)):
        text = statement(product, core, f"{name} overview", lambda path=path: core.get(path + "/360"))
        key = path.split("/")[3]
        args = [key] + {"people": [key, key, "{prospecting,engaging}", key, "{open,pending}", key],
                        "organizations": [key, key, "{prospecting,engaging}", key, "{open,pending}", key]}[name]
        found = plan(product, text, args)
        assert "Seq Scan" not in found, found
        assert "interaction_2" in found and "log_000000_record_id_seq_idx" in found, found
    text = statement(product, core, "people search", lambda: core.get("/v1/search?q=ada"))
    found = plan(product, text, ["ada"])
    assert "Seq Scan" not in found, found
    for index in ("person_search", "organization_search", "opportunity_search", "support_case_search"):
        assert index in found, found


# -- the command line

def bimodal(core, tmp_path, *words):
    token = tmp_path / "token"
    token.write_text(core.tokens["agent"])
    done = traced.bimodal(core.product, "--core", f"http://127.0.0.1:{core.port}", "--token-file", token, "--raw", *words)
    return done.returncode, done.stdout and json.loads(done.stdout), done.stderr


def test_the_command_line_tells_and_mends(core, tmp_path):
    name = unique("Cli")
    path = made(core, "organizations", name=name, stage="a")
    record = path.split("/")[3]
    edit(core, path, stage="b")
    code, told, _ = bimodal(core, tmp_path, "record", "history", "organizations", record, "limit=1")
    assert code == 0 and told["data"][0]["changes"]["stage"]["before"] == "a" and told["page"]["has_more"]
    moment = core.get(path + "/history").json["data"][1]["at"]
    assert bimodal(core, tmp_path, "record", "get", "organizations", record, f"as_of={moment}")[1]["stage"] == "a"
    code, told, _ = bimodal(core, tmp_path, "record", "undo", "organizations", record, "2")
    assert code == 0 and told["stage"] == "a"
    assert bimodal(core, tmp_path, "record", "360", "organizations", record)[1]["profile"]["stage"] == "a"
    assert bimodal(core, tmp_path, "search", name[:6], name)[1]["results"][1]["data"][0]["name"] == name
    gone(core, path)
    code, told, _ = bimodal(core, tmp_path, "record", "restore", "organizations", record)
    assert code == 0 and told["record"]["version"] == 4
    code, _, said = bimodal(core, tmp_path, "record", "restore", "organizations", record)
    assert code == 1 and "not deleted" in said
    assert bimodal(core, tmp_path, "record", "undo", "organizations", record, "two")[0] == 2


def test_views_on_the_command_line(core, tmp_path):
    (tmp_path / "token").write_text(core.tokens["agent"])
    tag = unique("v")
    for i in range(3):
        made(core, "organizations", name=f"{tag} {i}", owner=tag, employees=i)

    def cli(*words, code=0):
        done = traced.bimodal(core.product, "--core", f"http://127.0.0.1:{core.port}", "--token-file", tmp_path / "token", *words)
        assert done.returncode == code, (words, done)
        return json.loads(done.stdout) if code == 0 and done.stdout else done.stderr
    view = cli("view", "create", "organizations", tag, f"owner={tag}", "employees=gte.1", "sort=-name", "fields=name,employees", "--shared", "all")
    assert view["resource"] == "organizations" and view["shared"] == "all"
    assert tag in [v["name"] for v in cli("view", "list", "organizations")["data"]] and tag not in [v["name"] for v in cli("view", "list", "people")["data"]]
    assert cli("view", "show", tag) == cli("view", "show", view["id"]) == {**view, "mine": True}
    assert [d["employees"] for d in cli("view", "run", tag)["data"]] == [2, 1]
    assert [d["employees"] for d in cli("view", "run", tag, "limit=1", "sort=name")["data"]] == [1]
    cli("view", "create", "people", tag)
    assert "2 views are named" in cli("view", "show", tag, code=1)
    assert cli("view", "run", tag, "--resource", "people", "country=XX")["data"] == []
    cli("view", "delete", tag, "--resource", "people")
    assert "nonsense" in cli("view", "create", "people", "x", "nonsense=1", code=1)
    assert "no view" in cli("view", "run", f"{tag}-none", code=1)
    for words in (("create", "people"), ("create", "people", "x", "country"), ("run",), ("run", tag, "country"), ("delete",)):
        assert "usage" in cli("view", *words, code=2)
    assert cli("view", "delete", tag) == ""
    assert "no view" in cli("view", "show", tag, code=1)
