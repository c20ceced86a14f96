"""People sign in by OpenID Connect: with a real provider (users, groups and roles, rotation of keys, refusals), and with one that lies
(forged tokens, wrong answers). Every browser has an address of its own, so that the delays of one test are not those of another."""
import json
import subprocess
import time
import urllib.parse

import pytest

from clusters import ROOT
from identity import Browser, Key, Liar, Provider, b64, challenge, hs256, token
from product import BUILD, Product

SECRET = "a secret: of the client + ours/="
addresses = (f"127.{a}.{b}.11" for a in range(1, 250) for b in range(1, 250))
GROUPS = "crm-agents = agent; cn=owners,ou=crm = product_owner; crm-operators = operator"


class OidcProduct(Product):
    provider = liar = None

    def configure(self):
        super().configure()
        if self.provider is None:
            self.base = f"http://127.0.0.1:{self.core.port}"
            Browser.daemons[self.base] = self.core
            self.provider = Provider(self.base + "/v1/session/oidc/callback", SECRET, self.dir / "provider.log")
            self.liar = Liar()
        for name, issuer, more, top in (("real", self.provider.issuer, "  create_users: true\n  keys_max_age: 1h\n", ""),
                                        ("lies", self.liar.issuer, "  create_users: true\n  keys_max_age: 10s\n", "session: { secure: true }\n")):
            (self.dir / f"oidc-{name}.yaml").write_text(
                f"oidc:\n  issuer: {issuer}\n  client_id: bimodal\n  client_secret_file: \"{self.secret('oidc-client', SECRET)}\"\n"
                f"  redirect_base: {self.base}/\n  roles: \"{GROUPS}\"\n  keys_pause: 1s\n{more}{top}")
        self.speaks("real")

    def speaks(self, name):
        self.core.more = ("-c", str(self.dir / f"oidc-{name}.yaml"))

    def start(self):
        super().start()
        self.provider.ready()
        return self

    def stop(self):
        for one in (self.provider, self.liar):
            if one is not None:
                one.stop()
        super().stop()


@pytest.fixture(scope="module")
def product():
    p = OidcProduct().start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


@pytest.fixture(scope="module")
def real(product):
    return product.provider


def start(product, browser, query=""):
    """The address at the provider that a browser is sent to, and its parameters."""
    deadline = time.monotonic() + 30
    r = browser.open(f"{product.base}/v1/session/oidc{query}")
    while r.status == 502 and time.monotonic() < deadline:  # each worker asks for itself, and may have done so too early
        r = browser.open(f"{product.base}/v1/session/oidc{query}")
    assert r.status == 302, r
    return r.location, dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(r.location).query)), r


def come_back(product, browser, login, query=""):
    """The address at core that the provider sends a browser to, for this person."""
    return product.provider.walk(browser, start(product, browser, query)[0], login)


def sign_in(product, login, browser=None, query=""):
    browser = browser or Browser(next(addresses))
    return browser, browser.open(come_back(product, browser, login, query))


def session(product, browser):
    return browser.open(f"{product.base}/v1/session")


def events(product, op, **members):
    rows = product.clusters.rows("core", "SELECT actor, after FROM event.log WHERE op = %s AND after @> %s ORDER BY seq", (op, json.dumps(members)))
    return [(actor, after) for actor, after in rows]


def roles_of(product, login):
    return product.clusters.rows("core", "SELECT g.role, g.by_group FROM access.role_grant g JOIN access.principal p ON p.id = g.principal"
                                         " WHERE p.name = %s ORDER BY g.role", (login,))


def refused(r, status, reason):
    assert r.status == status and r.json["reason"] == reason, r
    assert all("bimodal=" not in c for c in r.headers.get_all("Set-Cookie") or ()), r
    return r.json["detail"]


def until_all(true, seconds=40, times=8):
    """True so many times in a row: each time another worker may answer."""
    n, deadline = 0, time.monotonic() + seconds
    while n < times:
        n = n + 1 if true() else 0
        assert time.monotonic() < deadline
        if n == 0:
            time.sleep(0.1)


# -- the way there

def test_what_ways_there_are(product, core):
    r = core.get("/v1/session/methods", role=None)
    assert r.status == 200 and r.headers["Cache-Control"] == "no-store"
    assert r.json == {"password": True, "oidc": {"name": "single sign-on", "start": "/v1/session/oidc"}}


def test_a_browser_is_sent_to_the_provider(product, real):
    browser = Browser(next(addresses))
    url, sent, r = start(product, browser)
    assert url.startswith(real.issuer + "/auth?")
    assert sent["response_type"] == "code" and sent["client_id"] == "bimodal" and sent["scope"] == "openid profile email"
    assert sent["redirect_uri"] == product.base + "/v1/session/oidc/callback" and sent["code_challenge_method"] == "S256"
    assert all(len(sent[name]) == 43 for name in ("state", "nonce", "code_challenge")) and len({sent["state"], sent["nonce"], sent["code_challenge"]}) == 3
    assert "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax" in r.headers["Set-Cookie"] and r.headers["Cache-Control"] == "no-store"
    again = start(product, browser)[1]
    assert all(again[name] != sent[name] for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example", "\\/evil.example", "javascript:alert(1)", "evil", "/a\tb",
                                "/a\r\nSet-Cookie: x=1", "/%5cevil.example\\", "", "/" + "a" * 512, "/\u00e9"])
def test_nobody_is_sent_elsewhere_afterwards(product, to):
    r = Browser(next(addresses)).open(f"{product.base}/v1/session/oidc?return_to={urllib.parse.quote(to, safe='')}")
    assert r.status == 400 and r.location is None and r.headers["Set-Cookie"] is None, r


# -- the way back

def test_a_new_person_gets_in_with_the_roles_of_his_groups(product, real):
    real.accounts(ada={"name": "Ada L\u00f6v", "email": "ada@example.org", "email_verified": True, "groups": ["crm-agents", "unknown", "crm-agents"]})
    browser, r = sign_in(product, "ada", query="?return_to=%2Fcustomers%3Fq%3Da%2526b%23top")
    assert r.status == 303 and r.location == "/customers?q=a%26b#top" and r.headers["Referrer-Policy"] == "no-referrer", r
    cookies = r.headers.get_all("Set-Cookie")
    assert any(c.startswith("bimodal=") and c.endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict") for c in cookies)
    assert any(c.startswith("bimodal-oidc=;") and "Max-Age=0" in c for c in cookies) and browser.cookie("bimodal-oidc") is None
    me = session(product, browser).json
    assert (me["name"], me["display_name"], me["email"], me["roles"], me["method"]) == ("ada", "Ada L\u00f6v", "ada@example.org", ["agent"], "oidc")
    assert browser.open(product.base + "/v1/people?limit=1").status == 200 and browser.open(product.base + "/v1/changes").status == 403
    # And is the same one the next time.
    assert session(product, sign_in(product, "ada")[0]).json["principal"] == me["principal"]
    assert roles_of(product, "ada") == [("agent", True)]
    assert [a for a, _ in events(product, "session.begin", principal=me["principal"], method="oidc")] == [me["principal"]] * 2
    for op, members in (("create", {"id": me["principal"]}), ("identity.create", {"principal": me["principal"], "issuer": real.issuer, "subject": "ada"}),
                        ("role.create", {"principal": me["principal"], "role": "agent", "by_group": True})):
        assert [a for a, _ in events(product, op, **members)] == ["system:oidc"], op
    log = product.core.log.read_text()
    assert SECRET not in log and browser.cookie("bimodal") not in log and "code=" not in log


def test_roles_follow_the_groups(product, core, real):
    real.accounts(bob={"groups": ["crm-agents", "cn=owners,ou=crm"]})
    browser = sign_in(product, "bob")[0]
    who = session(product, browser).json["principal"]
    assert roles_of(product, "bob") == [("agent", True), ("product_owner", True)]
    # By hand, and by hand what a group gives already: the latter stays that of the group.
    assert core.request("PUT", f"/v1/users/{who}/roles", {"roles": ["agent", "innovator", "product_owner"]}, role="operator").status == 200
    real.accounts(bob={"groups": "cn=owners,ou=crm"})
    assert sign_in(product, "bob")[1].status == 303
    assert roles_of(product, "bob") == [("innovator", False), ("product_owner", True)]
    # What he had open loses the role too.
    deadline = time.monotonic() + 30
    while browser.open(product.base + "/v1/people?limit=1&fields=email").status != 403:
        assert time.monotonic() < deadline
    real.accounts(bob={})
    assert session(product, sign_in(product, "bob")[0]).json["roles"] == ["innovator"]
    # Nothing by hand either: no way in, and what the groups gave is gone all the same.
    real.accounts(bob={"groups": ["crm-agents"]})
    assert core.request("PUT", f"/v1/users/{who}/roles", {"roles": []}, role="operator").status == 200
    assert sign_in(product, "bob")[1].status == 303 and roles_of(product, "bob") == [("agent", True)]
    real.accounts(bob={"groups": []})
    refused(sign_in(product, "bob")[1], 403, "no-role")
    assert roles_of(product, "bob") == []
    assert [a for a, _ in events(product, "session.refused", reason="no-role", principal=who)] == ["system:oidc"]


def served(product):
    """Every worker has heard of the last change of people."""
    product.clusters.wait("core", "SELECT bool_and(access_generation >= (SELECT generation FROM access.state)) FROM change.worker"
                                  " WHERE daemon = 'core' AND seen_at > clock_timestamp() - interval '3 seconds'", seconds=30)


def test_the_last_operator_stays_one(product, real):
    real.accounts(root={"groups": ["crm-operators", "crm-agents"]})
    assert sign_in(product, "root")[1].status == 303
    others = "FROM access.role_grant WHERE role = 'operator' AND NOT by_group"
    principals = [row[0] for row in product.clusters.rows("core", f"SELECT principal::text {others}")]
    product.clusters.rows("core", f"DELETE {others}")
    try:
        real.accounts(root={"groups": []})
        browser, r = sign_in(product, "root")
        assert r.status == 303 and session(product, browser).json["roles"] == ["operator"]
        assert len(events(product, "role.kept", role="operator")) == 1
    finally:
        for principal in principals:
            product.clusters.rows("core", "INSERT INTO access.role_grant (principal, role) VALUES (%s, 'operator')", (principal,))
        served(product)
    # With another one there it goes.
    refused(sign_in(product, "root")[1], 403, "no-role")


def test_who_is_here_already_is_linked_once(product, core, real):
    made = core.post("/v1/users", {"name": "grace", "roles": ["innovator"]}, role="operator")
    assert made.status == 201, made
    identity = f"/v1/users/{made.json['id']}/identity"
    assert core.get(identity, role="operator").json == {"data": []}
    real.accounts(grace={"preferred_username": "Grace"}, impostor={"preferred_username": "grace", "groups": ["crm-operators"]})
    browser, r = sign_in(product, "grace")
    assert r.status == 303 and session(product, browser).json["principal"] == made.json["id"]
    assert session(product, browser).json["roles"] == ["innovator"]
    linked = core.get(identity, role="operator").json["data"]
    assert [(i["issuer"], i["subject"]) for i in linked] == [(real.issuer, "grace")]
    # Somebody else gets the login at the provider: he does not become her.
    refused(sign_in(product, "impostor")[1], 403, "other-subject")
    # Until an operator says that it is the same person.
    assert core.delete(identity, role="agent").status == 403
    assert core.delete(identity, role="operator").status == 204 and core.delete(identity, role="operator").status == 404
    browser, r = sign_in(product, "impostor")
    assert r.status == 303 and session(product, browser).json["principal"] == made.json["id"]
    refused(sign_in(product, "grace")[1], 403, "other-subject")


def test_a_leaver_is_out(product, core, real):
    real.accounts(leaver={"groups": ["crm-agents"]}, stays={"groups": ["crm-agents"]})
    browser = sign_in(product, "leaver")[0]
    who, heir = (session(product, b).json["principal"] for b in (browser, sign_in(product, "stays")[0]))
    assert core.post(f"/v1/users/{who}/hand-over", {"successor": heir, "reason": "left"}, role="operator").status == 200
    deadline = time.monotonic() + 30
    while session(product, browser).status != 401:
        assert time.monotonic() < deadline
    refused(sign_in(product, "leaver")[1], 403, "disabled")
    assert roles_of(product, "leaver") == []
    assert len(events(product, "session.refused", reason="disabled", principal=who)) == 1


def test_who_has_no_place_here(product, real):
    real.accounts(stranger={"groups": ["others"]}, odd={"preferred_username": "Mr Odd", "groups": ["crm-agents"]})
    refused(sign_in(product, "stranger")[1], 403, "unknown")
    refused(sign_in(product, "odd")[1], 403, "login")
    assert product.clusters.one("core", "SELECT count(*) FROM access.principal WHERE name IN ('stranger', 'odd', 'mr odd', 'Mr Odd')") == 0
    # A person is told by the sign-in page.
    browser = Browser(next(addresses))
    r = browser.open(come_back(product, browser, "stranger"), accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert r.status == 303 and r.location == "/console/sign-in?refused=unknown" and browser.cookie("bimodal") is None


def test_the_person_says_no(product, real):
    browser = Browser(next(addresses))
    back = real.walk(browser, start(product, browser)[0], "ada", abort=True)
    flow = browser.cookie("bimodal-oidc")
    assert "access_denied" in refused(browser.open(back), 403, "denied")
    assert browser.cookie("bimodal-oidc") is None
    refused(browser.open(back, headers={"Cookie": f"bimodal-oidc={flow}"}), 401, "used")
    assert events(product, "session.refused", reason="denied")[-1][1]["detail"].endswith("access_denied")


# -- attacks on the way back

def test_an_answer_counts_once_and_in_its_browser(product, real):
    real.accounts(ada={"groups": ["crm-agents"]})
    attacker, victim = Browser(next(addresses)), Browser(next(addresses))
    # Login CSRF: a link with the attacker's code, in a browser that has not begun, and in one that has begun something else.
    back = come_back(product, attacker, "ada")
    refused(victim.open(back), 401, "flow")
    start(product, victim)
    refused(victim.open(back), 401, "state")
    assert victim.cookie("bimodal-oidc") is not None  # what it has begun goes on
    # The code in another flow of the same browser: the provider sees that its verifier is not that of the challenge.
    code = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(back).query))["code"]
    state = start(product, victim)[1]["state"]
    query = urllib.parse.urlencode({"code": code, "state": state, "iss": real.issuer})
    refused(victim.open(f"{product.base}/v1/session/oidc/callback?{query}"), 401, "code")
    assert victim.cookie("bimodal") is None
    # The real one, twice: with its cookie brought back, and without.
    real.accounts(ada={"groups": ["crm-agents"]})
    back = come_back(product, attacker, "ada")
    flow = attacker.cookie("bimodal-oidc")
    assert attacker.open(back).status == 303
    thief = Browser(next(addresses))
    refused(thief.open(back), 401, "flow")
    refused(thief.open(back, headers={"Cookie": f"bimodal-oidc={flow}"}), 401, "used")
    assert thief.cookie("bimodal") is None


def test_a_cookie_is_not_adopted(product, real):
    real.accounts(ada={"groups": ["crm-agents"]})
    browser = sign_in(product, "ada")[0]
    first, planted = browser.cookie("bimodal"), "A" * 43
    assert sign_in(product, "ada", browser)[1].status == 303 and browser.cookie("bimodal") not in (first, planted)
    assert product.clusters.one("core", "SELECT revoked_at IS NOT NULL FROM access.session WHERE hash = sha256(%s)", (first.encode(),))
    other = Browser(next(addresses))
    back = come_back(product, other, "ada")
    flow = other.cookie("bimodal-oidc")
    other.jar.clear()
    r = other.open(back, headers={"Cookie": f"bimodal={planted}; bimodal-oidc={flow}"})
    assert r.status == 303 and other.cookie("bimodal") not in (None, planted)


@pytest.mark.parametrize("query", ["", "?state=a", "?code=", "?code=a&code=b&state=c", "?error=x&error=y&state=a", "?code=a&state=b&state=b"])
def test_what_is_no_answer(product, query):
    r = Browser(next(addresses)).open(f"{product.base}/v1/session/oidc/callback{query}")
    assert (r.status, r.json["reason"]) in ((400, "form"), (401, "flow")), r


def test_a_spoilt_flow(product, real):
    browser = Browser(next(addresses))
    back = come_back(product, browser, "ada")
    flow = browser.cookie("bimodal-oidc")
    for bad in (flow[:-1], "B" + flow[1:], flow[:20] + ("a" if flow[20] != "a" else "b") + flow[21:], "A" * 96, flow + "AAAA"):
        refused(Browser(next(addresses)).open(back, headers={"Cookie": f"bimodal-oidc={bad}"}), 401, "flow")
    refused(Browser(next(addresses)).open(back, headers={"Cookie": f"bimodal-oidc={flow}; bimodal-oidc={flow}"}), 401, "flow")


def test_who_is_refused_too_often_waits(product):
    browser = Browser(next(addresses))
    address = "127.0.99.1"
    browser = Browser(address)
    for _ in range(20):
        r = browser.open(product.base + "/v1/session/oidc/callback")
        assert r.status in (400, 429), r
    product.clusters.rows("core", "UPDATE access.lockout SET locked_until = now() + interval '10 minutes' WHERE kind = 'address' AND key = sha256(%s)",
                          (address.encode(),))
    r = browser.open(product.base + "/v1/session/oidc/callback?code=a&state=b")
    assert r.status == 429 and int(r.headers["Retry-After"]) > 300, r


# -- what core starts anew for

@pytest.mark.parametrize("alg, keep", [("PS256", True), ("ES256", False), ("EdDSA", False), ("RS256", True)])
def test_keys_are_rotated(product, real, alg, keep):
    """Every worker finds the new key by itself; one that has just looked waits a second."""
    real.accounts(ada={"groups": ["crm-agents"]})
    real.keys(alg, keep)
    until_all(lambda: sign_in(product, "ada")[1].status == 303, times=3)


def test_the_provider_is_away(product, core):
    """Passwords do not need it, and whoever comes is told in time."""
    product.liar.pause = 2
    away = (product.dir / "oidc-lies.yaml").read_text().replace("create_users: true", "timeout: 300ms")
    (product.dir / "oidc-away.yaml").write_text(away)
    core.stop()
    product.speaks("away")
    core.start()
    r = Browser(next(addresses)).open(product.base + "/v1/session/oidc")
    assert r.status == 502 and r.json["reason"] == "provider" and r.json["retryable"], r
    r = Browser(next(addresses)).open(product.base + "/v1/session/oidc", accept="text/html")
    assert r.status == 303 and r.location == "/console/sign-in?refused=provider"
    assert core.get("/v1/people?limit=1").status == 200
    assert "could not read what the identity provider is" in core.log.read_text()
    product.liar.pause = 0
    start(product, Browser(next(addresses)))


# -- a provider that lies

@pytest.fixture(scope="module")
def liar(product, core):
    core.stop()
    product.speaks("lies")
    core.start()
    return product.liar


class Flow:
    """A browser that has gone to the liar, and what it was sent with."""

    def __init__(self, product):
        self.product, self.browser = product, Browser(next(addresses))
        self.url, self.sent, r = start(product, self.browser)
        assert r.headers["Set-Cookie"].startswith("__Host-bimodal-oidc=") and r.headers["Set-Cookie"].endswith("; Secure")
        self.cookie = r.headers["Set-Cookie"].split(";")[0]

    def claims(self, **more):
        now = int(time.time())
        claims = {"iss": self.product.liar.issuer, "aud": "bimodal", "sub": "s-1", "nonce": self.sent["nonce"], "iat": now, "exp": now + 300,
                  "preferred_username": "liza", "groups": ["crm-agents"], **more}
        return {name: value for name, value in claims.items() if value is not None}

    def back(self, **more):
        query = {"code": "any", "state": self.sent["state"], "iss": self.product.liar.issuer, **more}
        query = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        return self.browser.open(f"{self.product.base}/v1/session/oidc/callback?{query}", headers={"Cookie": self.cookie})


def test_what_is_true_is_believed(product, liar):
    assert "tenant=1&response_type=code" in Flow(product).url
    for key, alg in zip(liar.keys + liar.keys[:1], ("RS256", "ES256", "EdDSA", "PS256")):
        flow = Flow(product)
        liar.gives(token({"alg": alg, "kid": key.kid, "typ": "JWT"}, flow.claims(aud=["bimodal"], azp="bimodal", exp=time.time() + 60.5),
                         lambda text: key.sign(alg, text)))
        r = flow.back()
        assert r.status == 303 and r.location == "/", r
        assert any(c.startswith("__Host-bimodal=") and c.endswith("; SameSite=Strict; Secure") for c in r.headers.get_all("Set-Cookie"))
        form = [form for path, _, form in liar.asked if path == "/token"][-1]
        assert challenge(form.pop("code_verifier")) == flow.sent["code_challenge"]
        assert form == {"grant_type": "authorization_code", "code": "any", "redirect_uri": flow.sent["redirect_uri"], "client_id": "bimodal", "client_secret": SECRET}
    assert roles_of(product, "liza") == [("agent", True)]


def forged(liar, flow, other):
    """name → (what makes the token, a word of what is said of it). `other`: a key of the forger's own."""
    rs = liar.keys[0]
    good, head = flow.claims(), {"alg": "RS256", "kid": "one"}

    def by(key, alg=None):
        return lambda text: key.sign(alg or key.alg, text)

    signed = token(head, good, by(rs))
    h, b, s = signed.split(".")
    now = int(time.time())
    twice = json.dumps(good)[:-1] + ', "aud": "bimodal"}'
    return {
        "no algorithm": (lambda: token({"alg": "none"}, good, lambda _: b""), "algorithm"),
        "no algorithm, signed": (lambda: token({"alg": "none", "kid": "one"}, good, by(rs)), "algorithm"),
        "None": (lambda: token({"alg": "None"}, good, lambda _: b""), "algorithm"),
        "no header": (lambda: token({"kid": "one"}, good, by(rs)), "algorithm"),
        "public key as a secret": (lambda: token({"alg": "HS256", "kid": "one"}, good, lambda t: hs256(rs.pem, t)), "algorithm"),
        "modulus as a secret": (lambda: token({"alg": "HS256"}, good, lambda t: hs256(json.dumps(rs.jwk).encode(), t)), "algorithm"),
        "client secret": (lambda: token({"alg": "HS256"}, good, lambda t: hs256(SECRET.encode(), t)), "algorithm"),
        "another algorithm": (lambda: token({"alg": "RS512", "kid": "one"}, good, by(rs)), "algorithm"),
        "algorithm of another key": (lambda: token({"alg": "RS256", "kid": "two"}, good, by(rs)), "algorithm"),
        "padding of another algorithm": (lambda: token({"alg": "PS256", "kid": "one"}, good, by(rs, "RS256")), "signature"),
        "forged key of a known name": (lambda: token(head, good, by(other)), "signature"),
        "key in the header": (lambda: token({**head, "jwk": other.jwk}, good, by(other)), "signature"),
        "address of a key": (lambda: token({**head, "jku": "https://evil.example/keys", "x5u": "https://evil.example"}, good, by(other)), "signature"),
        "no signature": (lambda: f"{h}.{b}.", "signature"),
        "two parts": (lambda: f"{h}.{b}", "form"),
        "four parts": (lambda: signed + ".AAAA", "form"),
        "spoilt signature": (lambda: f"{h}.{b}.{s[:-8]}AAAAAAAA", "signature"),
        "curve's zero": (lambda: token({"alg": "ES256", "kid": "two"}, good, lambda _: bytes(64)), "signature"),
        "curve's DER": (lambda: token({"alg": "ES256", "kid": "two"}, good, lambda t: b"\x30\x06\x02\x01\x01\x02\x01\x01"), "signature"),
        "other claims": (lambda: f"{h}.{b64(json.dumps(flow.claims(sub='root')).encode())}.{s}", "signature"),
        "critical extension": (lambda: token({**head, "crit": ["b64"], "b64": False}, good, by(rs)), "extensions"),
        "access token": (lambda: token({**head, "typ": "at+jwt"}, good, by(rs)), "type"),
        "header twice": (lambda: token('{"alg":"none","alg":"RS256","kid":"one"}', good, by(rs)), "form"),
        "unknown key": (lambda: token({"alg": "RS256", "kid": "nobody's"}, good, by(other)), "key"),
        "issuer": (lambda: token(head, flow.claims(iss="https://evil.example"), by(rs)), "issuer"),
        "issuer with a slash": (lambda: token(head, flow.claims(iss=liar.issuer + "/"), by(rs)), "issuer"),
        "audience": (lambda: token(head, flow.claims(aud="another"), by(rs)), "somebody else"),
        "no audience": (lambda: token(head, flow.claims(aud=None), by(rs)), "somebody else"),
        "two audiences": (lambda: token(head, flow.claims(aud=["bimodal", "another"]), by(rs)), "somebody else"),
        "for another": (lambda: token(head, flow.claims(aud=["bimodal", "another"], azp="another"), by(rs)), "somebody else"),
        "authorized party": (lambda: token(head, flow.claims(azp="another"), by(rs)), "somebody else"),
        "nonce": (lambda: token(head, flow.claims(nonce="A" * 43), by(rs)), "this sign-in"),
        "no nonce": (lambda: token(head, flow.claims(nonce=None), by(rs)), "this sign-in"),
        "nonce is a list": (lambda: token(head, flow.claims(nonce=[flow.sent["nonce"]]), by(rs)), "this sign-in"),
        "expired": (lambda: token(head, flow.claims(iat=now - 300, exp=now - 61), by(rs)), "expired"),
        "no end": (lambda: token(head, flow.claims(exp=None), by(rs)), "when"),
        "end is a text": (lambda: token(head, flow.claims(exp=str(now + 60)), by(rs)), "when"),
        "end is enormous": (lambda: token(head, flow.claims(exp=1e300), by(rs)), "when"),
        "of the future": (lambda: token(head, flow.claims(iat=now + 300, exp=now + 600), by(rs)), "future"),
        "not yet": (lambda: token(head, flow.claims(nbf=now + 300), by(rs)), "future"),
        "older than the sign-in": (lambda: token(head, flow.claims(iat=now - 3600), by(rs)), "older"),
        "nobody": (lambda: token(head, flow.claims(sub=None), by(rs)), "who it is"),
        "subject with a line": (lambda: token(head, flow.claims(sub="a\nb"), by(rs)), "who it is"),
        "no login": (lambda: token(head, flow.claims(preferred_username=None), by(rs)), "login"),
        "claim twice": (lambda: token(head, twice, by(rs)), "no claims"),
        "a list": (lambda: token(head, "[]", by(rs)), "no claims"),
        "no JSON": (lambda: token(head, "x", by(rs)), "no claims"),
    }


def test_forged_tokens(product, liar):
    other, wrong = Key("RS256", "one"), []
    count = product.clusters.one
    sessions, notes = (count("core", f"SELECT count(*) FROM {of}") for of in ("access.session", "event.log WHERE op = 'session.refused'"))
    names = list(forged(liar, Flow(product), other))
    for name in names:
        flow = Flow(product)
        make, word = forged(liar, flow, other)[name]
        liar.gives(make())
        r = flow.back()
        if r.status != 401 or r.json["reason"] != "token" or word not in r.json["detail"]:
            wrong.append((name, r))
    assert wrong == [] and len(names) > 40
    assert count("core", "SELECT count(*) FROM access.session") == sessions
    assert count("core", "SELECT count(*) FROM event.log WHERE op = 'session.refused'") == notes + len(names)


def test_an_old_key_is_refused(product, liar):
    old, new = liar.keys[0], Key("RS256", "four")

    def gets_in(key):
        flow = Flow(product)
        liar.gives(token({"alg": "RS256", "kid": key.kid}, flow.claims(), lambda text: key.sign("RS256", text)))
        r = flow.back()
        assert r.status == 303 or refused(r, 401, "token"), r
        return r.status == 303

    assert gets_in(old)
    liar.keys[0] = new
    try:
        until_all(lambda: gets_in(new), times=6)
        until_all(lambda: not gets_in(old))
        # A key that is too short is no key, whatever it signs.
        liar.keys[0] = weak = Key("RS256", "five", bits=1024)
        assert not any(gets_in(weak) for _ in range(4))
    finally:
        liar.keys[0] = old


def test_unknown_keys_do_not_make_us_ask_without_end(product, liar):
    since, asked = time.monotonic(), sum(path == "/keys" for path, _, _ in liar.asked)
    key = Key("EdDSA", "none of these")
    for _ in range(20):
        flow = Flow(product)
        liar.gives(token({"alg": "EdDSA", "kid": key.kid}, flow.claims(), lambda text: key.sign("EdDSA", text)))
        refused(flow.back(), 401, "token")
    # Once a second for the pause, once in ten for their age, by each of two workers.
    assert sum(path == "/keys" for path, _, _ in liar.asked) - asked <= 2 * (2 + 1.2 * (time.monotonic() - since))


def test_an_answer_of_another_provider(product, liar):
    for iss in (None, "https://evil.example", liar.issuer + "/", ""):
        calls = len([1 for path, _, _ in liar.asked if path == "/token"])
        refused(Flow(product).back(iss=iss), 401, "issuer")
        assert len([1 for path, _, _ in liar.asked if path == "/token"]) == calls


def test_answers_that_are_none(product, liar):
    for reply, status, reason in (((500, "{}"), 502, "provider"), ((200, "{}"), 502, "provider"), ((200, "no json"), 502, "provider"),
                                  ((200, json.dumps({"id_token": 7})), 502, "provider"), ((200, "x" * 300000), 502, "provider"),
                                  ((302, "", (("Location", liar.issuer + "/keys"),)), 502, "provider"),
                                  ((400, json.dumps({"error": "invalid_grant"})), 401, "code")):
        liar.reply = reply
        asked = len(liar.asked)
        refused(Flow(product).back(), status, reason)
        assert [path for path, _, _ in liar.asked[asked:] if path == "/token"] == ["/token"]
        if reason == "provider":
            assert liar.asked[-1][0] == "/token"  # and not where it pointed to


# -- configuration

@pytest.mark.parametrize("key, value, says", [
    ("issuer", "http://login.example.org", "https://"), ("issuer", "https://login.example.org/?a=b", "without query"), ("client_id", '""', "required"),
    ("redirect_base", '""', "https://"), ("redirect_base", "http://crm.example.org", "https://"), ("redirect_base", "https://crm.example.org/a", "without a path"), ("scopes", "profile email", "openid"),
    ("roles", '"crm-agents"', "group = role"), ("roles", '"= agent"', "group = role"), ("roles", '"a = b = agent; c = emperor"', "emperor"),
    ("timeout", "1h", "maximum"), ("clock_skew", "1h", "maximum"), ("keys_max_age", "1s", "minimum"), ("client_secret_file", "/nonexistent", "nonexistent")])
def test_a_wrong_configuration_is_refused(tmp_path, key, value, says):
    keys = {"issuer": "https://login.example.org", "client_id": "bimodal", "redirect_base": "https://crm.example.org", key: value}
    (tmp_path / "wrong.yaml").write_text("oidc:\n" + "".join(f"  {k}: {v}\n" for k, v in keys.items()))
    done = subprocess.run([str(BUILD / "bimodal-core"), "-c", str(ROOT / "config" / "core.yaml"), "-c", str(tmp_path / "wrong.yaml"), "--check-config"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and f"oidc.{key}" in done.stderr and says in done.stderr, done
