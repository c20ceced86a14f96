"""What changes, told as it happens: who hears of what, order and resume, limits, clients that are slow, frozen or many, and every way a stream ends.

One product with narrower roles than the delivered ones (innovators see what they own, product owners what their team owns) and small limits."""
import http.client
import json
import os
import re
import select
import signal
import socket
import threading
import time
import uuid

import pytest
from clusters import ROOT
from product import Product

LIMIT = 60                      # seconds that a state is waited for
STREAMS, EACH, REPLAY = 40, 6, 60
RECORDS = ("organizations", "people", "consents", "interactions", "opportunities", "cases")
PASSWORD = "a quiet harbour at 6 in the morning"


def roles_text():
    text = (ROOT / "config" / "roles.yaml").read_text()
    rights = ", ".join(f"{r}.{v}" for r in RECORDS for v in ("read", "write")) + ", people.resolve, me.read, live.read"
    for role, scopes in (("innovator", '{ "*": { read: own } }'), ("product_owner", '{ "*": { read: team, write: own } }')):
        narrow = (f"  {role}:\n    rights: [{rights}]\n    read: [open, internal, personal]\n    write: [open, internal, personal]\n"
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
                            "notices: { period: 50ms }\nsession: { argon2_memory: 19MiB }\n")
    p.start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


class Event:
    def __init__(self, name, id, data):
        self.name, self.id, self.data = name, id, data

    def __repr__(self):
        return f"<{self.name} {self.data} {self.id}>"


class Stream:
    """One open stream, read as an EventSource reads it."""

    def __init__(self, core, token=None, role="agent", last=None, headers=(), receive=None, source=None):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        if source:
            self.socket.bind((source, 0))
        self.socket.settimeout(LIMIT)
        self.socket.connect(("127.0.0.1", core.port))
        lines = ["GET /v1/live HTTP/1.1", "Host: test", "Accept: text/event-stream"]
        if token or role:
            lines.append(f"Authorization: Bearer {token or core.tokens[role]}")
        if last is not None:
            lines.append(f"Last-Event-ID: {last}")
        self.socket.sendall("\r\n".join([*lines, *headers, "", ""]).encode("latin-1"))
        self.bytes, self.events, self.comments, self.retry, self.last, self.closed = b"", [], 0, None, last, False
        self.head = self.until(b"\r\n\r\n").decode("latin-1")
        self.status = int(self.head.split(" ")[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def more(self, seconds=LIMIT):
        """Some bytes more; False at the end, or when nothing comes in that time."""
        if self.closed or not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.closed = got == b""
        self.bytes += got
        return not self.closed

    def until(self, mark):
        while mark not in self.bytes:
            assert self.more(), (mark, self.bytes)
        part, self.bytes = self.bytes.split(mark, 1)
        return part + mark

    def parse(self):
        while b"\n\n" in self.bytes:
            block, self.bytes = self.bytes.split(b"\n\n", 1)
            fields = {}
            for line in block.decode().split("\n"):
                name, _, value = line.partition(":")
                fields[name] = value[1:] if value.startswith(" ") else value
            self.comments += "" in fields
            self.retry = int(fields["retry"]) if "retry" in fields else self.retry
            self.last = fields.get("id", self.last)
            if "data" in fields:
                self.events.append(Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"])))

    def next(self, *names, seconds=LIMIT):
        """The next event of these names (any, but the feed's), those before it dropped."""
        deadline = time.monotonic() + seconds
        while True:
            self.parse()
            while self.events:
                e = self.events.pop(0)
                if e.name in names if names else e.name != "feed":
                    return e
            assert time.monotonic() < deadline and self.more(max(0.0, deadline - time.monotonic())), (names, self.closed, self.bytes)

    def take(self, wanted):
        """All events up to the first one that is wanted, but the feed's."""
        got = []
        while not got or not wanted(got[-1]):
            got.append(self.next())
        return got

    def ended(self):
        """Everything until the other side closes."""
        while self.more():
            pass
        assert self.closed, "the stream stays open"
        self.parse()
        return [e for e in self.events if e.name != "feed"]

    def json(self):
        while b"}" not in self.bytes:
            assert self.more()
        return json.loads(self.bytes)


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
    # Handed over, and then the last sign for everybody.
    moved = made_of["l-anna"][0]
    assert agent.patch(f"/v1/people/{moved}", {"owner": "l-bob"}, headers={"If-Match": "*"}).status == 200
    lasts = {"l-anna": "l-anna", "l-bob": "l-bob", "l-tina": "l-tom", "all": None, "operator": None}
    last = {owner: made(agent, "organizations", {"name": "Last", "owner": owner}) for owner in ("l-anna", "l-bob", "l-tom", None)}
    heard = {name: streams[name].take(lambda e, o=owner: e.data.get("id") == last[o]) for name, owner in lasts.items()}

    def told(name):
        return {(e.data["resource"], e.data["id"]) for e in heard[name] if e.name == "record"}

    def of(*owners):
        return {(r, i) for o in owners for r, i in zip(("people", "cases", "interactions", "consents"), made_of[o])} | {("organizations", last[o]) for o in owners}

    assert told("l-anna") == of("l-anna")
    assert told("l-bob") == of("l-bob") | {("people", moved)}
    assert told("l-tina") == of("l-tom")
    assert told("all") >= of("l-anna", "l-bob", "l-tom", None) and told("operator") == told("all")
    version = agent.get(f"/v1/people/{moved}").json["version"]
    assert [e.data for e in heard["l-anna"] if e.data["id"] == moved][-1] == {"resource": "people", "id": moved, "op": "gone"}
    assert [e.data for e in heard["l-bob"] if e.data["id"] == moved][-1] == {"resource": "people", "id": moved, "op": "update", "version": version}
    # A machine reads no records; what it may read comes.
    assert core.post("/v1/flags", {"key": "live-one", "document": OFF}, role="product_owner").status in (201, 403)
    streams["service"].parse()
    assert [e for e in streams["service"].events if e.name != "feed"] == []
    # What somebody may see grows and shrinks while he listens.
    product.clusters.rows("core", "DELETE FROM access.membership WHERE principal = %s", (tom.id,))
    eventually(lambda: all(tina.get(f"/v1/people/{mark}").status == 404 for _ in range(8)))
    for owner in ("l-tom", "l-tina"):
        last[owner] = made(agent, "organizations", {"name": "After", "owner": owner})
    assert streams["l-tina"].next().data["id"] == last["l-tina"]
    for s in streams.values():
        s.close()


OFF = {"unit": "person", "variations": [{"key": "on", "value": True}, {"key": "off", "value": False}], "rules": [], "default": "off"}
