"""People sign in: passwords, cookies, CSRF, delays, sessions that end, one-time secrets, the way into the sandbox, and the attacks on it.

Every person signs in from an address of its own, so that the delays of one test are not those of another."""
import ctypes
import ctypes.util
import http.client
import itertools
import json
import pathlib
import re
import subprocess
import threading
import time
import uuid

import described
import pytest
import traced

PASSWORD = "a quiet harbour at 6 in the morning"
addresses = (f"127.{a}.{b}.9" for a in range(1, 250) for b in range(1, 250))
numbers = itertools.count(1)


class Answer:
    def __init__(self, r):
        self.status, self.headers, self.body = r.status, r.headers, r.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Browser:
    """One person at one address: keeps the cookie and the CSRF token as the console does."""

    def __init__(self, core, address=None):
        self.core, self.address = core, address or next(addresses)
        self.cookie = self.csrf = None

    def ask(self, method, path, body=None, csrf=True, cookie=None, headers=None):
        sent = dict(headers or {})
        if cookie or self.cookie:
            sent["Cookie"] = f"other=1; bimodal={cookie or self.cookie}"
        if csrf and self.csrf:
            sent["X-CSRF-Token"] = self.csrf
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        # A connection for each: the kernel gives them to all workers.
        c = http.client.HTTPConnection("127.0.0.1", self.core.port, timeout=60, source_address=(self.address, 0))
        try:
            c.request(method, path, json.dumps(body) if body is not None else None, sent)
            r = Answer(c.getresponse())
            described.check(self.core, method, path, r.status, r.headers, r.body)
            return r
        finally:
            c.close()

    def sign_in(self, login, password=PASSWORD, **kw):
        r = self.ask("POST", "/v1/session", {"login": login, "password": password}, **kw)
        if r.status == 201:
            self.cookie = re.match(r"bimodal=([\w-]{43});", r.headers["Set-Cookie"])[1]
            self.csrf = r.json["csrf_token"]
        return r

    def everywhere(self, status, n=12):
        """The same answer by every worker."""
        for _ in range(n):
            assert self.ask("GET", "/v1/session").status == status

    def soon_out(self, seconds=20):
        """Every worker will have heard of it."""
        deadline, refused = time.monotonic() + seconds, 0
        while refused < 12:
            refused = refused + 1 if self.ask("GET", "/v1/session").status == 401 else 0
            assert time.monotonic() < deadline


class Person:
    def __init__(self, product, roles, password=PASSWORD):
        self.id, self.login = str(uuid.uuid4()), f"person-{next(numbers)}-{uuid.uuid4().hex[:6]}"
        product.clusters.rows("core", "INSERT INTO access.principal (id, name, kind, email) VALUES (%s, %s, 'user', %s)",
                              (self.id, self.login, f"{self.login}@example.org"))
        for role in roles:
            product.clusters.rows("core", "INSERT INTO access.role_grant (principal, role) VALUES (%s, %s)", (self.id, role))
        if password:
            secret = product.core.post(f"/v1/users/{self.id}/password-reset", role="operator").json["secret"]
            assert product.core.post("/v1/password-reset", {"secret": secret, "password": password}, role=None).status == 204


def bimodal(product, *argv):
    """The command line as an operator; its answer."""
    token = product.secret("operator-token", product.core.tokens["operator"])
    done = traced.bimodal(product, "--raw", "--core", f"http://127.0.0.1:{product.core.port}", "--token-file", token, *argv)
    assert done.returncode == 0, done
    return json.loads(done.stdout) if done.stdout.strip() else None


@pytest.fixture(scope="module")
def agent(product):
    return Person(product, ["agent"])


@pytest.fixture(scope="module")
def operator(product):
    return Person(product, ["operator"])


def signed_in(core, person):
    b = Browser(core)
    assert b.sign_in(person.login).status == 201
    return b


def events(product, op, record=None):
    rows = product.clusters.rows("core", "SELECT actor, after FROM event.log WHERE op = %s AND (record_id = %s OR %s IS NULL) ORDER BY seq",
                                 (op, record, record))
    return [(actor, after) for actor, after in rows]


def forget(product):
    """What the workers remember of sessions is void: another generation, served by all of them."""
    g = product.clusters.one("core", "UPDATE access.state SET generation = generation + 1 RETURNING generation")
    product.clusters.rows("core", "SELECT pg_notify('bimodal_generation', 'access ' || %s)", (g,))
    product.clusters.wait("core", "SELECT bool_and(access_generation >= %s) FROM change.worker WHERE daemon = 'core'"
                                  " AND seen_at > clock_timestamp() - interval '3 seconds'", (g,))


# -- signing in and out

def test_first_administrator(product, core):
    product.clusters.rows("core", "DELETE FROM access.credential c USING access.role_grant g WHERE g.principal = c.principal AND g.role = 'operator'")
    secret = core.command("--create-admin", "first-admin").strip()
    assert len(secret) == 43
    b = Browser(core)
    assert b.sign_in("first-admin", secret).status == 401
    for password, code in (("too short", 1), (PASSWORD, 0), (PASSWORD + "!", 1)):
        done = traced.bimodal(product, "--core", f"http://127.0.0.1:{core.port}", "password", "set", input=f"{secret}\n{password}\n")
        assert done.returncode == code and secret not in done.stdout + done.stderr and PASSWORD not in done.stdout + done.stderr, done
    assert b.sign_in("first-admin").status == 201
    assert b.ask("GET", "/v1/session").json["roles"] == ["operator"]
    again = subprocess.run(core.argv("--create-admin", "second-admin"), capture_output=True, text=True, timeout=60)
    assert again.returncode == 1 and "--force" in again.stderr and again.stdout == "", again
    assert len(core.command("--create-admin", "second-admin", "--force").strip()) == 43


def test_sign_in(product, core, agent):
    b = Browser(core)
    r = b.sign_in(agent.login)
    assert r.status == 201 and r.headers["Cache-Control"] == "no-store", r
    assert re.fullmatch(r"bimodal=[\w-]{43}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict", r.headers["Set-Cookie"])
    assert r.json["principal"] == agent.id and r.json["roles"] == ["agent"] and r.json["method"] == "password"
    b.everywhere(200)
    assert b.ask("GET", "/v1/me").json["principal"] == agent.id
    assert b.ask("GET", "/v1/people?limit=1").status == 200
    assert b.ask("GET", "/v1/changes").status == 403
    made = b.ask("POST", "/v1/people", {"given_name": "By", "family_name": "Cookie"})
    assert made.status == 201, made
    assert product.clusters.one("core", "SELECT actor FROM event.log WHERE record_id = %s", (made.json["id"],)) == agent.id
    # Only the hash is kept.
    assert product.clusters.one("core", "SELECT count(*) FROM access.session WHERE hash = sha256(%s)", (b.cookie.encode(),)) == 1
    assert b.cookie not in str(product.clusters.rows("core", "SELECT * FROM access.session")) and b.cookie not in core.log.read_text()
    # By e-mail too, in any case of letters.
    assert Browser(core).sign_in(f"{agent.login.upper()}@example.org").status == 201


def test_sign_out_acts_at_once_everywhere(product, core, agent):
    b, other = signed_in(core, agent), signed_in(core, agent)
    b.everywhere(200)
    r = b.ask("DELETE", "/v1/session")
    assert r.status == 204 and "Max-Age=0" in r.headers["Set-Cookie"]
    b.everywhere(401)
    assert b.ask("GET", "/v1/session").json["reason"] == "session"
    other.everywhere(200, 4)
    session = product.clusters.one("core", "SELECT id::text FROM access.session WHERE hash = sha256(%s)", (b.cookie.encode(),))
    assert [a for a, _ in events(product, "session.end", session)] == [agent.id]
    assert len(events(product, "session.begin", session)) == 1


def test_a_cookie_is_not_adopted(product, core, agent):
    """Session fixation: neither a secret of the attacker's nor a live one survives a sign-in."""
    planted = "A" * 43
    b = Browser(core)
    assert b.sign_in(agent.login, cookie=planted).status == 201 and b.cookie != planted
    assert Browser(core).ask("GET", "/v1/session", cookie=planted).status == 401
    first = b.cookie
    assert b.sign_in(agent.login).status == 201 and b.cookie != first
    old = Browser(core)
    old.cookie = first
    product.clusters.wait("core", "SELECT revoked_at IS NOT NULL FROM access.session WHERE hash = sha256(%s)", (first.encode(),))
    forget(product)
    old.everywhere(401, 4)
    # Two of one name, as a neighbouring site can plant: none counts.
    r = Browser(core).ask("GET", "/v1/session", headers={"Cookie": f"bimodal={b.cookie}; bimodal={planted}"})
    assert r.status == 401 and r.json["reason"] == "missing"


def test_a_token_is_judged_alone(core, agent):
    b = signed_in(core, agent)
    bearer = {"Authorization": "Bearer " + core.tokens["operator"]}
    assert b.ask("GET", "/v1/changes", headers=bearer).status == 200
    assert b.ask("GET", "/v1/session", headers=bearer).status == 404
    assert b.ask("GET", "/v1/session", headers={"Authorization": "Bearer nonsense"}).status == 401
    # And no cookie is looked at where nothing is asked for.
    assert Browser(core).ask("GET", "/healthz", cookie="B" * 43).status == 200


def test_a_known_session_costs_no_query(product, core, agent):
    """Its row is taken away behind the workers' backs: they go on by what they remember, until a generation says otherwise."""
    b = signed_in(core, agent)
    b.everywhere(200)
    product.clusters.rows("core", "DELETE FROM access.session WHERE hash = sha256(%s)", (b.cookie.encode(),))
    assert [b.ask("GET", "/v1/me").status for _ in range(6)] == [200] * 6
    forget(product)
    assert [b.ask("GET", "/v1/me").status for _ in range(6)] == [401] * 6


# -- CSRF

def test_a_stolen_cookie_writes_nothing(core, agent):
    b, other = signed_in(core, agent), signed_in(core, agent)
    host = f"127.0.0.1:{core.port}"
    person = {"given_name": "Forged"}
    for headers, reason in (({}, "csrf-missing"), ({"X-CSRF-Token": ""}, "csrf-wrong"), ({"X-CSRF-Token": "x" * 43}, "csrf-wrong"),
                            ({"X-CSRF-Token": other.csrf}, "csrf-wrong"), ({"X-CSRF-Token": b.csrf, "Origin": "https://evil.example"}, "origin"),
                            ({"X-CSRF-Token": b.csrf, "Origin": "null"}, "origin"), ({"X-CSRF-Token": b.csrf, "Origin": f"http://{host}.evil.example"}, "origin"),
                            ({"X-CSRF-Token": b.csrf, "Sec-Fetch-Site": "cross-site"}, "origin"),
                            ({"X-CSRF-Token": b.csrf, "Sec-Fetch-Site": "same-site"}, "origin")):
        for method, path, body in (("POST", "/v1/people", person), ("DELETE", "/v1/session", None), ("POST", "/v1/session/sandbox-token", {}),
                                   ("PUT", "/v1/me/password", {"old": PASSWORD, "new": "never to be set by anybody"})):
            r = b.ask(method, path, body, csrf=False, headers=headers)
            assert r.status == 403 and r.json["reason"] == reason, (method, path, headers, r)
    assert b.ask("POST", "/v1/people", person, headers={"Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}).status == 201
    # Nobody is signed in by another site either: not across origins, not by a form.
    login = {"login": agent.login, "password": PASSWORD}
    assert Browser(core).ask("POST", "/v1/session", login, headers={"Origin": "https://evil.example"}).json["reason"] == "origin"
    assert Browser(core).ask("POST", "/v1/session", login, headers={"Content-Type": "text/plain"}).status == 415


def test_a_forged_write_is_noted_as_one(product, core):
    """Under a reason of its own: its principal had the right."""
    person = Person(product, ["agent"])
    b = signed_in(core, person)
    assert b.ask("POST", "/v1/people", {"given_name": "Forged"}, csrf=False).status == 403
    assert b.ask("GET", "/v1/changes").status == 403
    reasons = ("SELECT array_agg(after->>'route' || ' ' || (after->>'reason') ORDER BY 1) FROM (SELECT DISTINCT after FROM event.log"
               " WHERE op = 'access.refused' AND actor = %s) x")
    product.clusters.wait("core", f"SELECT cardinality(({reasons})) >= 2", (person.id,))
    assert product.clusters.one("core", reasons, (person.id,)) == ["change.list right", "record.create csrf"]


# -- guessing

def wrong(core, login, address=None, n=1):
    b = Browser(core, address)
    for _ in range(n):
        r = b.sign_in(login, "not the password at all")
    return r


@pytest.mark.parametrize("exists", [True, False])
def test_an_account_is_slowed_down(product, core, exists):
    """A stranger's guesses are delayed, from whatever address; the delays are the same for a name that nobody has."""
    person = Person(product, ["agent"]) if exists else None
    login = person.login if exists else f"nobody-{uuid.uuid4().hex}"
    key = (person.id if exists else login).encode()

    def row():
        return product.clusters.rows("core", "SELECT failures, greatest(0, round(extract(epoch FROM locked_until - last_at)))::int FROM access.lockout"
                                             " WHERE kind = 'account' AND key = sha256(%s)", (key,))[0]

    def put(what):
        product.clusters.rows("core", f"UPDATE access.lockout SET {what} WHERE kind = 'account' AND key = sha256(%s)", (key,))

    assert wrong(core, login, n=4).status == 401 and row() == (4, 0)
    r = wrong(core, login)
    assert r.status == 401 and r.json["reason"] == "sign-in"
    for failures, delay in ((5, 1), (6, 2), (7, 4)):
        assert row() == (failures, delay)
        put("locked_until = now() + interval '1 minute'")  # a loaded machine may need longer than the delay
        r = Browser(core).sign_in(login)  # the right password if there is one
        assert r.status == 429 and 1 <= int(r.headers["Retry-After"]) <= 60 and r.json["code"] == "quota-exceeded", r
        assert row()[0] == failures  # knocking does not keep it shut
        put("locked_until = now()")
        assert wrong(core, login).status == 401
    # Not for good: there is a longest delay.
    put("failures = 900, locked_until = now()")
    assert wrong(core, login).status == 401
    assert row() == (901, 300)
    assert any(after["kind"] == "account" for _, after in events(product, "session.locked"))


def test_strangers_cannot_lock_a_person_out(product, core):
    person = Person(product, ["agent"])
    home = signed_in(core, person).address
    for _ in range(5):
        wrong(core, person.login)
    product.clusters.rows("core", "UPDATE access.lockout SET locked_until = now() + interval '1 minute' WHERE kind = 'account'"
                          " AND key = sha256(%s)", (person.id.encode(),))  # a loaded machine may need longer than the delay
    assert Browser(core).sign_in(person.login).status == 429
    assert Browser(core, home).sign_in(person.login).status == 201
    # And the right password takes everything back.
    assert product.clusters.one("core", "SELECT count(*) FROM access.lockout WHERE kind = 'account' AND key = sha256(%s)", (person.id.encode(),)) == 0
    assert Browser(core).sign_in(person.login).status == 201


def test_guesses_from_home_are_counted_apart(product, core):
    """Strangers do not lock out who was here before from his address; whoever sits there does not guess without end either."""
    person = Person(product, ["agent"])
    home = signed_in(core, person).address
    everywhere, here = person.id.encode(), f"{person.id}\n{home}".encode()

    def failures(key):
        return [n for n, in product.clusters.rows("core", "SELECT failures FROM access.lockout WHERE kind = 'account' AND key = sha256(%s)", (key,))]

    def lock(until):
        product.clusters.rows("core", f"UPDATE access.lockout SET locked_until = now() + interval '{until}' WHERE key = sha256(%s)", (here,))

    assert wrong(core, person.login, home, n=5).status == 401
    assert (failures(everywhere), failures(here)) == ([], [5])
    lock("1 minute")
    assert Browser(core, home).sign_in(person.login).status == 429
    assert Browser(core).sign_in(person.login).status == 201
    lock("0")
    assert Browser(core, home).sign_in(person.login).status == 201
    assert (failures(everywhere), failures(here)) == ([], [])


def test_an_address_is_slowed_down(product, core, agent):
    address = next(addresses)
    for n in range(20):
        assert wrong(core, f"many-{n}-{uuid.uuid4().hex}", address).status == 401
    r = Browser(core, address).sign_in(agent.login)
    assert r.status == 429 and "Retry-After" in r.headers
    assert Browser(core).sign_in(agent.login).status == 201
    assert any(after["kind"] == "address" and after["who"] == address for _, after in events(product, "session.locked"))


def processor_time(core):
    """Of the daemon's processes with all their threads, in ticks: what a machine's load does not stretch, as it does a wait."""
    pid = core.process.pid
    below = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(sum(map(int, pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()[11:13])) for p in below)


def test_nobody_costs_what_somebody_costs(product, core):
    """By the same path: a refusal has hashed for an unknown name and for one without a password too."""
    person, without = Person(product, ["agent"]), Person(product, ["agent"], password=None)
    cost = {}
    for login in (person.login, without.login, f"nobody-{uuid.uuid4().hex}"):
        before = processor_time(core)
        for _ in range(4):
            r = wrong(core, login)
            assert r.status == 401 and r.json["detail"] == "the login or the password is wrong"
        cost[login] = processor_time(core) - before
    known = cost[person.login]
    assert known > 4 and all(known / 3 < t < known * 3 for t in cost.values()), cost


def test_names_that_would_break_a_log(product, core):
    before = core.log.stat().st_size
    # Nothing raw arrives anywhere: refused, or kept as a hash.
    for login in ("a\r\nSet-Cookie: bimodal=x", "a\n{\"level\":\"error\"}", "a\x1b[2J", "a\x00b", "x" * 201, ""):
        r = Browser(core).sign_in(login)
        assert r.status in (400, 422) and "Set-Cookie" not in r.headers, (login, r)
    odd = f"<script>alert(1)</script>'; DROP TABLE access.session; -- {uuid.uuid4().hex} \u202e\U0001f480"
    assert Browser(core).sign_in(odd).status == 401
    actor, after = events(product, "session.refused")[-1]
    assert actor == "anonymous" and after["principal"] is None and after["login"] == "unknown"
    lines = core.log.read_bytes()[before:].decode().splitlines()
    assert all(json.loads(line) for line in lines) and "DROP TABLE" not in "".join(lines)
    assert product.clusters.one("core", "SELECT count(*) FROM event.log WHERE after::text LIKE '%%DROP TABLE%%'") == 0


# -- behind TLS, and under load

class Strict:
    """One more instance of core beside the product's: its cookie is only for TLS, a hash is dear, and nobody waits for a thread."""
    name = "core"

    def __init__(self, product):
        from clusters import free_port
        self.product, self.port = product, free_port()
        self.log = product.dir / "strict.log"
        config = product.dir / "strict.yaml"
        config.write_text(f"instance: {{ name: strict }}\nhttp: {{ port: {self.port}, workers: 1 }}\n"
                          f"process: {{ pid_file: \"{product.dir}/strict.pid\" }}\n"
                          "session: { secure: true, hash_queue: 0, argon2_memory: 48MiB, argon2_passes: 4 }\n")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(product.core.argv("-c", str(config)), stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ready(self):
        deadline = time.monotonic() + 60
        while True:
            try:
                if Browser(self).ask("GET", "/readyz").status == 200:
                    return self
            except OSError:
                pass
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()[-2000:]
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        assert self.process.wait(30) == 0
        self.product.clusters.rows("core", "DELETE FROM change.worker WHERE instance = 'strict'")


@pytest.fixture(scope="module")
def strict(product):
    s = Strict(product)
    try:
        yield s.ready()
    finally:
        s.stop()


def test_a_cookie_for_tls_alone(strict, agent):
    b = Browser(strict)
    r = b.ask("POST", "/v1/session", {"login": agent.login, "password": PASSWORD})
    assert r.status == 201, r
    secret = re.fullmatch(r"__Host-bimodal=([\w-]{43}); Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure", r.headers["Set-Cookie"])[1]
    assert r.headers.get_all("Strict-Transport-Security") == ["max-age=31536000"]    # the proxy need not add it
    host = f"127.0.0.1:{strict.port}"
    sent = {"Cookie": f"__Host-bimodal={secret}", "X-CSRF-Token": r.json["csrf_token"]}
    # The name alone is not enough elsewhere, and a page without TLS is another origin.
    assert b.ask("GET", "/v1/session", headers={"Cookie": f"bimodal={secret}"}).status == 401
    assert b.ask("DELETE", "/v1/session", headers={**sent, "Origin": f"http://{host}"}).json["reason"] == "origin"
    assert b.ask("DELETE", "/v1/session", headers={**sent, "Origin": f"https://{host}"}).status == 204
    assert b.ask("GET", "/v1/session", headers=sent).status == 401


def test_a_storm_is_told_to_come_back(strict):
    """While one password is hashed, more are refused at once, and who asks for something else is answered."""
    found, others = [], []

    def storm():
        r = wrong(strict, f"nobody-{uuid.uuid4().hex}")
        found.append((r.status, r.headers["Retry-After"]))

    for _ in range(10):
        threads = [threading.Thread(target=storm) for _ in range(8)]
        for t in threads:
            t.start()
        while any(t.is_alive() for t in threads):
            others.append(Browser(strict).ask("GET", "/v1/me", headers={"Authorization": f"Bearer {strict.product.core.tokens['agent']}"}).status)
        if any(status == 503 for status, _ in found):
            break
    assert {status for status, _ in found} == {401, 503} and others and set(others) == {200}, (found, others)
    assert all(after == ("1" if status == 503 else None) for status, after in found), found


# -- passwords

@pytest.mark.parametrize("password, says", [("short words", "12 characters"), ("aaaaaaaaaaaaaaaa", "different"), ("Password1234", "commonest"),
                                            ("x" * 100 + "\u00e9" * 100, "longer"), ("tab\there and more of it", "control"), (None, "name")])
def test_passwords_that_are_refused(core, product, agent, password, says):
    r = signed_in(core, agent).ask("PUT", "/v1/me/password", {"old": PASSWORD, "new": agent.login.upper() if password is None else password})
    assert r.status == 422 and (says in r.body.decode() or "256 bytes" in r.body.decode()), r


def test_change_of_password(product, core):
    person = Person(product, ["agent"])
    b, other = signed_in(core, person), signed_in(core, person)
    r = b.ask("PUT", "/v1/me/password", {"old": "not the password at all", "new": "the next one, longer"})
    assert r.status == 403 and r.json["errors"][0]["pointer"] == "/old", r
    assert b.ask("PUT", "/v1/me/password", {"old": PASSWORD, "new": "the next one, longer"}).status == 204
    other.everywhere(401, 6)
    b.everywhere(200, 4)
    assert Browser(core).sign_in(person.login).status == 401
    assert Browser(core).sign_in(person.login, "the next one, longer").status == 201
    assert [a for a, _ in events(product, "password.set", person.id)] == [person.id] * 2
    seen = str(product.clusters.rows("core", "SELECT before, after FROM event.log WHERE actor = %s", (person.id,)))
    assert "argon2" not in seen and "longer" not in seen


def test_one_time_secret(product, core, agent, operator):
    boss = signed_in(core, operator)
    assert boss.ask("POST", f"/v1/users/{operator.id}/password-reset").status == 403
    person = Person(product, ["agent"])
    b = signed_in(core, person)
    assert core.post(f"/v1/users/{person.id}/password-reset", role="agent").status == 403
    assert core.post(f"/v1/users/{uuid.uuid4()}/password-reset", role="operator").status == 404
    first, second = (core.post(f"/v1/users/{person.id}/password-reset", role="operator").json["secret"] for _ in range(2))
    new = {"password": "another harbour, another morning"}
    for secret in (first, "x", "A" * 43):
        assert core.post("/v1/password-reset", {"secret": secret, **new}, role=None).status == 403
    assert core.post("/v1/password-reset", {"secret": second, "password": "too short"}, role=None).status == 422
    assert core.post("/v1/password-reset", {"secret": second, **new}, role=None).status == 204
    b.everywhere(401, 6)
    assert Browser(core).sign_in(person.login, new["password"]).status == 201
    late = core.post(f"/v1/users/{person.id}/password-reset", role="operator").json["secret"]
    product.clusters.rows("core", "UPDATE access.password_reset SET expires_at = now() - interval '1 second' WHERE principal = %s", (person.id,))
    assert core.post("/v1/password-reset", {"secret": late, **new}, role=None).status == 403
    assert late not in core.log.read_text()


def test_a_narrowed_token_makes_no_secret(product, core, agent):
    """Whoever has the secret becomes that person, with all his rights."""
    until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    made = core.post("/v1/tokens", {"audience": "core", "expires_at": until, "scopes": ["user.*", "me.*"]}, role="operator")
    assert made.status == 201, made
    deadline = time.monotonic() + 20
    while (r := core.post(f"/v1/users/{agent.id}/password-reset", token=made.json["token"])).status == 401:
        assert time.monotonic() < deadline
    assert r.status == 403 and "narrowed" in r.json["detail"], r
    assert product.clusters.one("core", "SELECT count(*) FROM access.password_reset WHERE principal = %s", (agent.id,)) == 0


def change_of(product, author, filed_by=None):
    """A rehearsed change, as the executor leaves it."""
    return product.clusters.rows("core", "INSERT INTO change.request (kind, title, author, filed_by, up, package, sha256, state, why, closure_hash,"
                                    " business_owner, technical_owner) SELECT 'schema', 'to be approved', %s, %s, 'SELECT 1', 'x', '', 'rehearsed', 'because', 'c',"
                                    " b.id, t.id FROM access.principal b, access.principal t WHERE b.name = 'product_owner' AND t.name = 'innovator' RETURNING id::text",
                                    (author.id, (filed_by or author).id))[0][0]


def test_who_makes_the_secret_does_not_approve_by_it(product, core):
    """Four eyes: an author who sets another's password could be both. Changing it by the old one proves nothing: he knows that one too."""
    author, peer, approver = Person(product, ["operator"]), Person(product, ["operator"]), Person(product, ["product_owner"])

    def given_by(who):
        r = signed_in(core, who).ask("POST", f"/v1/users/{approver.id}/password-reset")
        assert core.post("/v1/password-reset", {"secret": r.json["secret"], "password": PASSWORD}, role=None).status == 204

    def approved(change, status=200):
        r = signed_in(core, approver).ask("POST", f"/v1/changes/{change}/approve", {})
        assert r.status == status and (status == 200 or "secret" in r.json["detail"]), r

    mine, filed, peers = change_of(product, author), change_of(product, peer, filed_by=author), change_of(product, peer)
    try:
        given_by(author)
        approved(mine, 409)
        approved(filed, 409)
        approved(peers)
        r = signed_in(core, approver).ask("PUT", "/v1/me/password", {"old": PASSWORD, "new": PASSWORD})
        assert r.status == 204, r
        approved(mine, 409)
        given_by(peer)
        approved(mine)
        approved(filed, 409)
        assert product.clusters.one("core", "SELECT count(*) FROM change.approval WHERE request = %s", (filed,)) == 0
    finally:
        product.clusters.rows("core", "UPDATE change.request SET state = 'rejected' WHERE id::text IN (%s, %s, %s)", (mine, filed, peers))


def test_hashes_grow_with_the_settings(product, core, agent):
    made = ctypes.create_string_buffer(300)
    lib = ctypes.CDLL(ctypes.util.find_library("sodium"))
    assert lib.sodium_init() >= 0
    assert lib.crypto_pwhash_str_alg(made, PASSWORD.encode(), ctypes.c_ulonglong(len(PASSWORD.encode())), ctypes.c_ulonglong(1),
                                     ctypes.c_size_t(1 << 20), 2) == 0
    person = Person(product, ["agent"])
    product.clusters.rows("core", "UPDATE access.credential SET phc = %s WHERE principal = %s", (made.value.decode(), person.id))
    assert Browser(core).sign_in(person.login, "not the password at all").status == 401
    phc = "SELECT phc FROM access.credential WHERE principal = %s"
    assert "m=1024,t=1" in product.clusters.one("core", phc, (person.id,))
    assert Browser(core).sign_in(person.login).status == 201
    better = product.clusters.one("core", phc, (person.id,))
    assert better.startswith("$argon2id$v=19$m=9216,t=4,p=1$")
    assert Browser(core).sign_in(person.login).status == 201 and product.clusters.one("core", phc, (person.id,)) == better


# -- sessions that end

# Not by last_seen_at: the workers write it, and may do so a moment later.
@pytest.mark.parametrize("how", ["idle = interval '1 microsecond'", "expires_at = now()"])
def test_sessions_expire(product, core, agent, how):
    b = signed_in(core, agent)
    b.everywhere(200, 4)
    product.clusters.rows("core", f"UPDATE access.session SET {how} WHERE hash = sha256(%s)", (b.cookie.encode(),))
    forget(product)
    b.everywhere(401, 4)


def test_last_seen_is_written_in_batches(product, core, agent):
    b = signed_in(core, agent)
    product.clusters.rows("core", "UPDATE access.session SET last_seen_at = now() - interval '10 minutes' WHERE hash = sha256(%s)", (b.cookie.encode(),))
    b.everywhere(200, 2)
    product.clusters.wait("core", "SELECT last_seen_at > now() - interval '1 minute' FROM access.session WHERE hash = sha256(%s)", (b.cookie.encode(),))


def test_a_leaver_is_out(product, core, operator):
    """Hand-over ends sessions by the list of what ends with its person."""
    person, boss = Person(product, ["agent"]), signed_in(core, operator)
    b = signed_in(core, person)
    b.everywhere(200, 4)
    r = boss.ask("POST", f"/v1/users/{person.id}/hand-over", {"successor": operator.id, "reason": "leaves the company"})
    assert r.status == 200, r
    b.soon_out()
    assert product.clusters.one("core", "SELECT count(*) FROM access.session WHERE principal = %s AND revoked_at IS NULL", (person.id,)) == 0
    assert Browser(core).sign_in(person.login).status == 401


def test_who_is_disabled_is_out(product, core):
    person = Person(product, ["agent"])
    b = signed_in(core, person)
    product.clusters.rows("core", "UPDATE access.principal SET disabled_at = now() WHERE id = %s", (person.id,))
    b.soon_out()
    r = Browser(core).sign_in(person.login)
    assert r.status == 401 and r.json["reason"] == "sign-in"


def test_a_disabled_persons_sessions_do_not_come_back(product, core):
    person = Person(product, ["agent"])
    b = signed_in(core, person)
    b.everywhere(200, 4)
    secret = core.post(f"/v1/users/{person.id}/password-reset", role="operator").json["secret"]
    assert core.post(f"/v1/users/{person.id}/disable", role="operator").status == 200
    b.soon_out()
    assert core.post(f"/v1/users/{person.id}/enable", role="operator").status == 200
    forget(product)
    b.everywhere(401, 6)
    assert core.post("/v1/password-reset", {"secret": secret, "password": PASSWORD}, role=None).status == 403
    assert Browser(core).sign_in(person.login).status == 201


def test_lists_and_revocation(product, core, operator):
    person, peer = Person(product, ["innovator"]), Person(product, ["innovator"])
    one, two, boss, stranger = signed_in(core, person), signed_in(core, person), signed_in(core, operator), signed_in(core, peer)
    own = one.ask("GET", "/v1/sessions").json["data"]
    assert len(own) == 2 and [s["current"] for s in own] == [False, True] and {s["address"] for s in own} == {one.address, two.address}
    assert one.ask("GET", "/v1/sessions?all=true").status == 403 and one.ask("GET", f"/v1/sessions?principal={peer.id}").status == 403
    page = one.ask("GET", "/v1/sessions?limit=1").json
    assert page["page"]["has_more"] and one.ask("GET", f"/v1/sessions?limit=1&after={page['page']['next']}").json["data"][0]["id"] == own[1]["id"]
    assert len(boss.ask("GET", f"/v1/sessions?principal={person.id}").json["data"]) == 2
    assert len(boss.ask("GET", "/v1/sessions?all=true&limit=200").json["data"]) >= 4
    # Guessing an id gives nothing; nobody ends what is another's.
    assert stranger.ask("DELETE", f"/v1/sessions/{own[0]['id']}").status == 404
    assert stranger.ask("DELETE", f"/v1/sessions/{uuid.uuid4()}").status == 404
    assert stranger.ask("DELETE", f"/v1/users/{person.id}/sessions").status == 403
    assert one.ask("DELETE", f"/v1/sessions/{own[0]['id']}").status == 204
    two.everywhere(401, 6)
    one.everywhere(200, 2)
    r = boss.ask("DELETE", f"/v1/users/{person.id}/sessions")
    assert r.status == 200 and r.json == {"ended": 1}
    one.everywhere(401, 6)
    assert events(product, "session.revoke", own[1]["id"]) == [(operator.id, {"principal": person.id})]


def test_the_command_line(product, core):
    person = Person(product, ["agent"])
    one, two = signed_in(core, person), signed_in(core, person)
    live = [s for s in bimodal(product, "session", "list", "--all")["data"] if s["principal"] == person.id]
    assert {s["address"] for s in live} == {one.address, two.address}
    bimodal(product, "session", "end", next(s["id"] for s in live if s["address"] == one.address))
    one.everywhere(401, 4)
    two.everywhere(200, 4)
    assert bimodal(product, "session", "end-all", person.id) == {"ended": 1}
    two.everywhere(401, 4)
    assert len(bimodal(product, "password", "reset", person.id)["secret"]) == 43


def test_a_person_has_twenty_sessions_at_most(product, core):
    person = Person(product, ["agent"])
    first = signed_in(core, person)
    product.clusters.rows("core", "INSERT INTO access.session (id, principal, hash, method, address, agent, created_at, idle, expires_at) SELECT"
                          " gen_random_uuid(), %s, sha256(convert_to(%s || n, 'UTF8')), 'password', 'x', 'x', now() + n * interval '1 ms', '1 h',"
                          " now() + interval '1 h' FROM generate_series(1, 19) n", (person.id, person.id))
    signed_in(core, person)
    assert product.clusters.one("core", "SELECT count(*) FROM access.session WHERE principal = %s AND revoked_at IS NULL", (person.id,)) == 20
    forget(product)
    first.everywhere(401, 4)


# -- the sandbox

def test_a_session_is_exchanged_for_a_sandbox_token(product, core, sandbox):
    person = Person(product, ["innovator"])
    b = signed_in(core, person)
    r = b.ask("POST", "/v1/session/sandbox-token", {})
    assert r.status == 201 and r.headers["Cache-Control"] == "no-store", r
    token = r.json["token"]
    assert core.get("/v1/me", token=token).json["reason"] == "other-daemon"

    def sandbox_says(status, seconds=30):
        deadline = time.monotonic() + seconds
        while (r := sandbox.get("/v1/me", token=token)).status != status:
            assert time.monotonic() < deadline, r
            time.sleep(0.05)
        return r

    assert sandbox_says(200).json["principal"] == person.id
    left = product.clusters.one("core", "SELECT extract(epoch FROM expires_at - now())::float8 FROM access.token WHERE hash = sha256(%s)", (token.encode(),))
    assert 0 < left <= 900
    # A few live ones a session; the last three.
    for _ in range(4):
        assert b.ask("POST", "/v1/session/sandbox-token", {}).status == 201
    assert product.clusters.one("core", "SELECT count(*) FROM access.token WHERE principal = %s AND revoked_at IS NULL", (person.id,)) == 3
    sandbox_says(401)
    token = b.ask("POST", "/v1/session/sandbox-token", {}).json["token"]
    sandbox_says(200)
    assert b.ask("DELETE", "/v1/session").status == 204
    sandbox_says(401)
    assert core.post("/v1/session/sandbox-token", role="operator").status == 404


def test_a_session_is_exchanged_ten_times_a_minute(product, core):
    """Each exchange makes every worker read the tokens anew."""
    person = Person(product, ["innovator"])
    b, other = signed_in(core, person), signed_in(core, person)
    assert [b.ask("POST", "/v1/session/sandbox-token", {}).status for _ in range(11)] == [201] * 10 + [429]
    assert other.ask("POST", "/v1/session/sandbox-token", {}).status == 201
    product.clusters.rows("core", "UPDATE access.token SET created_at = created_at - interval '1 minute' WHERE principal = %s", (person.id,))
    assert b.ask("POST", "/v1/session/sandbox-token", {}).status == 201


def test_what_a_session_was_exchanged_for_does_not_outlive_it(product, core):
    """Rotated, it would be a token like any other."""
    person = Person(product, ["innovator"])
    b = signed_in(core, person)
    token = b.ask("POST", "/v1/session/sandbox-token", {}).json["token"]
    (tid,), = product.clusters.rows("core", "SELECT id::text FROM access.token WHERE hash = sha256(%s)", (token.encode(),))
    r = b.ask("POST", f"/v1/tokens/{tid}/rotate", {})
    assert r.status == 409 and "session" in r.json["detail"], r
    assert product.clusters.one("core", "SELECT count(*) FROM access.token WHERE principal = %s", (person.id,)) == 1


def test_what_is_over_is_removed(product, core):
    c = product.clusters
    person = Person(product, ["agent"])
    c.rows("core", "INSERT INTO access.session (id, principal, hash, method, address, agent, idle, expires_at) VALUES (gen_random_uuid(), %s,"
           " sha256(%s), 'password', 'x', 'x', '1 h', now() - interval '31 days')", (person.id, person.id.encode()))
    c.rows("core", "INSERT INTO access.lockout VALUES ('account', sha256(%s), 3, now() - interval '25 hours', now())", (person.id.encode(),))
    c.rows("core", "INSERT INTO access.token (principal, audience, hash, prefix, expires_at, session) VALUES (%s, 'sandbox', sha256(%s), 'x',"
           " now() - interval '25 hours', gen_random_uuid())", (person.id, person.id.encode()))
    assert c.one("core", "SELECT access.session_care()", role="bimodal_executor") >= 3
    assert c.one("core", "SELECT access.session_care()", role="bimodal_executor") == 0
