"""Notices: made once from the event log for those who get them; inbox, choices, e-mail through a real SMTP server, signed webhooks to a real
HTTP server; and what an attacker tries with each of them."""
import base64
import collections
import contextlib
import datetime
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import uuid

import psycopg2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

import traced
from clusters import free_port

SOON = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
OFF = {"unit": "person", "variations": [{"key": "on", "value": True}, {"key": "off", "value": False}], "rules": [], "default": "off"}


class Receiver(http.server.ThreadingHTTPServer):
    """A receiver of webhooks on loopback. What it answers is set per path: a list of answers, the last one for good."""
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port=0):
        self.got = collections.defaultdict(list)
        self.answers = {}
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.got[self.path].append((dict(self.headers.items()), body))
                    answers = outer.answers.get(self.path, [204])
                    answer = answers.pop(0) if len(answers) > 1 else answers[0]
                try:
                    answer(self) if callable(answer) else self.answer(answer)
                except OSError:
                    self.close_connection = True

            def do_GET(self):
                outer.got["GET " + self.path].append(({}, b""))
                self.answer(200)

            def answer(self, status, headers=(), body=b""):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def stop(self):
        self.shutdown()
        self.server_close()


MAIL_HOST, MAIL_LOGIN = "127.0.0.2", (b"crm", b"a password for the mail server")


class Pki:
    """Certificates that sign themselves: the mail server's, another server's, a stranger's."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="bm-pki-"))
        self.dir.chmod(0o755)
        self.password = self.dir / "password"
        self.password.touch(mode=0o600)
        self.password.write_text(MAIL_LOGIN[1].decode())
        for name, host in (("good", MAIL_HOST), ("elsewhere", "127.0.0.3"), ("stranger", MAIL_HOST)):
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                            "-addext", f"subjectAltName=IP:{host}", "-keyout", self.dir / f"{name}.key", "-out", self.dir / f"{name}.pem"],
                           check=True, capture_output=True)
        self.trusted = self.dir / "trusted.pem"
        self.trusted.write_text((self.dir / "good.pem").read_text() + (self.dir / "elsewhere.pem").read_text())

    def context(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.dir / f"{name}.pem", self.dir / f"{name}.key")
        return context


class Mailbox:
    """What aiosmtpd hands over. refuse: an answer to DATA in place of taking the message. logins: what was given to log in with."""

    def __init__(self):
        self.got = []
        self.refuse = None
        self.attempts = 0
        self.logins = []

    def login(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=(data.login, data.password) == MAIL_LOGIN)

    async def handle_DATA(self, server, session, envelope):
        self.attempts += 1
        if self.refuse is not None:
            return self.refuse
        self.got.append((envelope.rcpt_tos, envelope.content))
        return "250 taken"

    def to(self, address):
        return [email.message_from_bytes(c, policy=email.policy.default) for rcpt, c in self.got if rcpt == [address]]


class MailServer(Controller):
    """Its end is the end of its connections too: a client that keeps one would else wait for an answer."""

    def __init__(self, *args, **kw):
        self.sessions = []
        super().__init__(*args, **kw)

    def factory(self):
        self.sessions.append(super().factory())
        return self.sessions[-1]

    def stop(self, *args, **kw):
        for session in self.sessions:
            if session.transport is not None:
                self.loop.call_soon_threadsafe(session.transport.abort)
        super().stop(*args, **kw)


def until(what, seconds=30.0, show=lambda: ""):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not come true in {seconds} s {show()}")


def jobs_child(core):
    """The child that was forked last (the kernel lists them in that order; their numbers may have wrapped)."""
    pid = core.process.pid
    return int(pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[-1])


# Owners whom no test looks at.
QUIET = ("quiet-one", "quiet-two")


class Lab:
    """The product with a receiver and a mail server beside it."""

    def __init__(self):
        from product import Product
        self.receiver = Receiver()
        self.mailbox = Mailbox()
        self.pki = Pki()
        self.smtp_port = free_port()
        self.smtp = None
        self.mail_up()
        self.product = Product(workers=1)
        self.db = None
        self.product.overrides["core"] = (
            "notices: { period: 100ms, url: \"https://crm.example\" }\n"
            f"smtp: {{ url: \"smtp://{MAIL_HOST}:{self.smtp_port}\", from: notices@bimodal.example, retry: 100ms, user: {MAIL_LOGIN[0].decode()},\n"
            f"  password_file: \"{self.pki.password}\", ca_file: \"{self.pki.trusted}\" }}\n"
            "webhook: { allow: \"127.0.0.1/32\", timeout: 1s, retry: 50ms, disable_after: 1d }\n"
            "drift: { period: 2s }\n")
        self.product.start()
        self.core = self.product.core
        self.ids = {role: self.core.get("/v1/me", role=role).json["principal"] for role in self.core.tokens}
        self.quiet = [self.core.post("/v1/users", {"name": name}, role="operator").json["id"] for name in QUIET]
        for role in ("operator", "innovator", "product_owner"):
            self.rows("UPDATE access.principal SET email = %s WHERE id = %s", (f"{role}@example.org", self.ids[role]))

    def mail_up(self, certificate="good", login=None):
        """certificate None: no STARTTLS is offered, and logins are taken in the clear."""
        tls = {"tls_context": self.pki.context(certificate), "require_starttls": True} if certificate else {"auth_require_tls": False}
        deadline = time.monotonic() + 30
        while True:
            self.smtp = MailServer(self.mailbox, hostname=MAIL_HOST, port=self.smtp_port, auth_required=True,
                                   authenticator=login or self.mailbox.login, **tls)
            try:
                return self.smtp.start()
            except OSError:         # what the server before it had open on this port may not have ended yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def stop(self):
        self.product.stop()
        self.smtp.stop()
        self.receiver.stop()
        shutil.rmtree(self.pki.dir)

    def rows(self, sql, args=None):
        """As the superuser, who is the actor."""
        if self.db is None:
            self.db = self.product.clusters.connect("core", autocommit=False)
        with self.db, self.db.cursor() as cur:
            cur.execute("SELECT set_config('bimodal.actor', 'test', true)")
            cur.execute(sql, args)
            return cur.fetchall() if cur.description else []

    def one(self, sql, args=None):
        return self.rows(sql, args)[0][0]

    def note(self, op, detail, record=None, resource="flags", actor="test"):
        """An event, as if something had happened."""
        return self.one("SELECT event.note(%s, %s, %s, %s) FROM (SELECT set_config('bimodal.actor', %s, true)) a",
                        (resource, record, op, json.dumps(detail), actor))

    def flag(self, owner="product_owner", **more):
        key = f"n{uuid.uuid4().hex[:12]}"
        body = {"key": key, "kind": "release", "purpose": "to be told of", "business_owner": owner, "technical_owner": QUIET[0],
                "expires_at": SOON, "document": OFF, "enabled": True, **more}
        r = self.core.post("/v1/flags", body, role="product_owner")
        assert r.status == 201, r
        return key

    def inbox(self, role, state="all", **more):
        query = "".join(f"&{k}={v}" for k, v in more.items())
        r = self.core.get(f"/v1/notices?state={state}{query}", role=role)
        assert r.status == 200, r
        return r.json

    def notice(self, role, kind, text, state="all"):
        """The notice once it is there."""
        return until(lambda: next((n for n in self.inbox(role, state, limit=200)["data"] if n["kind"] == kind and text in json.dumps(n)), None),
                     show=lambda: self.core.tail())

    def settings(self, role, status=200, **choices):
        r = self.core.request("PUT", "/v1/me/notices", choices, role=role)
        assert r.status == status, r
        return r

    def change(self, state="rehearsed", author="operator", kind="schema"):
        """A change request and its event, as the executor leaves them."""
        title = f"change {uuid.uuid4().hex[:8]}"
        cid = self.one("INSERT INTO change.request (kind, title, author, filed_by, up, package, sha256, state, why, business_owner, technical_owner)"
                       " VALUES (%s, %s, %s, %s, 'SELECT 1', 'x', '', %s, 'because', %s, %s) RETURNING id::text",
                       (kind, title, self.ids[author], self.ids[author], state, *self.quiet))
        return cid, title

    def ledger(self, cid, kind, body=None, actor="operator", state=None):
        if state is not None:
            self.rows("UPDATE change.request SET state = %s WHERE id = %s", (state, cid))
        self.rows("SELECT change.ledger_append(%s, %s, %s, %s)", (self.ids[actor], kind, cid, json.dumps(body or {})))

    def webhook(self, path, role="product_owner", **more):
        r = self.core.post("/v1/webhooks", {"url": self.receiver.url(path), "description": path, **more}, role=role)
        assert r.status == 201, r
        return r.json["id"], r.json["secret"]

    def test_message(self, wid, role="product_owner"):
        r = self.core.post(f"/v1/webhooks/{wid}/test", role=role)
        assert r.status == 202, r
        return r.json["delivery"]

    def delivery(self, wid, did, *states, role="product_owner"):
        def look():
            r = self.core.get(f"/v1/webhooks/{wid}/deliveries?limit=200", role=role)
            assert r.status == 200, r
            return next((d for d in r.json["data"] if d["id"] == did and d["state"] in states), None)
        return until(look, show=lambda: self.core.get(f"/v1/webhooks/{wid}/deliveries", role=role).body.decode() + self.core.tail(10))


@pytest.fixture(scope="module")
def lab():
    made = Lab()
    yield made
    made.stop()


# ---- making -----------------------------------------------------------------------------------------------------------------------------


def test_a_change_waits_for_those_who_may_approve_and_did_not_write_it(lab):
    cid, title = lab.change()
    lab.ledger(cid, "change.rehearsed")
    n = lab.notice("product_owner", "change.waiting", title, "open")
    assert n["task"] and n["link"] == f"/changes/{cid}" and n["record"] == f"/v1/changes/{cid}" and "because" in n["body"]
    assert lab.core.get(n["record"], role="operator").json["title"] == title
    before = lab.inbox("product_owner")["counts"]
    assert before["open"] >= 1 and before["unread"] >= 1
    lab.ledger(cid, "change.rehearsed")  # again, while it still waits: no second one
    lab.ledger(cid, "change.approved", actor="product_owner", state="approved")
    ready = lab.notice("operator", "change.ready", title, "open")
    assert ready["task"]
    told = lab.notice("operator", "change.approved", title)
    assert not told["task"] and "Approved by product_owner" in told["body"]
    assert [x for x in lab.inbox("product_owner", "open", limit=200)["data"] if title in x["title"]] == []
    done = [x for x in lab.inbox("product_owner", limit=200)["data"] if title in x["title"] and x["kind"] == "change.waiting"]
    assert len(done) == 1 and done[0]["done_at"] is not None
    for role in ("operator", "innovator", "agent", "service"):
        assert not [x for x in lab.inbox(role, limit=200)["data"] if x["kind"] == "change.waiting" and title in x["title"]], role
    lab.ledger(cid, "change.applied", state="applied")
    assert "was applied" in lab.notice("operator", "change.applied", title)["title"]
    until(lambda: not [x for x in lab.inbox("operator", "open", limit=200)["data"] if title in x["title"]])


def test_what_happened_to_mine(lab):
    cid, title = lab.change(author="innovator", kind="promotion")
    lab.ledger(cid, "change.rehearsed")
    assert lab.notice("product_owner", "change.waiting", title, "open")
    lab.ledger(cid, "change.rejected", {"note": "too early"}, actor="product_owner", state="rejected")
    assert "too early" in lab.notice("innovator", "change.rejected", title)["body"]
    for kind, op, body in (("change.failed", "change.apply-failed", {"error": "a lock was held"}), ("change.rolled_back", "change.rolled-back", {})):
        lab.ledger(cid, op, body, actor="operator")
        n = lab.notice("innovator", kind, title)
        assert not n["task"] and body.get("error", "Ordered by operator") in n["body"]


def test_flags_drift_and_tokens(lab):
    key = lab.flag()
    assert lab.core.post(f"/v1/flags/{key}/kill", {"comment": "it hurt"}, role="operator").status == 200
    n = lab.notice("product_owner", "flag.killed", key)
    assert n["link"] == f"/flags/{key}" and "it hurt" in n["body"] and "by operator" in n["title"]
    other = lab.flag()
    assert lab.core.post(f"/v1/flags/{other}/kill", {"comment": "mine"}, role="product_owner").status == 200
    third = lab.flag()
    lab.rows("UPDATE flag.flag SET expires_at = now() WHERE key = %s", (third,))
    lab.notice("product_owner", "flag.expired", third)
    fourth = lab.flag(owner=QUIET[1])
    lab.rows("INSERT INTO flag.revision (key, document, enabled, actor) SELECT key, document, true, %s FROM flag.revision WHERE key = %s",
             (lab.ids["innovator"], fourth))
    assert lab.core.post(f"/v1/flags/{fourth}/kill", role="operator").status == 200
    lab.notice("innovator", "flag.killed", fourth)
    # Events have an order: the third one is told, so the second one was not for him who did it.
    assert not [x for x in lab.inbox("product_owner", limit=200)["data"] if other in x["title"]]
    lab.rows("SET bimodal.change = 'by hand'; CREATE TABLE crm.by_hand (id int)")
    try:
        assert lab.notice("operator", "drift.found", "/v1/drift", "open")["task"]
    finally:
        lab.rows("SET bimodal.change = 'by hand'; DROP TABLE crm.by_hand")
    until(lambda: not [x for x in lab.inbox("operator", "open", limit=200)["data"] if x["kind"] == "drift.found"])
    lab.rows("UPDATE access.token SET created_at = now() - interval '1 year', expires_at = now() + interval '3 days' WHERE principal = ANY (%s::uuid[])",
             ([lab.ids["innovator"], lab.ids["agent"]],))
    assert "expires on" in lab.notice("innovator", "token.expiring", "token")["title"]
    assert "service agent" in lab.notice("operator", "token.service", "agent")["title"]
    assert lab.notice("agent", "token.expiring", "token")


def test_who_gets_another_password_is_told(lab):
    """By whom the secret was made, before it can be of use, and when a password was set."""
    r = lab.core.post(f"/v1/users/{lab.ids['innovator']}/password-reset", role="operator")
    assert r.status == 201, r
    n = lab.notice("innovator", "password.reset", "operator made a secret")
    assert lab.core.get(n["record"], role="innovator").json["principal"] == lab.ids["innovator"] and r.json["secret"] not in json.dumps(n)
    done = lab.core.post("/v1/password-reset", {"secret": r.json["secret"], "password": "another harbour, another morning"}, role=None)
    assert done.status == 204, done
    lab.notice("innovator", "password.set", "Your password was set")
    until(lambda: {m["Subject"] for m in lab.mailbox.to("innovator@example.org")} >= {"operator made a secret that sets your password", "Your password was set"})


def test_bulk_writes_and_open_transactions_lose_and_double_nothing(lab):
    """The order is (xid, seq) below the horizon: a transaction that began first and commits last is still met; a killed job goes on."""
    db = lab.product.clusters.connect("core", autocommit=False)
    cur = db.cursor()
    mark = uuid.uuid4().hex[:8]
    cur.execute("SELECT set_config('bimodal.actor', 'slow', true), event.note('flags', NULL, 'flag.kill', %s)"
                " FROM (SELECT set_config('bimodal.actor', 'slow', true)) a",
                (json.dumps({"key": f"slow-{mark}", "business_owner": "product_owner"}),))
    for i in range(60):
        lab.note("flag.kill", {"key": f"fast-{mark}-{i}", "business_owner": "product_owner"})
        if i == 30:
            for pid, in lab.rows("SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'bimodal-core/executor%'"):
                lab.rows("SELECT pg_terminate_backend(%s)", (pid,))
    db.commit()
    db.close()

    def told():
        return lab.one("SELECT count(*) FROM notice.notice WHERE principal = %s AND title LIKE %s", (lab.ids["product_owner"], f"%{mark}%"))
    until(lambda: told() == 61, show=told)
    for i in range(20):
        lab.note("flag.kill", {"key": f"kill-{mark}-{i}", "business_owner": "product_owner"})
        if i == 5:
            os.kill(jobs_child(lab.core), signal.SIGKILL)
    until(lambda: told() == 81, show=told)
    lab.note("flag.kill", {"key": f"last-{mark}", "business_owner": "product_owner"})
    until(lambda: told() == 82, show=told)
    assert lab.one("SELECT max(n) FROM (SELECT count(*) AS n FROM notice.notice GROUP BY event, kind, principal) x") == 1


def test_texts_from_outside_stay_texts(lab):
    """Line breaks, direction marks, braces and mark-up in a name: one line, no second look, no header."""
    evil = "x\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script> {actor} \u202egnp.exe\u2028"
    key = f"evil{uuid.uuid4().hex[:8]}"
    lab.note("flag.kill", {"key": key, "business_owner": "operator", "comment": evil})
    n = lab.notice("operator", "flag.killed", key)
    assert n["body"] == "x Bcc: all@example.org <script>alert(1)</script> {actor} gnp.exe"
    lab.note("flag.kill", {"key": evil + key, "business_owner": "operator"})
    mail = until(lambda: [m for m in lab.mailbox.to("operator@example.org") if key in m.get_content() and "Bcc" in (m["Subject"] + m.get_content())])
    for m in mail:
        assert m["Bcc"] is None and m["To"] == "operator@example.org" and "\n" not in m["Subject"] and m.get_content_type() == "text/plain"


# ---- the inbox ------------------------------------------------------------------------------------------------------------------------


def test_inbox_pages_states_and_reading(lab):
    mark = uuid.uuid4().hex[:8]
    for i in range(7):
        lab.note("flag.kill", {"key": f"p{i}-{mark}", "business_owner": "innovator"})
    until(lambda: len([n for n in lab.inbox("innovator", limit=200)["data"] if mark in n["title"]]) == 7)
    seen, after = [], ""
    while True:
        page = lab.inbox("innovator", "unread", limit=3, **({"after": after} if after else {}))
        seen += [n["id"] for n in page["data"]]
        after = page["page"]["next"]
        if not page["page"]["has_more"]:
            assert after is None
            break
    assert len(seen) == len(set(seen)) == page["counts"]["unread"] and seen == sorted(seen, reverse=True)
    assert lab.core.post(f"/v1/notices/{seen[0]}/read", role="innovator").status == 204
    assert lab.core.post(f"/v1/notices/{seen[0]}/read", role="innovator").status == 204
    assert lab.inbox("innovator")["counts"]["unread"] == len(seen) - 1
    assert seen[0] not in [n["id"] for n in lab.inbox("innovator", "unread", limit=200)["data"]]
    assert lab.core.post("/v1/notices/read-all", role="innovator").json == {"read": len(seen) - 1}
    assert lab.inbox("innovator", "unread") == {"data": [], "page": {"next": None, "has_more": False}, "counts": lab.inbox("innovator")["counts"]}
    assert lab.one("SELECT count(*) FROM event.log WHERE op = 'notice.read' AND record_id = %s", (seen[0],)) == 1
    for query, status in (("state=none", 400), ("limit=0", 400), ("limit=201", 400), ("after=x", 400), ("after=" + seen[0], 200)):
        assert lab.core.get(f"/v1/notices?{query}", role="innovator").status == status, query


def test_another_ones_notice_is_not_there(lab):
    key = lab.flag(owner="operator")
    lab.note("flag.kill", {"key": key})
    mine = lab.notice("operator", "flag.killed", key)
    for role in ("innovator", "agent", "service"):
        assert lab.core.post(f"/v1/notices/{mine['id']}/read", role=role).status == (403 if role == "service" else 404)
        assert mine["id"] not in lab.core.get("/v1/notices?limit=200", role=role).body.decode()
        assert lab.core.get("/v1/mails", role=role).status == 403
    assert lab.core.get("/v1/notices", role=None).status == 401
    assert lab.core.post("/v1/notices/read-all", role=None).status == 401
    assert lab.core.post(f"/v1/notices/{uuid.uuid4()}/read", role="operator").status == 404
    assert lab.notice("operator", "flag.killed", key)["read_at"] is None


def test_retention_has_a_limit(lab):
    lab.rows("INSERT INTO notice.notice (principal, kind, task, event, subject, title, body, link, record, app, at)"
             " SELECT %s, 'flag.killed', false, -i, 'x', 'old', '', '/x', '/v1/x', true, now() - CASE WHEN i <= 5 THEN interval '91 days' ELSE interval '1 h' END"
             " FROM generate_series(1, 1200) i", (lab.ids["service"],))
    lab.rows("SELECT notice.care(interval '90 days', 1000)")
    assert lab.one("SELECT count(*) FROM notice.notice WHERE principal = %s", (lab.ids["service"],)) == 1000
    assert lab.one("SELECT count(*) FROM notice.notice WHERE principal = %s AND at < now() - interval '90 days'", (lab.ids["service"],)) == 0


def test_the_command_line(lab):
    key = uuid.uuid4().hex[:10]
    lab.note("flag.kill", {"key": key, "business_owner": "product_owner"})
    n = lab.notice("product_owner", "flag.killed", key)
    token = lab.product.secret("cli-token", lab.core.tokens["product_owner"])

    def bimodal(*words, code=0):
        done = traced.bimodal(lab.product, "--core", f"http://127.0.0.1:{lab.core.port}", "--token-file", token, *words)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        return done.stdout
    shown = bimodal("notices", "unread", "--limit", "200")
    assert f"{n['id']}  new" in shown and f"/flags/{key}" in shown and "wait for you" in shown.splitlines()[0]
    bimodal("notices", "read", n["id"])
    assert n["id"] not in bimodal("notices", "list", "unread", "--limit", "200")
    assert f"{n['id']}  read" in bimodal("notices", "--limit", "200")
    bimodal("notices", "read", str(uuid.uuid4()), code=1)
    assert '"read":' in bimodal("notices", "read", "all")
    assert json.loads(bimodal("notices", "settings", "time_zone=Europe/Paris", 'digest:={"hour":6}'))["digest"] == {"hour": 6}
    lab.settings("product_owner")
    made = json.loads(bimodal("webhook", "create", "url=" + lab.receiver.url("/cli"), 'types:=["webhook.test"]'))
    did = json.loads(bimodal("webhook", "test", made["id"]))["delivery"]
    lab.delivery(made["id"], did, "delivered")
    bimodal("webhook", "replay", made["id"], did)
    until(lambda: len(lab.receiver.got["/cli"]) == 2)
    assert did in bimodal("webhook", "log", made["id"])
    assert json.loads(bimodal("webhook", "edit", made["id"], "enabled:=false"))["enabled"] is False
    bimodal("webhook", "delete", made["id"])
    assert made["id"] not in bimodal("webhook", "list")


# ---- choices ----------------------------------------------------------------------------------------------------------------------------


def test_choices_are_kept_and_bad_ones_named(lab):
    r = lab.settings("agent", time_zone="Europe/Berlin", hours={"from": "08:30", "to": "18:00"}, days=["fri", "mon", "mon"], digest={"hour": 7},
                     channels={"*": ["app"], "change": ["app", "webhook"], "change.waiting": []})
    kinds = {k["name"]: k["channels"] for k in r.json["kinds"]}
    assert kinds["change.waiting"] == [] and kinds["change.applied"] == ["app", "webhook"] and kinds["drift.found"] == ["app"]
    again = lab.core.get("/v1/me/notices", role="agent").json
    assert (again["time_zone"], again["hours"], again["digest"]) == ("Europe/Berlin", {"from": "08:30", "to": "18:00"}, {"hour": 7})
    assert again["days"] == ["mon", "fri"]
    for choices, place in (({"time_zone": "Mars/Olympus"}, "time_zone"), ({"hours": {"from": "25:00", "to": "18:00"}}, "/hours/from"),
                           ({"hours": {"from": "08:00"}}, "/hours/to"), ({"hours": {"from": "08:00", "to": "08:00"}}, "/hours"),
                           ({"days": []}, "/days"), ({"days": ["monday"]}, "/days"), ({"days": "mon"}, "/days"), ({"days": [1]}, "/days"), ({"days": ["mon"] * 8}, "/days"),
                           ({"digest": {"hour": 24}}, "/digest/hour"), ({"channels": {"change": ["fax"]}}, "/channels/change"),
                           ({"channels": {"nothing.known": ["app"]}}, "channels/nothing.known"), ({"colour": "red"}, "/colour"),
                           ({"digest": {"minute": 1}}, "/digest/minute")):
        assert place in lab.settings("agent", 422, **choices).body.decode(), choices
    assert lab.core.get("/v1/me/notices", role="agent").json == again
    plain = lab.settings("agent", days=None).json
    assert plain["channels"] == {} and plain["days"] is None


def test_a_kind_that_is_not_wanted_is_not_made(lab):
    lab.settings("innovator", channels={"flag.killed": []})
    try:
        key, seen = uuid.uuid4().hex[:10], uuid.uuid4().hex[:10]
        lab.note("flag.kill", {"key": key, "business_owner": "innovator"})
        lab.note("flag.expire", {"key": seen, "business_owner": "innovator"})
        lab.notice("innovator", "flag.expired", seen)
        assert not [n for n in lab.inbox("innovator", limit=200)["data"] if key in n["title"]]
    finally:
        lab.settings("innovator")


@pytest.mark.parametrize("setting, at, due", [
    ("'UTC',NULL,NULL,NULL", "2026-03-10 12:00Z", "2026-03-10 12:00Z"),
    ("'Europe/Berlin',480,1080,NULL", "2026-03-10 12:00Z", "2026-03-10 12:00Z"),
    ("'Europe/Berlin',480,1080,NULL", "2026-03-10 17:00Z", "2026-03-11 07:00Z"),
    ("'Europe/Berlin',480,1080,NULL", "2026-03-10 06:59Z", "2026-03-10 07:00Z"),
    ("'Europe/Berlin',480,1080,NULL", "2026-03-28 20:00Z", "2026-03-29 06:00Z"),   # the clocks go forward that night
    ("'UTC',1320,360,NULL", "2026-03-10 23:00Z", "2026-03-10 23:00Z"),
    ("'UTC',1320,360,NULL", "2026-03-10 12:00Z", "2026-03-10 22:00Z"),
    ("'UTC',NULL,NULL,7", "2026-03-10 06:00Z", "2026-03-10 07:00Z"),
    ("'UTC',NULL,NULL,7", "2026-03-10 07:00Z", "2026-03-11 07:00Z"),
    ("'Asia/Kolkata',NULL,NULL,9", "2026-03-10 12:00Z", "2026-03-11 03:30Z"),
    ("'UTC',480,1080,7", "2026-03-10 12:00Z", "2026-03-11 08:00Z"),
])
def test_hours_and_digests(lab, setting, at, due):
    found = lab.one("SELECT notice.mail_due(ROW(gen_random_uuid(), %s, now(), NULL)::notice.setting, %%s)" % setting, (at,))
    assert lab.one("SELECT %s = %s::timestamptz", (found, due)), found


@pytest.mark.parametrize("setting, days, at, due", [
    ("'UTC',480,1080,NULL", "1,2,3,4,5", "2026-03-13 12:00Z", "2026-03-13 12:00Z"),   # a Friday
    ("'UTC',480,1080,NULL", "1,2,3,4,5", "2026-03-13 19:00Z", "2026-03-16 08:00Z"),
    ("'UTC',NULL,NULL,NULL", "6", "2026-03-10 12:00Z", "2026-03-14 00:00Z"),
    ("'UTC',NULL,NULL,NULL", "6", "2026-03-14 23:59Z", "2026-03-14 23:59Z"),
    ("'UTC',NULL,NULL,NULL", "6", "2026-03-15 00:00Z", "2026-03-21 00:00Z"),
    ("'Asia/Tokyo',480,1080,NULL", "1", "2026-03-15 22:59Z", "2026-03-15 23:00Z"),    # Monday there
    ("'Europe/Berlin',480,1080,NULL", "7", "2026-03-28 20:00Z", "2026-03-29 06:00Z"),
    ("'UTC',1320,360,NULL", "5", "2026-03-14 03:00Z", "2026-03-14 03:00Z"),           # still Friday's night
    ("'UTC',1320,360,NULL", "5", "2026-03-13 03:00Z", "2026-03-13 22:00Z"),           # that was Thursday's
    ("'UTC',1320,360,NULL", "5", "2026-03-14 12:00Z", "2026-03-20 22:00Z"),
    ("'UTC',NULL,NULL,7", "1,2,3,4,5", "2026-03-13 08:00Z", "2026-03-16 07:00Z"),
    ("'UTC',480,1080,7", "1", "2026-03-16 06:00Z", "2026-03-16 08:00Z"),
    ("'UTC',NULL,NULL,7", "1", "2026-03-16 07:00Z", "2026-03-23 07:00Z"),
])
def test_days_of_the_week(lab, setting, days, at, due):
    found = lab.one("SELECT notice.mail_due(ROW(gen_random_uuid(), %s, now(), '{%s}')::notice.setting, %%s)" % (setting, days), (at,))
    assert lab.one("SELECT %s = %s::timestamptz", (found, due)), found


# ---- e-mail ---------------------------------------------------------------------------------------------------------------------------


def test_an_email_says_what_waits_and_where(lab):
    cid, title = lab.change()
    lab.rows("UPDATE change.request SET title = title || ' für Müller & Söhne, eine lange Überschrift, die umbrochen werden muss' WHERE id = %s", (cid,))
    lab.ledger(cid, "change.rehearsed")
    m = until(lambda: next((m for m in lab.mailbox.to("product_owner@example.org") if title in m.get_content()), None), show=lambda: lab.core.tail(20))
    assert title in m["Subject"] and "Müller & Söhne" in m["Subject"] and f"https://crm.example/changes/{cid}" in m.get_content()
    assert m["From"].addresses[0].addr_spec == "notices@bimodal.example" and m["Auto-Submitted"] == "auto-generated"
    assert m["Message-ID"] and m["Date"].datetime is not None


def test_a_digest_is_one_message(lab):
    lab.settings("product_owner", digest={"hour": 3})
    mark = uuid.uuid4().hex[:8]
    try:
        for i in range(3):
            lab.note("flag.kill", {"key": f"d{i}-{mark}", "business_owner": "product_owner"})
        until(lambda: lab.one("SELECT count(*) FROM notice.notice WHERE title LIKE %s AND mail_due > now()", (f"%{mark}%",)) == 3)
        read = lab.notice("product_owner", "flag.killed", f"d2-{mark}")
        assert lab.core.post(f"/v1/notices/{read['id']}/read", role="product_owner").status == 204
        lab.rows("UPDATE notice.notice SET mail_due = now() WHERE title LIKE %s", (f"%{mark}%",))
        m = until(lambda: [m for m in lab.mailbox.to("product_owner@example.org") if mark in m.get_content()])
        assert len(m) == 1 and m[0]["Subject"] == "2 notices"
        assert [f"d{i}-{mark}" in m[0].get_content() for i in range(3)] == [True, True, False]
    finally:
        lab.settings("product_owner")


def test_the_mail_server_is_away_and_comes_back(lab):
    lab.smtp.stop()
    key = uuid.uuid4().hex[:10]
    try:
        lab.note("flag.kill", {"key": key, "business_owner": "operator"})
        mail = until(lambda: lab.rows("SELECT m.id::text, m.error FROM notice.mail m JOIN notice.notice n ON n.mail = m.id"
                                      " WHERE n.title LIKE %s AND m.attempts >= 2", (f"%{key}%",)))[0]
        assert "mail server" in mail[1]
        waiting = lab.core.get("/v1/mails?state=waiting", role="operator").json["data"]
        assert mail[0] in [m["id"] for m in waiting]
    finally:
        lab.mail_up()
    until(lambda: [m for m in lab.mailbox.to("operator@example.org") if key in m.get_content()])
    until(lambda: lab.one("SELECT state FROM notice.mail WHERE id = %s", (mail[0],)) == "sent")


def test_what_is_refused_for_good_is_dead_and_seen(lab):
    lab.mailbox.refuse = "550 no such box"
    key = uuid.uuid4().hex[:10]
    try:
        lab.note("flag.kill", {"key": key, "business_owner": "operator"})
        dead = until(lambda: lab.core.get("/v1/mails?state=dead", role="operator").json["data"])[0]
        assert dead["attempts"] == 1 and "550" in dead["error"] and dead["principal"] == lab.ids["operator"]
        assert lab.core.get("/v1/me/notices", role="operator").json["mails"]["dead"] == 1
    finally:
        lab.mailbox.refuse = None
    assert lab.core.post(f"/v1/mails/{dead['id']}/retry", role="operator").status == 204
    until(lambda: [m for m in lab.mailbox.to("operator@example.org") if key in m.get_content()])
    assert lab.core.post(f"/v1/mails/{uuid.uuid4()}/retry", role="operator").status == 404


def test_killed_between_sending_and_noting_the_mail_goes_again_under_its_id(lab):
    key = uuid.uuid4().hex[:10]
    lab.note("flag.kill", {"key": key, "business_owner": "operator"})
    first = until(lambda: [m for m in lab.mailbox.to("operator@example.org") if key in m.get_content()])
    sent = until(lambda: lab.rows("SELECT m.id::text FROM notice.mail m JOIN notice.notice n ON n.mail = m.id WHERE n.title LIKE %s"
                                  " AND m.state = 'sent'", (f"%{key}%",)))[0][0]
    # As a process leaves it that was killed before it noted the end: taken, its lease over.
    lab.rows("UPDATE notice.mail SET state = 'waiting', leased_until = now() - interval '1 s', ended_at = NULL WHERE id = %s", (sent,))
    twice = until(lambda: (lambda m: m if len(m) == 2 else None)([m for m in lab.mailbox.to("operator@example.org") if key in m.get_content()]))
    assert twice[0]["Message-ID"] == twice[1]["Message-ID"] == first[0]["Message-ID"]


@contextlib.contextmanager
def odd_greeting(port):
    """A mail server that wants nobody today."""
    with socket.create_server((MAIL_HOST, port)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    with server.accept()[0] as s:
                        s.sendall(b"554 not today\r\n")
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_what_is_the_servers_matter_keeps_the_mail_and_the_password(lab):
    """Without STARTTLS, under a certificate of a stranger or of another server nothing is said of the password; a login or a greeting that is
    refused is no fault of the message. It goes when all is well again."""
    lab.smtp.stop()
    key = uuid.uuid4().hex[:10]
    lab.note("flag.kill", {"key": key, "business_owner": "operator"})
    mail = until(lambda: lab.rows("SELECT m.id::text FROM notice.mail m JOIN notice.notice n ON n.mail = m.id WHERE n.title LIKE %s", (f"%{key}%",)))[0][0]

    def kept(word):
        """An attempt from now on ends in an error of this kind, and the mail waits on."""
        lab.rows("UPDATE notice.mail SET due_at = now(), base_attempts = attempts WHERE id = %s", (mail,))
        until(lambda: lab.rows("UPDATE notice.mail SET due_at = least(due_at, now()) WHERE id = %s AND error ILIKE %s RETURNING 1", (mail, f"%{word}%")),
              show=lambda: lab.rows("SELECT state, attempts, error FROM notice.mail WHERE id = %s", (mail,)))
        assert lab.one("SELECT state FROM notice.mail WHERE id = %s", (mail,)) == "waiting"

    before = list(lab.mailbox.logins)
    try:
        for certificate, word in ((None, "starttls"), ("stranger", "certificate"), ("elsewhere", "subject name")):
            lab.mail_up(certificate)
            kept(word)
            lab.smtp.stop()
        assert lab.mailbox.logins == before
        lab.mail_up(login=lambda *_: AuthResult(success=False, handled=False))
        kept("denied")
        lab.smtp.stop()
        with odd_greeting(lab.smtp_port):
            kept("554")
    finally:
        lab.mail_up()
    lab.rows("UPDATE notice.mail SET due_at = now() WHERE id = %s", (mail,))
    until(lambda: [m for m in lab.mailbox.to("operator@example.org") if key in m.get_content()])
    assert lab.mailbox.logins[len(before):] and set(lab.mailbox.logins) == {MAIL_LOGIN}


# ---- webhooks --------------------------------------------------------------------------------------------------------------------------


def verify(secret, headers, body):
    """As a receiver does it that knows nothing but the standard."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 300
    return want in headers["webhook-signature"].split(" ")


def test_a_notice_arrives_signed(lab):
    wid, secret = lab.webhook("/signed", types=["notice.flag.*"])
    key = lab.flag()
    lab.note("flag.kill", {"key": key, "comment": "ünï\"cödé"})
    headers, body = until(lambda: lab.receiver.got["/signed"])[0]
    assert verify(secret, headers, body) and not verify("whsec_" + base64.b64encode(b"x" * 32).decode(), headers, body)
    j = json.loads(body)
    assert j["type"] == "notice.flag.killed" and j["data"]["link"] == f"/flags/{key}" and j["data"]["body"] == "ünï\"cödé" and j["timestamp"]
    assert headers["Content-Type"] == "application/json"
    cid, title = lab.change()
    lab.ledger(cid, "change.rehearsed")
    lab.notice("product_owner", "change.waiting", title)
    assert len(lab.receiver.got["/signed"]) == 1  # not of the types it wants
    assert lab.core.delete(f"/v1/webhooks/{wid}", role="product_owner").status == 204


def test_secrets_rotate_and_are_never_shown_again(lab):
    wid, first = lab.webhook("/rotate")
    r = lab.core.post(f"/v1/webhooks/{wid}/rotate", {"overlap_s": 3600}, role="product_owner")
    second = r.json["secret"]
    assert r.status == 200 and r.headers["Cache-Control"] == "no-store" and second != first
    lab.test_message(wid)
    headers, body = until(lambda: lab.receiver.got["/rotate"])[0]
    assert verify(first, headers, body) and verify(second, headers, body) and len(headers["webhook-signature"].split(" ")) == 2
    assert lab.core.post(f"/v1/webhooks/{wid}/rotate", {"overlap_s": 0}, role="product_owner").status == 200
    lab.test_message(wid)
    headers, body = until(lambda: lab.receiver.got["/rotate"][1:])[0]
    assert not verify(first, headers, body) and not verify(second, headers, body)
    raw = {s: base64.b64decode(s.removeprefix("whsec_")).hex() for s in (first, second)}
    shown = lab.core.get("/v1/webhooks", role="product_owner").body + lab.core.get(f"/v1/webhooks/{wid}", role="product_owner").body
    log = lab.one("SELECT coalesce(string_agg(after::text, ' '), '') FROM event.log WHERE resource = 'webhooks'")
    for s in (first, second):
        assert s.encode() not in shown and raw[s] not in log and s not in log and s not in lab.core.log.read_text()
    with pytest.raises(psycopg2.Error) as e:
        lab.product.clusters.rows("core", "SELECT secret FROM webhook.secret", role="bimodal_app")
    assert e.value.pgcode == "42501"
    assert lab.core.post(f"/v1/webhooks/{wid}/rotate", {"overlap_s": -1}, role="product_owner").status == 422


def test_retries_log_and_replay(lab):
    wid, secret = lab.webhook("/retry")
    lab.receiver.answers["/retry"] = [500, 503, 204]
    # The third pause would be 3 s: what is waited for is that there is a second one at all.
    did = lab.test_message(wid)
    lab.rows("UPDATE webhook.delivery SET due_at = now() WHERE id = %s AND attempts = 2", (did,))
    until(lambda: len(lab.receiver.got["/retry"]) >= 2)
    until(lambda: lab.rows("UPDATE webhook.delivery SET due_at = now() WHERE id = %s AND attempts = 2 AND leased_until IS NULL RETURNING 1", (did,))
          or lab.one("SELECT attempts > 2 FROM webhook.delivery WHERE id = %s", (did,)))  # a slow look comes after the third
    d = lab.delivery(wid, did, "delivered")
    assert [(a["n"], a["status"]) for a in d["log"]] == [(1, 500), (2, 503), (3, 204)] and "500" in d["log"][0]["error"]
    got = lab.receiver.got["/retry"]
    assert len({h["webhook-id"] for h, _ in got}) == 1 and len({b for _, b in got}) == 1 and all(verify(secret, h, b) for h, b in got)
    assert lab.core.post(f"/v1/webhooks/{wid}/deliveries/{did}/replay", role="product_owner").status == 202
    until(lambda: len(got) == 4)
    assert got[3][0]["webhook-id"] == got[0][0]["webhook-id"]
    assert [a["n"] for a in until(lambda: (lambda d: d if d["state"] == "delivered" and d["attempts"] == 4 else None)(lab.delivery(wid, did, "delivered", "waiting")))["log"]] == [1, 2, 3, 4]
    assert lab.core.post(f"/v1/webhooks/{wid}/deliveries/{uuid.uuid4()}/replay", role="product_owner").status == 404
    lab.receiver.answers["/retry"] = [lambda h: h.answer(503, [("Retry-After", "3600")]), 500]
    did = lab.test_message(wid)
    until(lambda: lab.one("SELECT due_at > now() + interval '50 min' FROM webhook.delivery WHERE id = %s", (did,)))
    lab.rows("UPDATE webhook.delivery SET due_at = now(), base_attempts = attempts - 9 WHERE id = %s", (did,))  # the tenth is the last
    assert lab.delivery(wid, did, "dead")["attempts"] == 2


def test_410_and_days_of_failure_switch_it_off_and_tell_the_owner(lab):
    gone, _ = lab.webhook("/gone")
    lab.receiver.answers["/gone"] = [410]
    lab.test_message(gone)
    off = until(lambda: (lambda j: j if not j["enabled"] else None)(lab.core.get(f"/v1/webhooks/{gone}", role="product_owner").json))
    assert "410" in off["reason"]
    n = lab.notice("product_owner", "webhook.disabled", "/gone")
    assert n["record"] == f"/v1/webhooks/{gone}" and lab.core.get(n["record"], role="product_owner").status == 200
    failing, _ = lab.webhook("/failing")
    lab.receiver.answers["/failing"] = [500, 500, 204]
    lab.rows("UPDATE webhook.endpoint SET failing_since = now() - interval '2 days' WHERE id = %s", (failing,))
    lost = lab.test_message(failing)
    off = until(lambda: (lambda j: j if not j["enabled"] else None)(lab.core.get(f"/v1/webhooks/{failing}", role="product_owner").json))
    assert "since" in off["reason"]
    assert lab.core.post(f"/v1/webhooks/{failing}/deliveries/{lost}/replay", role="product_owner").status == 409
    lab.receiver.answers["/failing"] = [204]
    r = lab.core.patch(f"/v1/webhooks/{failing}", {"enabled": True}, role="product_owner")
    assert r.status == 200 and r.json["enabled"] and r.json["failing_since"] is None and r.json["reason"] is None
    assert lab.core.post(f"/v1/webhooks/{failing}/deliveries/{lost}/replay", role="product_owner").status == 202
    lab.delivery(failing, lost, "delivered")


def test_killed_between_sending_and_noting_the_message_comes_again_under_its_id(lab):
    wid, _ = lab.webhook("/killed")
    held = threading.Event()
    lab.receiver.answers["/killed"] = [lambda h: (held.wait(20), h.answer(204)), 204]
    did = lab.test_message(wid)
    until(lambda: lab.receiver.got["/killed"])
    lab.core.stop(signal.SIGKILL)
    held.set()
    until(lambda: not lab.rows("SELECT 1 FROM pg_stat_activity WHERE application_name LIKE 'bimodal-core/%'"))
    lab.core.unheard()
    lab.core.start()
    assert lab.one("SELECT state FROM webhook.delivery WHERE id = %s", (did,)) == "waiting"
    lab.rows("UPDATE webhook.delivery SET leased_until = now() WHERE id = %s", (did,))
    d = lab.delivery(wid, did, "delivered")
    got = lab.receiver.got["/killed"]
    assert len(got) == 2 and got[0][0]["webhook-id"] == got[1][0]["webhook-id"] and d["attempts"] == 2


def test_bad_receivers_hold_up_nobody(lab):
    """One that never answers, one that drips, one that answers without an end: each attempt ends, and a good one is served meanwhile."""
    def silent(handler):
        time.sleep(3)

    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(30):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.1)

    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(2000):
            handler.wfile.write(b"x" * 65536)

    bad = {}
    for path, answer in (("/silent", silent), ("/drip", drip), ("/endless", endless)):
        wid, _ = lab.webhook(path)
        lab.receiver.answers[path] = [answer]
        bad[path] = (wid, [lab.test_message(wid) for _ in range(6)])
    good, _ = lab.webhook("/good")
    began = time.monotonic()
    lab.delivery(good, lab.test_message(good), "delivered")
    waited = time.monotonic() - began
    for path, (wid, dids) in bad.items():
        word = "larger than" if path == "/endless" else "in time"

        def log():
            return lab.core.get(f"/v1/webhooks/{wid}/deliveries", role="product_owner").json["data"]
        until(lambda: any(word in (a["error"] or "") for d in log() for a in d["log"] or ()), show=lambda: f"{path} {log()}")
        assert {d["id"] for d in log()} == set(dids) and not [d for d in log() if d["state"] == "delivered"], path
        assert lab.core.delete(f"/v1/webhooks/{wid}", role="product_owner").status == 204
    assert waited < 20, waited


def test_who_has_the_fewest_under_way_comes_first(lab):
    """One place is free, and others have waited far longer: they had theirs. Seen by one transaction alone, which is taken back."""
    db = lab.product.clusters.connect("core", autocommit=False)
    try:
        with db.cursor() as cur:
            cur.execute("SELECT set_config('bimodal.actor', 'test', true)")
            cur.execute("UPDATE webhook.endpoint SET disabled_at = now() WHERE disabled_at IS NULL")
            cur.execute("INSERT INTO webhook.message (key, type, payload) SELECT 'fair:' || i, 'webhook.test', '{}' FROM generate_series(1, 8) i")
            cur.execute("INSERT INTO webhook.endpoint (id, owner, created_by, url, description) SELECT gen_random_uuid(), %s, %s, 'https://example.org/', 'e' || i"
                        " FROM generate_series(1, 9) i", (lab.ids["operator"],) * 2)
            # Eight with a backlog of an hour: four of it under way, of the first one three. The ninth has one message, of this moment.
            cur.execute("INSERT INTO webhook.delivery (message, endpoint, due_at, leased_until)"
                        " SELECT m.id, e.id, now() - interval '1 hour', CASE WHEN m.n <= 4 - (e.description = 'e1')::int THEN now() + interval '1 min' END"
                        " FROM webhook.endpoint e, (SELECT id, row_number() OVER (ORDER BY id) AS n FROM webhook.message WHERE key LIKE 'fair:%%') m"
                        " WHERE e.description ~ '^e[1-8]$' AND e.disabled_at IS NULL")
            cur.execute("INSERT INTO webhook.delivery (message, endpoint, due_at) SELECT (SELECT min(id::text)::uuid FROM webhook.message WHERE key LIKE 'fair:%%'),"
                        " e.id, now() FROM webhook.endpoint e WHERE e.description = 'e9' AND e.disabled_at IS NULL")
            cur.execute("SELECT e.description FROM webhook.take(1, 4, '1 min') t JOIN webhook.delivery d ON d.id = t.delivery"
                        " JOIN webhook.endpoint e ON e.id = d.endpoint")
            assert cur.fetchall() == [("e9",)]
    finally:
        db.rollback()
        db.close()


@pytest.mark.parametrize("url, status", [
    ("http://10.0.0.1/x", 422), ("https://10.0.0.1/x", 422), ("https://169.254.169.254/latest/meta-data", 422), ("https://[::1]/x", 422),
    ("https://[::ffff:10.0.0.1]/x", 422), ("https://[::ffff:a00:1]/x", 422), ("https://0x7f.2/x", 422), ("https://2130706434/x", 422),
    ("https://[fd00:ec2::254]/x", 422), ("https://[64:ff9b::a00:1]/x", 422), ("https://[2002:a00:1::]/x", 422), ("http://8.8.8.8/x", 422),
    ("ftp://example.org/x", 422), ("file:///etc/passwd", 422), ("https://user:secret@example.org/", 422), ("https://exa mple.org/", 422),
    ("https://example.org/\r\nX: y", 422), ("gopher://127.0.0.1:25/x", 422), ("", 422), (5, 422), ("https://example.org/hook", 201)])
def test_urls_that_name_a_forbidden_address_are_refused(lab, url, status):
    r = lab.core.post("/v1/webhooks", {"url": url}, role="product_owner")
    assert r.status == status, r
    if status == 422:
        assert "/url" in r.body.decode(), r
    else:
        assert lab.core.delete(r.headers["Location"], role="product_owner").status == 204


def test_names_are_judged_by_the_address_they_lead_to(lab):
    """A name that resolves to loopback (another address than the one allowed), and https to an allowed network by a name."""
    port = lab.receiver.server_address[1]
    listener = socket.create_server(("127.0.0.2", port))
    try:
        wid, _ = lab.webhook("/name")
        for url in (f"https://localhost.localdomain:{port}/x", f"http://ip6-localhost:{port}/name6"):
            lab.rows("UPDATE webhook.endpoint SET url = %s WHERE id = %s", (url, wid))
            did = lab.test_message(wid)
            d = lab.delivery(wid, did, "dead", "waiting", "delivered")
            d = until(lambda: (lambda d: d if d["attempts"] and (d["error"] or d["state"] == "delivered") else None)(lab.delivery(wid, did, "dead", "waiting", "delivered")))
            assert d["state"] != "delivered", d
        # Addresses put straight into the table, past the check of the route: what is connected to is what counts.
        for url in (f"http://127.0.0.2:{port}/x", f"https://127.0.0.2:{port}/x", f"https://[::ffff:127.0.0.2]:{port}/x", f"https://[::1]:{port}/x",
                    "https://169.254.169.254/", f"http://0.0.0.0:{port}/x"):
            lab.rows("UPDATE webhook.endpoint SET url = %s WHERE id = %s", (url, wid))
            d = lab.delivery(wid, lab.test_message(wid), "dead")
            assert "may not be reached" in d["error"] and d["attempts"] == 1, (url, d)
        listener.settimeout(0.2)
        with pytest.raises(TimeoutError):
            listener.accept()
    finally:
        listener.close()


def test_redirects_are_not_followed(lab):
    wid, _ = lab.webhook("/redirect")
    lab.receiver.answers["/redirect"] = [lambda h: h.answer(302, [("Location", lab.receiver.url("/inside"))])]
    did = lab.test_message(wid)
    d = until(lambda: (lambda d: d if d["error"] else None)(lab.delivery(wid, did, "waiting", "dead")))
    assert "redirects are not followed" in d["error"] and not lab.receiver.got["/inside"] and not lab.receiver.got["GET /inside"]
    assert lab.core.delete(f"/v1/webhooks/{wid}", role="product_owner").status == 204


def test_webhooks_of_others_and_of_teams(lab):
    wid, _ = lab.webhook("/mine")
    did = lab.test_message(wid)
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate"), ("POST", "/test"), ("GET", "/deliveries"),
                         ("POST", f"/deliveries/{did}/replay")):
        body = None if method in ("GET", "DELETE") else {}
        assert lab.core.request(method, f"/v1/webhooks/{wid}{path}", body, role="innovator").status == 404, path
        assert lab.core.request(method, f"/v1/webhooks/{wid}{path}", body, role="agent").status == 403, path
    assert wid not in lab.core.get("/v1/webhooks", role="innovator").body.decode()
    team = lab.one("INSERT INTO access.team (name, slug) VALUES ('Team', %s) RETURNING id::text", (f"t{uuid.uuid4().hex[:8]}",))
    assert lab.core.post("/v1/webhooks", {"url": lab.receiver.url("/team"), "team": team}, role="innovator").status == 422
    lab.rows("INSERT INTO access.membership (principal, team) VALUES (%s, %s), (%s, %s)", (lab.ids["innovator"], team, lab.ids["operator"], team))
    r = lab.core.post("/v1/webhooks", {"url": lab.receiver.url("/team"), "team": team}, role="innovator")
    assert r.status == 201 and lab.core.get(f"/v1/webhooks/{r.json['id']}", role="operator").json["team"] == team
    key = uuid.uuid4().hex[:10]
    lab.note("flag.kill", {"key": key, "business_owner": "innovator", "technical_owner": "operator"})
    lab.notice("operator", "flag.killed", key)
    until(lambda: lab.receiver.got["/team"])
    lab.note("flag.kill", {"key": key + "-2", "business_owner": "innovator"})
    until(lambda: len(lab.receiver.got["/team"]) == 2)  # one a matter, not one a member
    assert [json.loads(b)["data"]["title"].count(key) for _, b in lab.receiver.got["/team"]] == [1, 1]
    for body, place in (({"url": lab.receiver.url("/x"), "types": []}, "/types"), ({"url": lab.receiver.url("/x"), "types": ["a b"]}, "/types/0"),
                        ({"types": ["*"]}, "/url"), ({"url": lab.receiver.url("/x"), "secret": "mine"}, "/secret"), ({"url": lab.receiver.url("/x"), "team": "x"}, "/team")):
        r = lab.core.post("/v1/webhooks", body, role="innovator")
        assert r.status == 422 and place in r.body.decode(), r


def test_a_team_is_sent_what_a_member_wants_sent(lab):
    """What every member has chosen to see in the inbox alone does not go to the team's receiver."""
    team = lab.one("INSERT INTO access.team (name, slug) VALUES ('Choosers', %s) RETURNING id::text", (f"t{uuid.uuid4().hex[:8]}",))
    lab.rows("INSERT INTO access.membership (principal, team) VALUES (%s, %s), (%s, %s)", (lab.ids["innovator"], team, lab.ids["operator"], team))
    assert lab.core.post("/v1/webhooks", {"url": lab.receiver.url("/choosers"), "team": team}, role="innovator").status == 201
    lab.settings("innovator", channels={"flag": ["app"]})
    lab.settings("operator", channels={"flag.killed": ["app"]})
    quiet, wanted = uuid.uuid4().hex[:10], uuid.uuid4().hex[:10]
    try:
        lab.note("flag.kill", {"key": quiet, "business_owner": "innovator", "technical_owner": "operator"})
        lab.note("flag.expire", {"key": wanted, "business_owner": "innovator", "technical_owner": "operator"})
        for role in ("innovator", "operator"):
            lab.notice(role, "flag.killed", quiet)
        until(lambda: lab.receiver.got["/choosers"])
        assert lab.one("SELECT string_agg(m.type, ' ') FROM webhook.delivery d JOIN webhook.message m ON m.id = d.message"
                       " JOIN webhook.endpoint e ON e.id = d.endpoint WHERE e.team = %s", (team,)) == "notice.flag.expired"
        assert wanted in lab.receiver.got["/choosers"][0][1].decode()
    finally:
        lab.settings("innovator")
        lab.settings("operator")


def test_a_leavers_webhook_ends_and_his_teams_stays(lab):
    leaver = lab.one("INSERT INTO access.principal (name, kind) VALUES (%s, 'user') RETURNING id::text", (f"leaver-{uuid.uuid4().hex[:8]}",))
    team = lab.one("INSERT INTO access.team (name, slug) VALUES ('Left', %s) RETURNING id::text", (f"t{uuid.uuid4().hex[:8]}",))
    ends = {who: lab.one("INSERT INTO webhook.endpoint (id, owner, team, created_by, url) VALUES (gen_random_uuid(), %s, %s, %s, 'https://example.org/')"
                         " RETURNING id::text", (leaver if who == "owner" else None, team if who == "team" else None, leaver)) for who in ("owner", "team")}
    waiting = lab.one("SELECT webhook.send_test(%s)::text", (ends["owner"],))
    r = lab.core.post(f"/v1/users/{leaver}/hand-over", {"successor": lab.ids["product_owner"], "reason": "leaves"}, role="operator")
    assert r.status == 200 and r.json["ended"]["webhooks"] == 1, r
    off = {k: lab.one("SELECT disabled_at IS NOT NULL FROM webhook.endpoint WHERE id = %s", (v,)) for k, v in ends.items()}
    assert off == {"owner": True, "team": False}
    lab.rows("SELECT webhook.care(interval '30 days', 100)")
    until(lambda: lab.one("SELECT state <> 'waiting' FROM webhook.delivery WHERE id = %s", (waiting,)))
