"""Whose records, how often, and what is kept of refusals: record scopes, rate limits, the event log, looks behind a pseudonym, explain.

One product whose roles are narrower than the delivered ones: innovators see and write what they own, product owners read what
their team owns and write their own.
"""
import json
import re
import socket
import threading
import time
import urllib.parse
import uuid
from types import SimpleNamespace

import pytest
import traced
from clusters import ROOT
from product import Product
from wire import Spoken, answers

ALL = ["organizations", "people", "consents", "interactions", "opportunities", "cases"]
EVERYTHING = ", ".join(f"{r}.{v}" for r in ALL for v in ("read", "write")) + ", people.resolve, me.read"
CLASSES = "read: [open, internal, personal]\n    write: [open, internal, personal]"
QUOTA, WINDOW = 400, 60


def roles_text():
    text = (ROOT / "config" / "roles.yaml").read_text()
    for role, scopes in (("innovator", '{ "*": { read: own } }'),
                         ("product_owner", "{ people: { read: team, write: own }, organizations: { read: team, write: own }, opportunities: { read: team, write: own } }")):
        narrow = f"  {role}:\n    rights: [{EVERYTHING}]\n    {CLASSES}\n    scopes: {scopes}\n"
        text, n = re.subn(rf"^  {role}:\n(?:    .*\n|\n)+?(?=  #|  \w|\Z)", narrow, text, flags=re.M)
        assert n == 1, role
    return text


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    path = tmp_path_factory.mktemp("roles")
    path.chmod(0o755)
    roles = path / "roles.yaml"
    roles.write_text(roles_text())
    p = Product()
    for name in ("core", "sandbox"):
        p.overrides[name] = f'access: {{ roles_file: "{roles}" }}\n'
    p.overrides["core"] += f"limits: {{ window: {WINDOW}s, innovator: {QUOTA}, product_owner: 100000, other: 30, address: 60 }}\n"
    p.start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


class Who:
    """A principal of its own, with its token; requests by it."""

    def __init__(self, product, name, role, daemon="core"):
        self.product, self.name = product, name
        self.daemon = getattr(product, daemon)
        self.token = product.core.command("--create-token", f"{name}:{role}:{daemon}").strip()
        self.id = product.clusters.one("core", "SELECT id::text FROM access.principal WHERE name = %s", (name,))
        self.known()

    def known(self):
        """Every worker knows the token: each connection meets any of them."""
        good, deadline = 0, time.monotonic() + 30
        while good < 16:
            assert time.monotonic() < deadline, f"{self.name} is not known"
            good = good + 1 if self.get("/v1/me").status == 200 else 0

    def __getattr__(self, method):
        def call(path, *args, **kw):
            return getattr(self.daemon, method)(path, *args, token=self.token, **kw)
        return call

    def create(self, path, body, status=201, **kw):
        r = self.post(path, body, **kw)
        assert r.status == status, r
        return r


def ids(r):
    assert r.status == 200, r
    return {one["id"] for one in r.json["data"]}


def join(product, team, *names):
    product.clusters.rows("core", "INSERT INTO access.team (name, slug) VALUES (%s, %s) ON CONFLICT DO NOTHING", (team, team))
    for name in names:
        product.clusters.rows("core", "INSERT INTO access.membership (principal, team) SELECT p.id, t.id FROM access.principal p, access.team t"
                                      " WHERE p.name = %s AND t.slug = %s", (name, team))


@pytest.fixture(scope="module")
def world(product):
    class World:
        pass
    w = World()
    for name, role in (("anna", "innovator"), ("bob", "innovator"), ("tina", "product_owner"), ("tom", "product_owner"), ("uwe", "product_owner"), ("root", "agent")):
        setattr(w, name, Who(product, name, role))
    join(product, "north", "tina", "tom")
    w.person, w.organization, w.interaction, w.opportunity, w.case, w.consent = {}, {}, {}, {}, {}, {}
    for owner in ("anna", "bob", "tina", "tom", None):
        secret = f"{owner or 'nobody'}-secret"
        w.organization[owner] = w.root.create("/v1/organizations", {"name": secret, "owner": owner, "external_id": f"o-{owner}"}).json["id"]
        w.person[owner] = w.root.create("/v1/people", {"given_name": secret, "family_name": secret, "email": f"{secret}@example.org", "owner": owner,
                                                       "external_id": f"p-{owner}"}).json["id"]
        w.interaction[owner] = w.root.create("/v1/interactions", {"kind": "call", "subject": secret, "person_id": w.person[owner]}).json["id"]
        w.opportunity[owner] = w.root.create("/v1/opportunities", {"name": secret, "owner": owner, "person_id": w.person[owner]}).json["id"]
        w.case[owner] = w.root.create("/v1/cases", {"subject": secret, "owner": owner}).json["id"]
        w.consent[owner] = w.root.create(f"/v1/people/{w.person[owner]}/consents", {"purpose": "marketing", "state": "granted"}).json["id"]
    w.org_only = {owner: w.root.create("/v1/interactions", {"kind": "visit", "subject": f"{owner}-secret", "organization_id": w.organization[owner]}).json["id"]
                  for owner in ("anna", "bob")}
    w.of = {"people": w.person, "organizations": w.organization, "interactions": w.interaction, "opportunities": w.opportunity, "cases": w.case,
            "consents": w.consent}
    w.foreign = {i for kind in w.of.values() for owner, i in kind.items() if owner != "anna"} | {w.org_only["bob"]}
    return w


def pages(who, path):
    """Every row of a list, one a page."""
    found, after = [], ""
    while after is not None:
        r = who.get(f"{path}{'&' if '?' in path else '?'}limit=1{after and '&after=' + after}")
        assert r.status == 200, r
        found += [one["id"] for one in r.json["data"]]
        after = r.json["page"]["next"]
    return found


@pytest.mark.parametrize("resource", ALL)
def test_own_reads(world, resource):
    mine, theirs = world.of[resource]["anna"], [i for owner, i in world.of[resource].items() if owner != "anna"]
    found = pages(world.anna, f"/v1/{resource}")
    assert mine in found and not set(found) & world.foreign
    assert set(pages(world.anna, f"/v1/{resource}?sort=-id")) == set(found)
    assert ids(world.anna.get(f"/v1/{resource}?id={mine}")) == {mine}
    assert world.anna.get(f"/v1/{resource}/{mine}").status == 200
    assert set(theirs) < set(pages(world.root, f"/v1/{resource}"))
    # What is not there and what is not hers are told alike.
    none = world.anna.get(f"/v1/{resource}/{uuid.uuid4()}")
    for other in theirs:
        assert ids(world.anna.get(f"/v1/{resource}?id={other}")) == set()
        r = world.anna.get(f"/v1/{resource}/{other}", headers={"If-None-Match": "*"})
        assert r.status == none.status == 404 and "secret" not in r.body.decode()
        assert re.sub(r"[0-9a-f-]{36}", "", r.body.decode()) == re.sub(r"[0-9a-f-]{36}", "", none.body.decode())


def test_own_filters_find_nothing_of_others(world):
    for path in ("/v1/people?owner=bob", "/v1/people?owner=neq.anna", "/v1/people?owner=is.null", "/v1/people?email=bob-secret@example.org", "/v1/people?owner=in.(bob,tom)",
                 f"/v1/interactions?person_id={world.person['bob']}", f"/v1/people/{world.person['bob']}/consents", "/v1/organizations?external_id=o-bob"):
        assert ids(world.anna.get(path)) == set(), path
    assert ids(world.anna.get(f"/v1/people/{world.person['anna']}/consents")) == {world.consent["anna"]}
    assert world.anna.get(f"/v1/people/{world.person['bob']}/consents/{world.consent['bob']}").status == 404
    # What is about nobody goes with its organization.
    assert world.org_only["anna"] in pages(world.anna, "/v1/interactions")


@pytest.mark.parametrize("resource", ALL)
def test_own_writes(product, world, resource):
    body = {"organizations": {"region": "x"}, "people": {"city": "x"}, "consents": {"source": "x"}, "interactions": {"channel": "x"}, "opportunities": {"product": "x"},
            "cases": {"kind": "x"}}[resource]
    table = {"people": "person", "cases": "support_case", "opportunities": "opportunity"}.get(resource, resource[:-1])
    mine, other = world.of[resource]["anna"], world.of[resource]["bob"]
    assert world.anna.patch(f"/v1/{resource}/{mine}", body, headers={"If-Match": "*"}).status == 200
    before = product.clusters.one("core", f"SELECT to_jsonb(t)::text FROM crm.{table} t WHERE id = %s", (other,))
    for match in ("*", '"v77"'):
        for r in (world.anna.patch(f"/v1/{resource}/{other}", body, headers={"If-Match": match}), world.anna.delete(f"/v1/{resource}/{other}", headers={"If-Match": match})):
            assert r.status == 404 and "current_version" not in r.json, r
    for op in ({"op": "update", "id": other, "data": body}, {"op": "delete", "id": other}):
        for match in ("*", "v77"):
            ops = [{"op": "update", "id": mine, "if_match": "*", "data": body}, dict(op, if_match=match)]
            r = world.anna.post(f"/v1/{resource}/batch", {"ops": ops})
            assert r.status == 404 and "current_version" not in r.json and r.json["index"] == 1, r
            r = world.anna.post(f"/v1/{resource}/batch", {"mode": "each", "ops": ops})
            assert [one["status"] for one in r.json["results"]] == [200, 404] and "secret" not in r.body.decode(), r
    assert product.clusters.one("core", f"SELECT to_jsonb(t)::text FROM crm.{table} t WHERE id = %s", (other,)) == before


def test_what_is_new_is_mine(world):
    for resource, body in (("people", {"given_name": "New"}), ("organizations", {"name": "New"}), ("opportunities", {"name": "New"}), ("cases", {"subject": "New"})):
        assert world.anna.create(f"/v1/{resource}", body).json["owner"] == "anna"
        assert world.anna.create(f"/v1/{resource}", {**body, "owner": None}).json["owner"] == "anna"
        r = world.anna.post(f"/v1/{resource}", {**body, "owner": "bob"})
        assert r.status == 422 and [(e["pointer"], e["code"]) for e in r.json["errors"]] == [("/owner", "out_of_scope")], r
        r = world.anna.post(f"/v1/{resource}/batch", {"ops": [{"op": "create", "data": body}, {"op": "create", "data": {**body, "owner": "anna"}}]})
        assert r.status == 200, r
        for one in r.json["results"]:
            assert world.anna.get(f"/v1/{resource}/{one['id']}").json["owner"] == "anna"
        assert world.anna.post(f"/v1/{resource}/batch", {"ops": [{"op": "create", "data": {**body, "owner": "bob"}}]}).status == 422
    # Whoever sees all sets what he likes, and no owner is made up for him.
    assert world.root.create("/v1/people", {"given_name": "New"}).json["owner"] is None


def test_nothing_leaves_the_scope(world):
    mine = world.person["anna"]
    for owner in ("bob", None, "", "ANNA"):
        r = world.anna.patch(f"/v1/people/{mine}", {"owner": owner}, headers={"If-Match": "*"})
        assert r.status == 422 and r.json["errors"][0]["pointer"] == "/owner", (owner, r)
        r = world.anna.post("/v1/people/batch", {"ops": [{"op": "update", "id": mine, "if_match": "*", "data": {"owner": owner}}]})
        assert r.status == 422, (owner, r)
    assert world.anna.patch(f"/v1/people/{mine}", {"owner": "anna"}, headers={"If-Match": "*"}).status == 200
    # An upsert that meets somebody else's record does not touch it and says nothing of it.
    r = world.anna.post("/v1/people/batch", {"ops": [{"op": "upsert", "match": "external_id", "value": "p-bob", "data": {"city": "taken"}}]})
    assert r.status == 409 and "secret" not in r.body.decode(), r
    assert world.root.get(f"/v1/people/{world.person['bob']}").json["city"] is None
    r = world.anna.post("/v1/people/batch", {"ops": [{"op": "upsert", "match": "external_id", "value": "p-anna", "data": {"city": "Graz"}}]})
    assert r.status == 200 and r.json["results"][0]["id"] == mine, r


def test_children_stay_with_their_person(world):
    """A stranger's person and one that does not exist are refused alike."""
    for person in (world.person["bob"], world.person[None], str(uuid.uuid4())):
        tries = [world.anna.post("/v1/interactions", {"kind": "call", "person_id": person}),
                 world.anna.patch(f"/v1/interactions/{world.interaction['anna']}", {"person_id": person}, headers={"If-Match": "*"}),
                 world.anna.post(f"/v1/people/{person}/consents", {"purpose": "profiling", "state": "granted"}),
                 world.anna.post("/v1/consents", {"purpose": "profiling", "state": "granted", "person_id": person}),
                 world.anna.post("/v1/interactions/batch", {"ops": [{"op": "create", "data": {"kind": "call", "person_id": person}}]}),
                 world.anna.post("/v1/interactions/batch", {"ops": [{"op": "update", "id": world.interaction["anna"], "if_match": "*", "data": {"person_id": person}}]})]
        assert [r.status for r in tries] == [422] * len(tries), tries
    assert world.anna.post("/v1/interactions", {"kind": "call"}).status == 422
    assert world.anna.post("/v1/interactions", {"kind": "call", "person_id": world.person["bob"], "organization_id": world.organization["anna"]}).status == 422
    made = world.anna.create("/v1/interactions", {"kind": "call", "person_id": world.person["anna"]}).json["id"]
    assert world.anna.patch(f"/v1/interactions/{made}", {"person_id": None, "organization_id": world.organization["anna"]}, headers={"If-Match": "*"}).status == 200
    r = world.anna.post("/v1/interactions/batch", {"mode": "each", "ops": [{"op": "create", "data": {"kind": "call", "person_id": world.person[p]}} for p in ("anna", "bob")]})
    assert [one["status"] for one in r.json["results"]] == [201, 422], r
    assert world.anna.delete(f"/v1/interactions/{made}", headers={"If-Match": '"v1"'}).status == 412
    assert world.anna.delete(f"/v1/interactions/{made}", headers={"If-Match": "*"}).status == 204


def test_team(product, world):
    north = {world.person["tina"], world.person["tom"]}
    assert north <= set(pages(world.tina, "/v1/people")) and not set(pages(world.tina, "/v1/people")) & {world.person["anna"], world.person["bob"], world.person[None]}
    assert ids(world.tina.get("/v1/interactions")) == {world.interaction["tina"], world.interaction["tom"]}
    assert world.tina.get(f"/v1/people/{world.person['tom']}").status == 200
    assert world.tina.patch(f"/v1/people/{world.person['tom']}", {"city": "x"}, headers={"If-Match": "*"}).status == 404
    assert world.tina.patch(f"/v1/people/{world.person['tina']}", {"owner": "tom"}, headers={"If-Match": "*"}).status == 422
    assert set(pages(world.uwe, "/v1/people")) == set()
    # Cases have no row in the role: all of them.
    assert {world.case["anna"], world.case["bob"]} <= ids(world.tina.get("/v1/cases?limit=200"))
    join(product, "north", "uwe")
    sees(world.uwe, north)
    product.clusters.rows("core", "DELETE FROM access.membership WHERE principal = %s", (world.uwe.id,))
    sees(world.uwe, set())
    join(product, "north", "uwe")
    sees(world.uwe, north)
    product.clusters.rows("core", "UPDATE access.team SET archived_at = now() WHERE slug = 'north'")
    sees(world.uwe, set())
    product.clusters.rows("core", "UPDATE access.team SET archived_at = NULL WHERE slug = 'north'")
    product.clusters.rows("core", "DELETE FROM access.membership WHERE principal = %s", (world.uwe.id,))
    sees(world.tina, north)


def sees(who, wanted):
    """Within seconds, at every worker."""
    good, deadline = 0, time.monotonic() + 20
    while good < 12:
        assert time.monotonic() < deadline, ids(who.get("/v1/people?limit=200"))
        good = good + 1 if ids(who.get("/v1/people?limit=200")) == wanted else 0


def test_the_widest_role_holds(product, world):
    both = Who(product, "both", "innovator")
    assert ids(both.get("/v1/people")) == set()
    product.clusters.rows("core", "INSERT INTO access.role_grant VALUES (%s, 'agent')", (both.id,))
    sees(both, set(pages(world.root, "/v1/people")))


def test_history_search_and_the_whole_stay_in_scope(world):
    mine, other = world.person["anna"], world.person["bob"]
    assert world.anna.get(f"/v1/people/{mine}/history").status == 200 and world.anna.get(f"/v1/people/{mine}/360").status == 200
    whole = world.anna.get(f"/v1/people/{mine}/360").body.decode()
    assert world.opportunity["anna"] in whole and world.interaction["anna"] in whole
    for r in (world.anna.get(f"/v1/people/{other}/360"), world.anna.get(f"/v1/organizations/{world.organization['bob']}/360"),
              world.anna.get(f"/v1/people/{other}/history"), world.anna.get(f"/v1/people/{other}?as_of=2099-01-01T00:00:00Z"),
              world.anna.post(f"/v1/people/{other}/restore", headers={"If-Match": "*"})):
        assert r.status == 404 or (r.status == 200 and r.json["data"] == []), r
        assert "secret" not in r.body.decode()
    assert other in world.root.get("/v1/search?q=bob-secret").body.decode()
    assert other not in world.anna.get("/v1/search?q=bob-secret").body.decode() and mine in world.anna.get("/v1/search?q=anna-secret").body.decode()
    # An undo could give the record away.
    for who in (mine, other):
        assert world.anna.post(f"/v1/people/{who}/undo", {"version": 2}, headers={"If-Match": "*"}).status == 403


def test_cursors_and_keys_are_not_handed_on(world):
    cursor = world.anna.get("/v1/people?limit=1").json["page"]["next"]
    for who in (world.bob, world.tina, world.root):
        r = who.get(f"/v1/people?limit=1&after={cursor}")
        assert r.status == 400 and r.json["code"] == "bad-cursor", r
    cursor = world.root.get("/v1/people?limit=1").json["page"]["next"]
    assert world.anna.get(f"/v1/people?limit=1&after={cursor}").status == 400
    for path in (f"/v1/people?limit=1&sort=-id&after={cursor}", f"/v1/people?limit=1&owner=bob&after={cursor}", f"/v1/cases?limit=1&after={cursor}"):
        assert world.root.get(path).status == 400, path
    # A key is that of one principal: another one's request with it is a request of its own.
    key = {"Idempotency-Key": str(uuid.uuid4())}
    mine = world.anna.create("/v1/people", {"given_name": "keyed-secret"}, headers=key)
    again = world.anna.create("/v1/people", {"given_name": "keyed-secret"}, headers=key)
    assert again.headers["Idempotency-Replayed"] == "true" and again.json["id"] == mine.json["id"]
    other = world.bob.create("/v1/people", {"given_name": "keyed-secret"}, headers=key)
    assert other.headers["Idempotency-Replayed"] is None and other.json["id"] != mine.json["id"] and other.json["owner"] == "bob"
    r = world.anna.patch(f"/v1/people/{world.person['bob']}", {"city": "x"}, headers={**key, "If-Match": "*"})
    assert r.status == 404


def test_the_copy_shows_no_part(product, world):
    """No owner is copied: who may see a part only sees nothing there."""
    narrow = product.sandbox.get("/v1/people?limit=1", role="innovator")
    assert narrow.status == 403 and "owner" in narrow.json["detail"], narrow
    # The sandbox has no log: core writes down what it tells, and that it was told.
    principal = product.sandbox.get("/v1/me", role="innovator").json["principal"]
    noted(product, "actor = %s AND after->>'reason' = 'scope' AND after->>'route' = 'copy.list' AND after->>'via' ="
                   " (SELECT id::text FROM access.principal WHERE name = 'sandbox')", (principal,))
    for body in ('{"a":1}', "[1]", "x", "[" + ",".join(["{}"] * 257) + "]", '[{"actor":"not an id"}]', '[{"count":"x","actor":null}]'):
        assert product.core.post("/v1/access/refusals", body, role="service").status in (400, 413, 422), body
    assert product.core.post("/v1/access/refusals", [], role="service").json == {"written": 0}
    assert product.sandbox.get("/v1/people?limit=1", role="agent").status == 200


# ---- looks behind a pseudonym


def last_event(product, op, actor):
    rows = product.clusters.rows("core", "SELECT resource, record_id::text, after FROM event.log WHERE op = %s AND actor = %s ORDER BY seq DESC LIMIT 1", (op, actor))
    return rows[0] if rows else None


def test_resolve(product, world):
    def pseudonym(owner):
        return product.clusters.one("core", "SELECT pseudonym::text FROM crm.person WHERE id = %s", (world.person[owner],))
    ask = {"pseudonym": pseudonym("bob"), "reason": "complaint 4711"}
    r = world.root.post("/v1/people/resolve", ask)
    assert r.status == 200 and r.json == {"id": world.person["bob"]}, r
    assert last_event(product, "people.resolve", world.root.id) == ("people", world.person["bob"], {"reason": "complaint 4711", "found": True})
    for body in ({**ask, "pseudonym": str(uuid.uuid4())},):
        assert world.root.post("/v1/people/resolve", body).status == 404
        assert last_event(product, "people.resolve", world.root.id) == ("people", None, {"reason": "complaint 4711", "found": False})
    # Out of scope is not there; the look is kept all the same.
    assert world.anna.post("/v1/people/resolve", ask).status == 404
    assert last_event(product, "people.resolve", world.anna.id) == ("people", None, {"reason": "complaint 4711", "found": False})
    assert world.anna.post("/v1/people/resolve", {**ask, "pseudonym": pseudonym("anna")}).json == {"id": world.person["anna"]}
    assert world.tina.post("/v1/people/resolve", {**ask, "pseudonym": pseudonym("tom")}).json == {"id": world.person["tom"]}
    for body in ({"pseudonym": ask["pseudonym"]}, {**ask, "reason": "  "}, {**ask, "reason": "x" * 501}, {**ask, "pseudonym": "x"}, {**ask, "more": 1}, {"reason": "why"}, [], "x"):
        r = world.root.post("/v1/people/resolve", json.dumps(body))
        assert r.status in (400, 422), (body, r)
    assert product.core.post("/v1/people/resolve", ask, role="operator").status == 403
    assert "pseudonym" not in str(product.clusters.rows("core", "SELECT after FROM event.log WHERE op = 'people.resolve'"))


# ---- refusals in the log


def noted(product, where, args, seconds=20):
    product.clusters.wait("core", f"SELECT count(*) > 0 FROM event.log WHERE op = 'access.refused' AND {where}", args, seconds)


def test_refusals_are_kept(product, world, core):
    eve = Who(product, "eve", "operator")
    for _ in range(25):
        assert eve.post("/v1/people", {"given_name": "x"}).status == 403
    assert eve.get("/v1/people?fields=email").status == 403
    assert world.bob.get(f"/v1/people/{world.person['anna']}").status == 404
    route = "actor = %s AND after->>'route' = %s AND after->>'reason' = %s"
    noted(product, route, (eve.id, "record.create", "right"))
    noted(product, route, (eve.id, "record.list", "class"))
    noted(product, route, (world.bob.id, "record.get", "scope"))
    product.clusters.wait("core", "SELECT sum((after->>'count')::int) = 25 FROM event.log WHERE op = 'access.refused' AND " + route, (eve.id, "record.create", "right"), 20)
    # Many refusals are few rows: one a worker and time of writing.
    assert product.clusters.one("core", "SELECT count(*) FROM event.log WHERE op = 'access.refused' AND actor = %s", (eve.id,)) <= 12
    request = eve.delete(f"/v1/people/{uuid.uuid4()}", headers={"If-Match": "*"}).headers["Request-Id"]
    noted(product, "request_id = %s", (request,))
    # A token that was ours is worth a row; one that never was is not.
    product.clusters.rows("core", "UPDATE access.token SET revoked_at = now() WHERE principal = %s", (eve.id,))
    deadline = time.monotonic() + 20
    while eve.get("/v1/me").status != 401:
        assert time.monotonic() < deadline
    noted(product, "actor = 'unknown' AND after->>'token_of' = %s AND after->>'reason' = 'unknown'", (eve.id,))
    made_up = "bm_core_" + "Q" * 43
    assert core.get("/v1/me", token=made_up).status == 401
    assert eve.get("/v1/feed").status == 401
    noted(product, "actor = 'unknown' AND after->>'route' = 'feed.get'", ())
    assert product.clusters.one("core", "SELECT count(*) FROM event.log WHERE after->>'token' = %s", (made_up[:16],)) == 0
    assert eve.token[16:] not in str(product.clusters.rows("core", "SELECT after::text FROM event.log WHERE op = 'access.refused'"))
    assert core.metric("access_refusals_total") > 25


def test_injection_reaches_neither_headers_nor_log(product, world, core):
    """Bytes that end a line are refused or escaped, wherever they are put."""
    evil = "x\r\nSet-Cookie: a=b\r\n{\"level\":\"error\",\"event\":\"forged\"}"
    for r in (world.root.get("/v1/people?sort=" + "x%0d%0aSet-Cookie:%20a=b"), world.root.get("/v1/people/%0d%0aSet-Cookie:a=b"), world.root.get("/v1/nothing%0aforged?x=%0d%0a"),
              world.root.post("/v1/people", {"given_name": evil, "owner": evil}), world.root.post("/v1/people", {"given_name": "x"}, headers={"Idempotency-Key": "a\tb"}),
              world.root.post("/v1/people", {evil: 1})):
        assert r.headers["Set-Cookie"] is None
        assert r.status in (201, 400, 404, 422), r
    for line in core.log.read_text().splitlines():
        if line:
            assert json.loads(line).get("event") != "forged"


# ---- rate limits


def limits_of(r):
    policy = re.fullmatch(r'"([a-z_]+)";q=(\d+);w=(\d+)', r.headers["RateLimit-Policy"])
    now = re.fullmatch(r'"([a-z_]+)";r=(\d+);t=(\d+)', r.headers["RateLimit"])
    assert policy and now and policy[1] == now[1], dict(r.headers)
    return policy[1], int(policy[2]), int(policy[3]), int(now[2]), int(now[3])


def refused_for(r, policy):
    assert r.status == 429, r
    assert r.json["type"] == "https://iana.org/assignments/http-problem-types#quota-exceeded" and r.json["violated-policies"] == [policy]
    assert r.json["retryable"] is True and 1 <= int(r.headers["Retry-After"]) <= WINDOW
    assert limits_of(r)[0] == policy


def test_limits_are_told_and_kept_over_all_workers(product):
    lea = Who(product, "lea", "innovator")
    name, quota, window, left, reset = limits_of(lea.get("/v1/people?limit=1"))
    assert (name, quota, window) == ("innovator", QUOTA, WINDOW) and 0 < left < QUOTA and 0 < reset <= WINDOW
    # Errors carry them too; each request costs one, whichever worker it meets.
    seen = [limits_of(lea.get(f"/v1/people/{uuid.uuid4()}"))[3] for _ in range(20)]
    assert seen[0] - seen[-1] <= 19 and seen[0] - seen[-1] >= 10, seen
    assert all(b <= a + 8 for a, b in zip(seen, seen[1:])), seen
    # A batch costs its rows.
    ops = [{"op": "create", "data": {"given_name": f"b{i}"}} for i in range(200)]
    r = lea.post("/v1/people/batch", {"ops": ops})
    assert r.status == 200 and limits_of(r)[3] <= seen[-1] - 150, (seen, dict(r.headers))
    before = product.clusters.one("core", "SELECT count(*) FROM crm.person WHERE owner = 'lea'")
    r = lea.post("/v1/people/batch", {"ops": ops})
    refused_for(r, "innovator")
    assert product.clusters.one("core", "SELECT count(*) FROM crm.person WHERE owner = 'lea'") == before == 200
    # Others are not in its way, and what is left can be used.
    assert lea.get("/v1/me").status == 200
    assert product.core.get("/v1/me").status == 200 and limits_of(product.core.get("/v1/me"))[0] == "agent"
    noted(product, "actor = %s AND after->>'reason' = 'rate'", (lea.id,))


def test_limit_holds_under_load(product):
    """Many at once, over both workers: not one more than the quota gets through."""
    sue = Who(product, "sue", "innovator")
    product.clusters.rows("core", "DELETE FROM access.role_grant WHERE principal = %s", (sue.id,))
    deadline, known = time.monotonic() + 20, 0
    # One answer is that of one worker: so many in a row are of both.
    while known < 12:
        known = known + 1 if sue.get("/v1/me").status != 200 else 0
        assert time.monotonic() < deadline
    # Now the quota of 30 in 60 s for those without a role holds; what was used before weighs heavier in it.
    got = []

    def run():
        for _ in range(20):
            got.append(sue.get("/v1/me").status)
    threads = [threading.Thread(target=run) for _ in range(4)]
    began = time.monotonic()
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert got.count(403) <= 30 + (time.monotonic() - began) / 2 + 2 and got.count(403) + got.count(429) == 80, got


def test_strangers_are_limited_by_address_and_health_is_not(product, core):
    got = [core.get("/v1/me", role=None) for _ in range(90)]
    assert {r.status for r in got} == {401, 429}
    refused_for(next(r for r in got if r.status == 429), "address")
    assert all(core.get(path, role=None).status == 200 for path in ("/healthz", "/readyz", "/metrics"))
    assert core.get("/v1/me").status == 200
    assert core.metric("access_limited_total") >= 1


def from_address(core, address, data):
    """The reply to bytes sent from this address."""
    with Spoken(socket.create_connection(("127.0.0.1", core.port), timeout=30, source_address=(address, 0)), core) as s:
        s.sendall(data)
        got = b""
        while chunk := s.recv(65536):
            got += chunk
    (answer,) = answers(got)
    return answer


def reads(core):
    """Statements of the workers' short reads so far."""
    lines = core.get("/metrics", role=None).body.decode().splitlines()
    return sum(float(x.rsplit(" ", 1)[1]) for x in lines if x.startswith('postgres_query_seconds_count{pool="core/app",lane="read"}'))


def test_a_session_that_nobody_knows_is_paid_for_before_it_is_looked_up(core):
    """Past the quota of its address a made-up cookie costs no statement."""
    began, before, got = time.monotonic(), reads(core), []
    for i in range(400):
        head = f"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: bimodal={i:043}\r\n\r\n"
        got.append(from_address(core, "127.0.9.9", head.encode()).status)
    asked, waited = reads(core) - before, time.monotonic() - began
    assert set(got) == {401, 429} and got.count(429) > 200, got
    # What the workers ask by themselves goes on meanwhile: a few a second.
    assert asked < got.count(401) + 100 + 10 * waited and asked < 400, (asked, got.count(401), waited)


def test_replies_before_a_route_is_met_are_paid_for_too(world, core):
    """No route, no such method, malformed, too large: on the account of the token, else of the address; and they end with the quota."""
    def ask(line, headers="", token=None, address="127.0.9.10"):
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        return from_address(core, address, f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{bearer}{headers}\r\n".encode())

    def policy(answer):
        return limits_of(SimpleNamespace(headers={"RateLimit-Policy": answer.headers["ratelimit-policy"], "RateLimit": answer.headers["ratelimit"]}))

    large = "Content-Type: application/json\r\nContent-Length: 99999999\r\n"
    rows = [("GET /nowhere", "", 404), ("PUT /v1/people", "", 405), ("OPTIONS /v1/people", "", 204), ("POST /v1/people", large, 413), ("GET /v1/%zz", "", 400)]
    left = []
    for line, headers, status in rows:
        for token, name in ((None, "address"), (world.root.token, "agent"), ("bm_core_" + "Q" * 43, "address")):
            answer = ask(line, headers, token)
            assert answer.status == status and policy(answer)[0] == name, (line, answer)
            if name == "address":
                left.append(policy(answer)[3])
    broken = ask("GET /v1/people", "X : y\r\n", world.root.token)
    assert broken.status == 400 and policy(broken)[0] == "address"    # a head that cannot be read names nobody
    assert left[0] > left[-1] >= 0, left
    got = [ask("GET /nowhere") for _ in range(80)]
    assert {a.status for a in got} == {404, 429}
    refused = next(a for a in got if a.status == 429)
    assert refused.json["violated-policies"] == ["address"] and 1 <= int(refused.headers["retry-after"]) <= WINDOW and policy(refused)[3] == 0, refused
    assert ask("GET /nowhere", token=world.root.token).status == 404 and ask("GET /nowhere", address="127.0.9.11").status == 404


# ---- explain


def explain(who, principal, method, path, token=None):
    asked = {"principal": principal, "method": method, "path": path, **({"token": token} if token else {})}
    return who.get("/v1/access/explain?" + urllib.parse.urlencode(asked))


def test_explain(product, world, core):
    op = Who(product, "olga", "operator")
    some = f"/v1/people/{uuid.uuid4()}"
    r = explain(op, "anna", "PATCH", some)
    assert r.status == 200, r
    assert r.json["allowed"] is True and r.json["route"]["right"] == "people.write" and r.json["roles"] == [{"role": "innovator", "grants": "people.write"}]
    assert r.json["scope"] == {"read": "own", "write": "own"} and r.json["limit"]["quota"] == QUOTA and r.json["principal"]["id"] == world.anna.id
    assert explain(op, "tina", "GET", "/v1/interactions").json["scope"] == {"read": "team", "write": "own"}
    assert explain(op, "tina", "GET", some).json["principal"]["teams"] == ["north"]
    r = explain(op, "olga", "POST", "/v1/people")
    assert r.json["allowed"] is False and r.json["why"] == "no role of the principal grants the right" and r.json["roles"] == [{"role": "operator", "grants": None}]
    assert explain(op, "olga", "GET", "/v1/people").json["roles"] == [{"role": "operator", "grants": "*.read"}]
    assert explain(op, "olga", "GET", "/healthz").json["allowed"] is True
    assert explain(op, "olga", "GET", "/nowhere").json["allowed"] is False
    assert explain(op, "nobody here", "GET", "/v1/people").status == 404
    # With a token: what its scopes leave of the roles.
    product.clusters.rows("core", "UPDATE access.token SET scopes = '{people.read}' WHERE principal = %s", (world.bob.id,))
    assert explain(op, "bob", "GET", some, world.bob.token[:16]).json["allowed"] is True
    r = explain(op, "bob", "PATCH", some, world.bob.token[:16])
    assert r.json["allowed"] is False and "scopes of the token" in r.json["why"] and r.json["principal"]["tokens"][0]["scopes"] == ["people.read"], r
    assert explain(op, "bob", "PATCH", some).json["allowed"] is True
    assert explain(op, "bob", "GET", some, world.anna.token[:16]).json["why"] == "the principal has no such live token"
    product.clusters.rows("core", "UPDATE access.token SET scopes = NULL WHERE principal = %s", (world.bob.id,))
    for bad in (("", "GET", "/v1/people"), ("anna", "LOOK", "/v1/people"), ("anna", "GET", "people")):
        assert explain(op, *bad).status == 400, bad
    # It agrees with what happens.
    for who in (world.anna, world.tina, op):
        for method, path, body in (("GET", "/v1/people?limit=1", None), ("POST", "/v1/people", {"nothing": 1}), ("GET", "/v1/feed", None), ("GET", "/v1/ledger", None)):
            told = explain(op, who.name, method, path.split("?")[0]).json["allowed"]
            assert told == (core.request(method, path, body, token=who.token).status not in (401, 403)), (who.name, method, path)
    # Of himself everybody may know; of others only who has the right.
    assert explain(world.anna, "anna", "GET", "/v1/people").status == 200 and explain(world.anna, world.anna.id, "GET", "/v1/people").status == 200
    assert explain(world.anna, "bob", "GET", "/v1/people").status == 403
    product.clusters.rows("core", "UPDATE access.principal SET disabled_at = now() WHERE name = 'uwe'")
    r = explain(op, "uwe", "GET", "/v1/people")
    assert r.json["why"] == "the principal is disabled" and r.json["allowed"] is False, r
    token_file = product.secret("olga-token", op.token)
    done = traced.bimodal(product, "--core", f"http://127.0.0.1:{core.port}", "--token-file", token_file, "access", "explain", "anna", f"PATCH {some}")
    assert done.returncode == 0 and "allowed: a role grants the right" in done.stdout and "people.write" in done.stdout and "own" in done.stdout, done.stdout + done.stderr
    done = traced.bimodal(product, "--core", f"http://127.0.0.1:{core.port}", "--token-file", token_file, "access", "explain", "olga", "POST /v1/people")
    assert done.returncode == 3 and done.stdout.startswith("refused: "), done.stdout + done.stderr
