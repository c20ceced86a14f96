"""What changes, told as it happens: who hears of what, order and resume, limits, clients that are slow, frozen or many, and every way a stream ends.

One product with narrower roles than the delivered ones (innovators see what they own, product owners what their team owns) and small limits."""
import datetime
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import threading
import time
import uuid

import pytest
import traced
from clusters import ROOT
from product import BUILD, ROLES, Product
from streams import LIMIT, Stream

STREAMS, EACH, REPLAY = 20, 6, 60
RECORDS = ("organizations", "people", "consents", "interactions", "opportunities", "cases")
OFF = {"unit": "person", "variations": [{"key": "on", "value": True}, {"key": "off", "value": False}], "rules": [], "default": "off"}
PASSWORD = "a quiet harbour at 6 in the morning"


def roles_text():
    text = (ROOT / "config" / "roles.yaml").read_text()
    rights = ", ".join(f"{r}.{v}" for r in RECORDS for v in ("read", "write")) + ", people.resolve, me.read, live.read"
    for role, more, scopes in (("innovator", "", '{ "*": { read: own } }'),
                               ("product_owner", ', "*.read", flag.write, flag.toggle, change.create, me.write', '{ "*": { read: team, write: own } }')):
        narrow = (f"  {role}:\n    rights: [{rights}{more}]\n    read: [open, internal, personal]\n    write: [open, internal, personal]\n"
                  f"    scopes: {scopes}\n")
        text, n = re.subn(rf"^  {role}:\n(?:    .*\n|\n)+?(?=  #|  \w|\Z)", narrow, text, flags=re.M)
        assert n == 1, role
    return text


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    path = tmp_path_factory.mktemp("roles")
    path.chmod(0o755)
    (path / "roles.yaml").write_text(roles_text())
    p = Product()
    for name in ("core", "sandbox"):
        p.overrides[name] = f'access: {{ roles_file: "{path}/roles.yaml" }}\n'
    p.overrides["core"] += (f"live: {{ period: 50ms, heartbeat: 1s, streams: {STREAMS}, per_principal: {EACH}, replay: {REPLAY}, buffer: 16KiB }}\n"
                            "notices: { period: 50ms }\n")
    p.start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


class Who:
    """A principal of its own, by its token."""

    def __init__(self, product, role, name=None):
        self.product, self.name = product, name or f"{role}-{uuid.uuid4().hex[:6]}"
        self.token = product.core.command("--create-token", f"{self.name}:{role}:core").strip()
        self.id = product.clusters.one("core", "SELECT id::text FROM access.principal WHERE name = %s", (self.name,))
        good, deadline = 0, time.monotonic() + LIMIT
        while good < 12:
            assert time.monotonic() < deadline, f"{self.name} is not known"
            good = good + 1 if self.get("/v1/me").status == 200 else 0

    def __getattr__(self, method):
        def call(path, *args, **kw):
            return getattr(self.product.core, method)(path, *args, token=self.token, **kw)
        return call

    def stream(self, **kw):
        s = Stream(self.product.core, token=self.token, **kw)
        assert s.status == 200, s.head + str(s.bytes)
        return s

    def token_id(self):
        return self.product.clusters.one("core", "SELECT id::text FROM access.token WHERE principal = %s AND revoked_at IS NULL", (self.id,))


def eventually(look, seconds=LIMIT):
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, look
        time.sleep(0.05)


def made(who, resource, body):
    r = who.post(f"/v1/{resource}", body)
    assert r.status == 201, r
    return r.json["id"]


def no_streams(core):
    eventually(lambda: core.metric("bimodal_live_streams") == 0)


@pytest.fixture(scope="module")
def agent(product):
    return Who(product, "agent", "live-agent")


def test_what_changes_is_told(core, agent):
    before = core.metric("bimodal_live_events_total")
    with agent.stream() as s:
        assert "Content-Type: text/event-stream\r\n" in s.head and "Connection: close\r\n" in s.head and "Cache-Control: no-store\r\n" in s.head
        assert "Content-Length" not in s.head and "Transfer-Encoding" not in s.head
        first = s.next()
        assert first.name == "ready" and first.data == {"resumed": False} and 1000 <= s.retry < 2000
        person = made(agent, "people", {"given_name": "Told", "email": "told@example.org"})
        assert s.next().data == {"resource": "people", "id": person, "op": "create", "version": 1}
        assert agent.patch(f"/v1/people/{person}", {"city": "Graz"}, headers={"If-Match": "*"}).status == 200
        assert s.next().data == {"resource": "people", "id": person, "op": "update", "version": 2}
        assert agent.delete(f"/v1/people/{person}", headers={"If-Match": "*"}).status == 204
        assert s.next().data == {"resource": "people", "id": person, "op": "gone"}
        # Nothing of a record's values comes down, whatever the client may read.
        assert b"Told" not in s.bytes and core.metric("bimodal_live_events_total") >= before + 3
        eventually(lambda: (s.more(0.1), s.parse(), s.comments)[2] >= 2)
    no_streams(core)


def test_rights_and_scopes(product, core, agent):
    """Each hears of what a get would show, and of nothing else: not an id, not a version, not a number of events."""
    anna, bob, tina = Who(product, "innovator", "l-anna"), Who(product, "innovator", "l-bob"), Who(product, "product_owner", "l-tina")
    tom = Who(product, "product_owner", "l-tom")
    product.clusters.rows("core", "INSERT INTO access.team (name, slug) VALUES ('live', 'live')")
    product.clusters.rows("core", "INSERT INTO access.membership (principal, team) SELECT p, t.id FROM access.team t, unnest(%s::uuid[]) p WHERE t.slug = 'live'",
                          ([tina.id, tom.id],))
    mark = made(agent, "people", {"given_name": "Mark", "owner": "l-tom"})
    eventually(lambda: all(tina.get(f"/v1/people/{mark}").status == 200 for _ in range(8)))
    streams = {w.name: w.stream() for w in (anna, bob, tina)}
    streams["all"], streams["operator"], streams["service"] = agent.stream(), Stream(core, role="operator"), Stream(core, role="service")
    for s in streams.values():
        s.next("ready")
    made_of = {}
    for owner in ("l-anna", "l-bob", "l-tom", None):
        person = made(agent, "people", {"given_name": "Scoped", "owner": owner})
        case = made(agent, "cases", {"subject": "Scoped", "owner": owner})
        # These follow their person: no owner of their own.
        call = made(agent, "interactions", {"kind": "call", "person_id": person})
        consent = made(agent, f"people/{person}/consents", {"purpose": "marketing", "state": "granted"})
        made_of[owner] = [person, case, call, consent]
    # Handed over when all that was has been told (who follows a person, is told by who owns it then), and then the last sign for everybody.
    lasts = {"l-anna": "l-anna", "l-bob": "l-bob", "l-tina": "l-tom", "all": None, "operator": None}
    heard = {name: streams[name].take(lambda e, o=owner: e.data.get("id") == made_of[o][3]) for name, owner in lasts.items()}
    moved = made_of["l-anna"][0]
    assert agent.patch(f"/v1/people/{moved}", {"owner": "l-bob"}, headers={"If-Match": "*"}).status == 200
    last = {owner: made(agent, "organizations", {"name": "Last", "owner": owner}) for owner in ("l-anna", "l-bob", "l-tom", None)}
    for name, owner in lasts.items():
        heard[name] += streams[name].take(lambda e, o=owner: e.data.get("id") == last[o])

    def told(name):
        return {(e.data["resource"], e.data["id"]) for e in heard[name] if e.name == "record" and e.data["resource"] in RECORDS}

    def of(*owners):
        return {(r, i) for o in owners for r, i in zip(("people", "cases", "interactions", "consents"), made_of[o])} | {("organizations", last[o]) for o in owners}

    assert told("l-anna") == of("l-anna")
    assert told("l-bob") == of("l-bob") | {("people", moved)}
    assert told("l-tina") == of("l-tom")
    assert told("all") >= of("l-anna", "l-bob", "l-tom", None) and told("operator") == told("all")
    version = agent.get(f"/v1/people/{moved}").json["version"]
    assert [e.data for e in heard["l-anna"] if e.data["id"] == moved][-1] == {"resource": "people", "id": moved, "op": "gone"}
    assert [e.data for e in heard["l-bob"] if e.data["id"] == moved][-1] == {"resource": "people", "id": moved, "op": "update", "version": version}
    # A machine reads no records.
    streams["service"].more(0)
    streams["service"].parse()
    assert [e for e in streams["service"].events if e.name != "feed"] == []
    # What somebody may see grows and shrinks while he listens.
    product.clusters.rows("core", "DELETE FROM access.membership WHERE principal = %s", (tom.id,))
    eventually(lambda: all(tina.get(f"/v1/people/{mark}").status == 404 for _ in range(8)))
    for owner in ("l-tom", "l-tina"):
        last[owner] = made(agent, "organizations", {"name": "After", "owner": owner})
    after = [e.data["id"] for e in streams["l-tina"].take(lambda e: e.data["id"] == last["l-tina"])]
    assert last["l-tom"] not in after
    for s in streams.values():
        s.close()


# ---- what else is told

def flag(who):
    """One of the principal product_owner's."""
    key = f"live-{uuid.uuid4().hex[:8]}"
    r = who.post("/v1/flags", {"key": key, "kind": "release", "purpose": "live", "business_owner": "product_owner", "technical_owner": "innovator", "enabled": True,
                               "expires_at": "2099-01-01T00:00:00Z", "document": OFF})
    assert r.status == 201, r
    return key, r.json["revision"]


@pytest.fixture(scope="module")
def bea(product):
    return Who(product, "product_owner", "live-bea")


def test_flags_changes_and_people(product, core, agent, bea):
    with bea.stream() as s, Stream(core, role="service") as machine, agent.stream() as other:
        for one in (s, machine, other):
            one.next("ready")
        key, revision = flag(bea)
        assert s.next("flag").data == {"key": key, "revision": revision} == machine.next("flag").data
        r = bea.post("/v1/changes", {"kind": "schema", "title": "live", "why": "live", "business_owner": "product_owner", "technical_owner": "innovator",
                                     "up": "ALTER TABLE crm.person ADD COLUMN live text;", "down": "ALTER TABLE crm.person DROP COLUMN live;"})
        assert r.status == 201, r
        told = s.next("change").data
        assert told["id"] == r.json["id"] and told["state"] in ("draft", "checked"), told
        assert machine.next("change").data == told
        r = core.post("/v1/users", {"name": f"live-{uuid.uuid4().hex[:8]}", "roles": ["agent"]}, role="operator")
        assert r.status == 201, r
        assert s.take(lambda e: e.data.get("id") == r.json["id"])[-1].data["resource"] == "users"
        # Others hear nothing of it: the next that they are told is what they may see.
        seen = made(agent, "cases", {"subject": "after all that"})
        assert {(e.name, e.data["resource"] in RECORDS) for e in other.take(lambda e: e.data.get("id") == seen)} == {("record", True)}
        key, revision = flag(bea)
        assert {e.name for e in machine.take(lambda e: e.data.get("key") == key)} <= {"flag", "change"}


def test_my_notices_and_nobody_elses(core, bea):
    def unread():
        return core.get("/v1/notices?state=unread", role="product_owner").json["data"]

    with Stream(core, role="product_owner") as s, Stream(core, role="product_owner") as tab, bea.stream() as other:
        for one in (s, tab, other):
            one.next("ready")
        key, _ = flag(bea)
        assert bea.post(f"/v1/flags/{key}/kill").status == 200
        told = s.take(lambda e: e.data.get("kind") == "flag.killed")[-1].data
        assert told["op"] == "new" and told["id"] in [n["id"] for n in unread()]
        # Read in one tab, told in the other.
        assert core.post(f"/v1/notices/{told['id']}/read", role="product_owner").status in (200, 204)
        # In either order: a tab that hears of both in one look is told what the log says before what was made of it.
        both = [told, {"id": told["id"], "kind": None, "op": "read"}]
        while both:
            both.remove(tab.take(lambda e: e.data in both)[-1].data)
        last = tab.last
        key, _ = flag(bea)
        assert told["id"] not in {e.data.get("id") for e in other.take(lambda e: e.data.get("key") == key)}
    # A notice is not lost to who was away when it came.
    assert bea.post(f"/v1/flags/{key}/kill").status == 200
    eventually(lambda: [n for n in unread() if key in n["title"]])
    with Stream(core, role="product_owner", last=last) as s:
        assert s.next().data == {"resumed": True}
        assert s.take(lambda e: e.data.get("kind") == "flag.killed")[-1].data["op"] == "new"


def test_a_task_that_ended_is_told(product, core):
    def note(op):
        product.clusters.rows("core", "SELECT set_config('bimodal.actor', 'system:test', false), event.note('drift', NULL, %s, '{}')", (op,))

    # Tasks are for people.
    product.clusters.rows("core", "UPDATE access.principal SET kind = 'user' WHERE name = 'operator'")
    with Stream(core, role="operator") as s:
        s.next("ready")
        note("drift.found")
        told = s.take(lambda e: e.data.get("kind") == "drift.found")
        assert {"found": True} in [e.data for e in told if e.name == "drift"] and told[-1].data["op"] == "new"
        note("drift.gone")
        assert s.take(lambda e: e.data == {**told[-1].data, "op": "done"})


# ---- order and resume

def test_who_comes_back_misses_nothing_and_hears_nothing_twice(agent):
    n = 50
    wanted = []

    def write():
        for i in range(n):
            wanted.append(made(agent, "opportunities", {"name": f"deal {i}"}))

    got, last = [], None
    with agent.stream() as s:
        s.next("ready")
        last = s.last
    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(got) < n:
            with agent.stream(last=last) as s:
                assert s.next().data == {"resumed": True}
                for _ in range(min(7, n - len(got))):
                    # The id of what has been used, not of what has arrived.
                    while (e := s.next("record")).data["resource"] != "opportunities":
                        pass
                    got.append(e.data["id"])
                    last = e.id
    finally:
        writer.join()
    assert got == wanted
    with agent.stream(last=last) as s:
        assert s.next().name == "ready"
        one = made(agent, "opportunities", {"name": "the next"})
        assert [e.data["id"] for e in s.take(lambda e: e.data.get("id") == one) if e.data["resource"] == "opportunities"] == [one]


def test_a_commit_that_comes_late_is_not_skipped(product, agent):
    late = product.clusters.connect("core", autocommit=False)
    try:
        with agent.stream() as s:
            s.next("ready")
            with late.cursor() as c:
                c.execute("SELECT set_config('bimodal.actor', 'system:test', true)")
                c.execute("INSERT INTO crm.organization (name) VALUES ('late') RETURNING id::text")
                first = c.fetchone()[0]
            second = made(agent, "organizations", {"name": "early"})
            # It has been committed, and waits for the one that began before.
            s.more(0.5)
            s.parse()
            assert not {first, second} & {e.data.get("id") for e in s.events}
            late.commit()
            assert [e.data["id"] for e in s.take(lambda e: e.data.get("id") == second) if e.data["id"] in (first, second)] == [first, second]
    finally:
        late.close()


def many(agent, n, resource="organizations"):
    r = agent.post(f"/v1/{resource}/batch", {"ops": [{"op": "create", "data": {"name": "many"}} for _ in range(n)]})
    assert r.status == 200, r


def test_too_many_to_name(agent):
    with agent.stream() as s:
        s.next("ready")
        last = s.last
        many(agent, 100)
        assert s.take(lambda e: e.data.get("id") is None)[-1].data == {"resource": "organizations", "id": None, "op": "many"}
        one = made(agent, "people", {"given_name": "One"})
        assert s.hears(one)
    with agent.stream(last=last) as s:
        assert s.next().data == {"reason": "too-old"}
        assert s.last != last
        one = made(agent, "people", {"given_name": "One"})
        assert s.hears(one)


@pytest.mark.parametrize("last", ["x", "0", "-", "1.2", "1.2-3", "1.2-3.4-5", "-1.0-1.0", "1.2-3.x", "99999999999999999999.1-1.1", "1e3.0-1.0", " 1 . 2 - 3 . 4 ", "0x1.1-1.1",
                                  "9223372036854775807.9223372036854775807-1.1", "1.1-9223372036854775807.1", "\xff\xfe.1-1.1", "%00", "';--", "9" * 8000, ".-."])
def test_ids_that_are_none(agent, last):
    with agent.stream(last=last) as s:
        e = s.next()
        assert e.name == "reset" and e.data == {"reason": "unknown"}, e
        one = made(agent, "cases", {"subject": "after"})
        assert s.hears(one)


def test_from_the_beginning_is_too_old(agent):
    with agent.stream(last="0.0-0.0") as s:
        assert s.next().data["reason"] in ("too-old", "many")


# ---- requests that are none

def new_token(who, **more):
    day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return who.post("/v1/tokens", {"audience": "core", "expires_at": day, **more})


def test_what_is_refused(core, agent):
    r = agent.get("/v1/live", headers={"Accept": "application/json"})
    assert r.status == 406 and r.json["code"] == "not-acceptable", r
    for accept in ("text/html, application/json;q=0.9", "text/event-stream;q=0", ""):
        assert agent.get("/v1/live", headers={"Accept": accept}).status == 406, accept
    for accept in ("text/*", "*/*;q=0.1", "application/json, text/event-stream ; q=0.5"):
        assert agent.get("/v1/live", headers={"Accept": accept}).status == 200, accept
    r = agent.request("HEAD", "/v1/live")
    assert r.status == 405 and r.headers["Allow"] == "GET"
    assert agent.get("/v1/live?since=1").status == 400
    assert core.get("/v1/live", role=None).status == 401
    # A token that is narrowed needs the right too.
    r = new_token(agent, scopes=["people.read"])
    assert r.status == 201, r
    narrow = r.json["token"]
    eventually(lambda: all(core.get("/v1/live", token=narrow).status == 403 for _ in range(8)))
    no_streams(core)


def test_a_narrowed_token_hears_less(core, agent):
    r = new_token(agent, scopes=["people.read", "live.read", "me.read"])
    assert r.status == 201, r
    narrow = r.json["token"]
    eventually(lambda: all(core.get("/v1/me", token=narrow).status == 200 for _ in range(8)))
    with Stream(core, token=narrow) as s:
        s.next("ready")
        made(agent, "cases", {"subject": "not for it"})
        one = made(agent, "people", {"given_name": "For it"})
        assert {e.data["resource"] for e in s.take(lambda e: e.data.get("id") == one)} == {"people"}


# ---- ends

def end_of(s):
    """The last word of a stream that is closed for its client."""
    e = s.next("end")
    assert s.ended() == []
    return e.data["reason"]


def test_a_token_that_is_revoked(core, agent):
    r = new_token(agent)
    assert r.status == 201, r
    eventually(lambda: all(core.get("/v1/me", token=r.json["token"]).status == 200 for _ in range(8)))
    streams = [Stream(core, token=r.json["token"]) for _ in range(4)]
    with agent.stream() as mine:
        for s in (*streams, mine):
            s.next("ready")
        assert agent.delete(f"/v1/tokens/{r.json['id']}").status in (200, 204)
        assert {end_of(s) for s in streams} == {"revoked"}
        one = made(agent, "cases", {"subject": "still here"})
        assert mine.hears(one)
    for s in streams:
        s.close()


def test_a_token_that_expires(product, core):
    eve = Who(product, "agent")
    product.clusters.rows("core", "UPDATE access.token SET expires_at = now() + interval '3 seconds' WHERE principal = %s", (eve.id,))
    with Stream(core, token=eve.token) as s:
        if s.status == 200:
            assert s.next("ready").name == "ready" and end_of(s) in ("expired", "revoked")
    eventually(lambda: all(core.get("/v1/live", token=eve.token).status == 401 for _ in range(8)))


def test_a_user_who_is_disabled_or_loses_a_role(product, core, agent):
    eve = Who(product, "agent")
    with eve.stream() as s:
        s.next("ready")
        product.clusters.rows("core", "UPDATE access.role_grant SET role = 'service' WHERE principal = %s", (eve.id,))
        eventually(lambda: all(eve.get("/v1/people?limit=1").status == 403 for _ in range(8)))
        hidden = made(agent, "people", {"given_name": "Not for her"})
        key, _ = flag(Who(product, "product_owner"))
        assert hidden not in [e.data.get("id") for e in s.take(lambda e: e.data.get("key") == key)]
        assert core.post(f"/v1/users/{eve.id}/disable", role="operator").status == 200
        assert end_of(s) == "revoked"


class Signed:
    """Somebody who is signed in by a cookie."""
    numbers = itertools.count(1)

    def __init__(self, product):
        n = next(self.numbers)
        self.product, self.core, self.id = product, product.core, str(uuid.uuid4())
        self.login = f"live-person-{n}"
        product.clusters.rows("core", "INSERT INTO access.principal (id, name, kind) VALUES (%s, %s, 'user')", (self.id, self.login))
        product.clusters.rows("core", "INSERT INTO access.role_grant (principal, role) VALUES (%s, 'agent')", (self.id,))
        secret = self.core.post(f"/v1/users/{self.id}/password-reset", role="operator").json["secret"]
        assert self.core.post("/v1/password-reset", {"secret": secret, "password": PASSWORD}, role=None).status == 204
        r = self.core.post("/v1/session", {"login": self.login, "password": PASSWORD}, role=None)
        assert r.status == 201, r
        self.cookie, self.csrf = re.match(r"bimodal=([\w-]{43});", r.headers["Set-Cookie"])[1], r.json["csrf_token"]
        self.session = product.clusters.one("core", "SELECT id::text FROM access.session WHERE principal = %s", (self.id,))

    def headers(self):
        return {"Cookie": f"bimodal={self.cookie}", "X-CSRF-Token": self.csrf}

    def stream(self):
        s = Stream(self.core, role=None, headers=[f"Cookie: bimodal={self.cookie}"])
        assert s.status == 200, s.head
        s.next("ready")
        return s


def test_sessions(product, core, agent):
    ann, bob, cid, dan = (Signed(product) for _ in range(4))
    a, b, c = [ann.stream() for _ in range(3)], bob.stream(), cid.stream()
    one = made(agent, "cases", {"subject": "for all"})
    assert all(s.hears(one) for s in (*a, b, c))
    assert core.delete("/v1/session", role=None, headers=ann.headers()).status == 204
    assert {end_of(s) for s in a} == {"revoked"}
    assert Stream(core, role=None, headers=[f"Cookie: bimodal={ann.cookie}"]).status == 401
    assert core.post(f"/v1/users/{bob.id}/disable", role="operator").status == 200
    assert end_of(b) == "revoked"
    # One that nobody ends, but time; an open stream is no request and does not keep it.
    product.clusters.rows("core", "UPDATE access.session SET expires_at = now() + interval '3 seconds' WHERE id = %s", (dan.session,))
    with Stream(core, role=None, headers=[f"Cookie: bimodal={dan.cookie}"]) as d:
        if d.status == 200:
            assert end_of(d) == "revoked" if d.next("ready") else False
    one = made(agent, "cases", {"subject": "still here"})
    assert c.hears(one)
    for s in (*a, b, c):
        s.close()


# ---- limits, slow and frozen clients

def test_limits(product, core, agent):
    no_streams(core)
    mine = [Stream(core, token=agent.token) for _ in range(4 * EACH)]
    refused = [s for s in mine if s.status != 200]
    assert 2 * EACH <= len(refused) <= 3 * EACH and {s.status for s in refused} == {429}
    assert refused[0].json()["code"] == "quota-exceeded" and "Retry-After: " in refused[0].head
    # All of the worker's, by many principals; the ordinary requests go on.
    rest = [Stream(core, role=role) for role in ROLES for _ in range(3 * EACH)]
    open_now = sum(s.status == 200 for s in (*mine, *rest))
    assert STREAMS < open_now <= 2 * STREAMS and {s.status for s in rest} == {200, 429, 503}
    assert core.metric("bimodal_live_streams") == open_now
    one = made(agent, "cases", {"subject": "to all of them"})
    heard = [s for s in (*mine, *rest[-3 * 2 * EACH:-3 * EACH]) if s.status == 200]
    assert heard and all(s.hears(one) for s in heard)
    for s in (*mine, *rest):
        s.close()
    no_streams(core)
    with agent.stream() as s:
        s.next("ready")


def test_a_slow_reader_is_told_and_dropped(core, agent):
    before = core.metric("bimodal_live_dropped_total")
    with agent.stream(receive=2048) as slow, agent.stream() as fast:
        slow.next("ready")
        fast.next("ready")
        rounds = 0
        while core.metric("bimodal_live_dropped_total") == before:
            rounds += 1
            assert rounds < 400
            many(agent, 30)
            fast.take(lambda e, left=[30]: (left.append(left.pop() - 1), left[0] == 0 or e.data["id"] is None)[1])
        last = slow.ended()[-1]
        assert last.name == "reset" and last.data == {"reason": "slow"}, last
        one = made(agent, "cases", {"subject": "goes on"})
        assert one in [e.data["id"] for e in fast.take(lambda e: e.data.get("id") == one)]
    with agent.stream(last=last.id) as again:
        assert again.next().name in ("ready", "reset")


def test_clients_that_send_and_vanish(core, agent):
    with agent.stream() as s:
        s.next("ready")
        s.socket.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
        one = made(agent, "cases", {"subject": "no answer to those"})
        assert s.hears(one) and b"HTTP/1.1" not in s.bytes
    for _ in range(3):
        with agent.stream() as s:
            s.next("ready")
            s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    no_streams(core)


# ---- the feed, the command line, workers that die, the stop

def test_mode_2_away_and_back(product, core):
    with Stream(core, role="operator") as s:
        s.next("ready")

        def until(hop, *words):
            while (e := s.next("feed")).data["hop"] != hop or e.data["word"] not in words:
                pass
        until("airlock-sandbox", "well")
        product.clusters.down("sandbox")
        until("airlock-sandbox", "away", "broken")
        product.clusters.up("sandbox")
        until("airlock-sandbox", "well")
    with Stream(core, role="agent") as s:
        s.next("ready")
        s.more(0.3)
        s.parse()
        assert s.events == []
    eventually(lambda: all(product.sandbox.get("/readyz", role=None).status == 200 for _ in range(8)))


def test_the_command_line(product, core, agent):
    token = product.secret("live-agent-token", agent.token)

    with traced.Trace(core) as trace:
        def bimodal(*argv):
            return subprocess.Popen([str(BUILD / "bimodal"), "--trace", trace.file, "--core", f"http://127.0.0.1:{core.port}", "--token-file", str(token), "live", *argv],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with bimodal("--count", "2") as p:
            assert p.stdout.readline() == 'ready   {"resumed":false}\n'
            one = made(agent, "cases", {"subject": "for the command line"})
            assert json.loads(p.stdout.readline().removeprefix("record "))["id"] == one
            assert p.wait(LIMIT) == 0
        with bimodal("--after", "nonsense", "--count", "1") as p:
            assert p.communicate(timeout=LIMIT)[0] == 'reset   {"reason":"unknown"}\n'
        product.secret("live-agent-token", "bm_core_" + "A" * 43)
        with bimodal() as p:
            out, err = p.communicate(timeout=LIMIT)
            assert p.returncode == 1 and out == "" and "not known" in err
        trace.look()
        # Three events, and how three requests went.
        assert trace.lines >= 6


def worker_of(core, stream):
    """The worker that holds the other end of a connection."""
    port = stream.socket.getsockname()[1]
    found = [line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inode = next(f[9] for f in found if f[2].endswith(f":{port:04X}") and f[1].endswith(f":{core.port:04X}"))
    for task in pathlib.Path(f"/proc/{core.process.pid}/task").iterdir():
        for pid in (task / "children").read_text().split():
            for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
                try:
                    if os.readlink(fd) == f"socket:[{inode}]":
                        return int(pid)
                except FileNotFoundError:
                    pass
    raise AssertionError(f"no worker has {port}")


def test_a_worker_that_is_killed(core, agent):
    with agent.stream() as s:
        s.next("ready")
        one = made(agent, "cases", {"subject": "before"})
        assert s.hears(one)
        os.kill(worker_of(core, s), signal.SIGKILL)
        s.ended()
        last = s.last
    core.ready()
    two = made(agent, "cases", {"subject": "after"})
    with agent.stream(last=last) as s:
        assert s.next().data == {"resumed": True}
        assert s.hears(two)


def test_the_graceful_stop(core, agent):
    streams = [agent.stream() for _ in range(4)]
    for s in streams:
        s.next("ready")
    one = made(agent, "cases", {"subject": "before the stop"})
    assert all(s.hears(one) for s in streams)
    began = time.monotonic()
    assert core.stop() == 0
    # Less than the grace of requests that do not end.
    assert time.monotonic() - began < 30
    assert [s.ended() for s in streams] == [[]] * 4
    core.start()
    two = made(agent, "cases", {"subject": "after the stop"})
    with agent.stream(last=streams[0].last) as s:
        assert s.next().data == {"resumed": True}
        assert s.hears(two)
    for s in streams:
        s.close()
