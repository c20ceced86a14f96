"""Who may do what: every role on every resource and verb, as config/roles.yaml says; tokens that end; refusals that say why."""
import hashlib
import json
import re
import secrets
import time
import urllib.parse
import uuid

import pytest
import rights
from product import ROLES
from rights import CLASSES, MATRIX, RESOURCES, may
from wire import request, talk

WANTED = dict(rights.wanted())


def test_the_matrix_was_read():
    assert set(MATRIX) == set(ROLES)
    assert may("agent", "people", "write") and may("operator", "people", "read") and not may("operator", "people", "write")


def test_every_route_has_its_row():
    """The table is written by hand and says who gets through; a route without a row, or a row without a route, fails here."""
    table = rights.table()
    assert sorted(set(WANTED) - set(table)) == [], "routes without a row in tests/api/rights.table"
    assert sorted(set(table) - set(WANTED)) == [], "rows in tests/api/rights.table without a route"


def test_every_right_is_granted_and_asked():
    asked, granted = rights.asked(), set().union(*(m[0] for m in MATRIX.values()))
    assert sorted(r for r in granted if r not in asked and not r.startswith("*.")) == [], "rights in roles.yaml that nothing asks for"
    assert {r.split(".")[1] for r in granted if r.startswith("*.")} <= {r.split(".")[1] for r in asked}
    guards = {route["right"].replace("{resource}", key[-1]) for key, route in WANTED.items() if route["right"]}
    assert sorted(g for g in guards if not any(may(role, *g.split(".")) for role in ROLES)) == [], "rights that no role has"
    unguarded = {(key[0], route["name"]) for key, route in WANTED.items() if route["right"] is None}
    open_to_all = {(d, name) for d in ("core", "sandbox") for name in ("health.live", "health.ready", "health.metrics")}
    console = {("core", f"console.{name}") for name in ("root", "lead", "file")}
    public = {("core", name) for name in ("session.begin", "session.methods", "session.oidc", "session.oidc_return", "password.set")}
    by_ticket = {(d, "flag.events") for d in ("core", "sandbox")}    # looked at inside, or a token with flag.evaluate
    assert unguarded == open_to_all | console | public | by_ticket


@pytest.mark.parametrize("daemon", ["core", "sandbox"])
def test_every_route_with_every_role(product, daemon):
    """Nobody gets through where the table does not say so, and everybody does where it does."""
    table, wrong = rights.table(), []
    for key, route in WANTED.items():
        if key[0] != daemon:
            continue
        path = rights.path_of(key[2], key[3] if len(key) > 3 else None)
        body = None if key[1] in ("GET", "DELETE") else {"nothing-here": 1}
        for role in (None, *ROLES):
            r = getattr(product, daemon).request(key[1], path, body, role=role, headers={"If-Match": "*"})
            may_pass = role in table[key] or "anybody" in table[key]
            want = "through" if may_pass else "401" if role is None else "403"
            got = str(r.status) if r.status in (401, 403) else "through"
            if got != want:
                wrong.append((*key, role or "nobody", f"{got}, not {want}"))
            if got == "403" and "right" in r.json and route["right"] is not None and not may(role, *r.json["right"].split(".")):
                continue
            assert r.status < 500 or r.status == 503, (key, role, r)
            if got == "403" and "right" in r.json:
                wrong.append((*key, role, f"names the right {r.json['right']}, which it has"))
    assert wrong == []


def refusal(r, status):
    assert r.status == status and r.headers["Content-Type"] == "application/problem+json", r
    body = r.json
    assert body["status"] == status and body["code"] == {401: "unauthorized", 403: "forbidden"}[status], body
    assert body["request_id"] == r.headers["Request-Id"] and body["retryable"] is False
    return body


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("resource", RESOURCES)
def test_role_and_resource(core, product, role, resource):
    some = uuid.uuid4()
    before = product.clusters.one("core", "SELECT coalesce(max(seq), 0) FROM event.log WHERE op <> 'access.refused'")
    asks = [("read", "GET", f"/v1/{resource}?limit=1", None, 200), ("read", "GET", f"/v1/{resource}/{some}", None, 404),
            ("write", "POST", f"/v1/{resource}", {"nothing": 1}, 422), ("write", "PATCH", f"/v1/{resource}/{some}", {}, 404),
            ("write", "DELETE", f"/v1/{resource}/{some}", None, 404), ("write", "POST", f"/v1/{resource}/batch", {"ops": []}, 422)]
    if resource == "consents":
        asks += [("read", "GET", f"/v1/people/{some}/consents", None, (200, 404)), ("write", "POST", f"/v1/people/{some}/consents", {"nothing": 1}, 422)]
    for verb, method, path, body, status in asks:
        r = core.request(method, path, body, role=role, headers={"If-Match": "*"})
        if not may(role, resource, verb):
            assert refusal(r, 403)["right"] == f"{resource}.{verb}", (method, path, r)
        else:
            assert r.status in (status if isinstance(status, tuple) else (status,)), (method, path, r)
        refusal(core.request(method, path, body, role=None, headers={"If-Match": "*"}), 401)
    assert product.clusters.one("core", "SELECT coalesce(max(seq), 0) FROM event.log WHERE op <> 'access.refused'") == before


@pytest.mark.parametrize("role", [r for r in ROLES if may(r, "people", "read")])
@pytest.mark.parametrize("resource", RESOURCES)
def test_classes_of_fields(core, product, role, resource):
    """A role sees the fields of its classes and can neither show, filter nor sort by another."""
    person = core.post("/v1/people", {"given_name": "Cls"}).json["id"]
    body = {"organizations": {"name": "Cls"}, "people": {"email": "cls@example.org"}, "consents": {"purpose": "marketing", "state": "granted", "person_id": person},
            "interactions": {"kind": "call", "subject": "Cls"}, "opportunities": {"name": "Cls"}, "cases": {"subject": "Cls"}}[resource]
    made = core.post(f"/v1/{resource}", body)
    assert made.status == 201, made
    seen = set(core.get(f"/v1/{resource}/{made.json['id']}", role=role).json)
    assert seen == set(core.get(f"/v1/{resource}?id={made.json['id']}", role=role).json["data"][0])
    fields = product.clusters.rows("core", "SELECT name, class, filterable, sortable, kind FROM change.field WHERE resource = %s", (resource,))
    for name, cls, filterable, sortable, kind in fields:
        shown = (cls in MATRIX[role][1] and cls in CLASSES) or name == "id"
        assert (name in seen) == shown, (name, cls)
        want = 200 if shown else 400 if cls == "secret" else 403
        assert core.get(f"/v1/{resource}?fields={name}&limit=1", role=role).status == want, name
        assert core.get(f"/v1/{resource}?{name}=is.null&limit=1", role=role).status == (want if filterable or want != 200 else 400), name
        assert core.get(f"/v1/{resource}?sort={name}&limit=1", role=role).status == (want if sortable or want != 200 else 400), name


def test_a_hint_names_no_hidden_field(core):
    for role in ("operator", "innovator"):
        r = core.get("/v1/people?emial=x", role=role)
        assert r.status == 400 and "email" not in r.json["detail"], r
        assert '"pseudonym"' not in core.get("/v1/people?pseudonim=x", role=role).json["detail"]
    assert "email" in core.get("/v1/people?emial=x").json["detail"]


def test_other_routes(core, sandbox):
    for daemon in (core, sandbox):
        for role in ROLES:
            assert daemon.get("/v1/me", role=role).json["roles"] == [role]
            assert (daemon.get("/v1/feed", role=role).status == 200) == may(role, "feed", "read")
        for path in ("/healthz", "/readyz", "/metrics"):
            assert daemon.get(path, role=None).status == 200
        refusal(daemon.get("/v1/me", role=None), 401)
    for role in ROLES:
        for resource in RESOURCES:
            assert sandbox.get(f"/v1/{resource}?limit=1", role=role).status == (200 if may(role, resource, "read") else 403)


# ---- tokens that end: found out by each worker within two seconds

class Token:
    """A principal with a token of its own, made as the installation makes them."""

    def __init__(self, product, audience, role="agent", expires="1 hour"):
        self.product = product
        self.text = f"bm_{audience}_" + secrets.token_urlsafe(32)
        self.daemon = getattr(product, audience)
        self.principal = str(uuid.uuid4())
        self.run("INSERT INTO access.principal (id, name, kind) VALUES (%s, %s, 'service')", (self.principal, f"t-{self.principal}"))
        if role is not None:
            self.run("INSERT INTO access.role_grant VALUES (%s, %s)", (self.principal, role))
        self.run(f"INSERT INTO access.token (principal, audience, hash, prefix, expires_at) VALUES (%s, %s, %s, 'x', now() + interval '{expires}')",
                 (self.principal, audience, hashlib.sha256(self.text.encode()).digest()))

    def run(self, sql, args=()):
        self.product.clusters.rows("core", sql, args)

    def statuses(self, path="/v1/people?limit=1"):
        """Asked often enough to meet every worker."""
        return {self.daemon.get(path, token=self.text).status for _ in range(12)}

    def becomes(self, status, seconds=5.0, path="/v1/people?limit=1"):
        began = time.monotonic()
        while (got := self.statuses(path)) != {status}:
            assert time.monotonic() - began < seconds, (got, status)
            time.sleep(0.02)
        return time.monotonic() - began


ENDINGS = {
    "revoked": "UPDATE access.token SET revoked_at = now() WHERE principal = %s",
    "deleted": "DELETE FROM access.token WHERE principal = %s",
    "disabled": "UPDATE access.principal SET disabled_at = now() WHERE id = %s",
    "principal-deleted": "DELETE FROM access.principal WHERE id = %s",
    "expired-early": "UPDATE access.token SET expires_at = now() - interval '1 s' WHERE principal = %s",
}


@pytest.mark.parametrize("audience", ["core", "sandbox"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_ended_token(product, audience, ending):
    token = Token(product, audience)
    token.becomes(200)
    token.run(ENDINGS[ending], (token.principal,))
    assert token.becomes(401) < 2, ending
    body = refusal(token.daemon.get("/v1/people", token=token.text), 401)
    assert body["reason"] in ("unknown", "expired"), body


@pytest.mark.parametrize("audience", ["core", "sandbox"])
def test_token_expires_by_the_clock(product, audience):
    token = Token(product, audience, expires="1500 ms")
    made = time.monotonic()
    while token.statuses() != {200}:
        assert time.monotonic() - made < 1.4, "it never worked"
    time.sleep(max(0, 1.6 - (time.monotonic() - made)))
    assert token.statuses() == {401}
    body = refusal(token.daemon.get("/v1/people", token=token.text), 401)
    assert body["reason"] in ("unknown", "expired")


def test_roles_given_and_taken(product):
    token = Token(product, "core", role=None)
    token.becomes(403)
    token.run("INSERT INTO access.role_grant VALUES (%s, 'operator')", (token.principal,))
    token.becomes(200)
    assert "email" not in token.daemon.get("/v1/people?limit=1", token=token.text).json["data"][0]
    token.run("INSERT INTO access.role_grant VALUES (%s, 'agent')", (token.principal,))
    token.becomes(200, path="/v1/people?limit=1&fields=email")
    assert set(token.daemon.get("/v1/me", token=token.text).json["roles"]) == {"operator", "agent"}
    token.run("DELETE FROM access.role_grant WHERE principal = %s", (token.principal,))
    assert token.becomes(403) < 2


def test_tokens_that_are_nearly_right(core, sandbox):
    good = core.tokens["agent"]
    for bad, reason in ((good[:-1], None), (good + "A", None), (good.upper(), None), (good[:10], None), ("bm_core_", None), ("bm_sandbox_" + good[8:], "other-daemon"),
                        (good.replace("core", "rope"), "malformed"), (good[:-1] + ("A" if good[-1] != "A" else "E"), "unknown"), (" " + good + " x", None)):
        body = refusal(core.get("/v1/people", token=bad), 401)
        assert body["reason"] == reason or reason is None, (bad[:12], body)
        assert good not in str(body)
    assert core.get("/v1/people?limit=1", headers={"Authorization": f"bearer {good}"}, role=None).status == 200
    r = core.get("/v1/people", role=None)
    assert r.headers["WWW-Authenticate"] == 'Bearer realm="bimodal-core"' and refusal(r, 401)["reason"] == "missing"
    # In the URL a token is not a token.
    assert core.get(f"/v1/people?access_token={good}", role=None).status == 401


def test_tokens_are_kept_as_hashes_only(core, product):
    for daemon in (core, product.sandbox):
        for token in daemon.tokens.values():
            hits = product.clusters.rows("core", "SELECT 1 FROM access.token t WHERE t::text LIKE %s", (f"%{token[12:]}%",))
            assert hits == []
            assert product.clusters.one("core", "SELECT count(*) FROM access.token WHERE hash = %s", (hashlib.sha256(token.encode()).digest(),)) == 1
            assert token[12:] not in daemon.log.read_text()
    names = product.clusters.one("sandbox", "SELECT string_agg(t::text, ' ') FROM access.token_published t")
    core_hashes = product.clusters.rows("core", "SELECT encode(hash, 'hex') FROM access.token WHERE audience = 'core'")
    assert not [h for (h,) in core_hashes if h in names]


def test_use_is_noted(core, product):
    token = Token(product, "core")
    token.becomes(200)
    product.clusters.wait("core", "SELECT last_used_at IS NOT NULL FROM access.token WHERE principal = %s", (token.principal,), 30)


# ---- what one principal may not get from another, or from a class it does not have


def test_a_batch_tells_no_more_than_a_write(core):
    """Errors of single operations, stale versions and constraints name fields and versions, never values."""
    mark = f"secret-{uuid.uuid4()}"
    made = core.post("/v1/people", {"given_name": mark, "email": f"{mark}@example.org", "external_id": mark}).json
    update = {"op": "update", "id": made["id"], "if_match": "v77", "data": {"city": "x"}}
    replies = [core.patch(f"/v1/people/{made['id']}", {"city": "x"}, headers={"If-Match": '"v77"'}), core.post("/v1/people/batch", {"ops": [update]}),
               core.post("/v1/people/batch", {"mode": "each", "ops": [update]}), core.post("/v1/people", {"external_id": mark}),
               core.post("/v1/people/batch", {"ops": [{"op": "create", "data": {"external_id": mark}}]}),
               core.post("/v1/people/batch", {"mode": "each", "ops": [{"op": "create", "data": {"external_id": mark}}]}),
               core.post("/v1/people", {"birth_date": mark}), core.post("/v1/people", {"organization_id": mark}), core.get(f"/v1/people?organization_id={mark}")]
    assert [r.status for r in replies] == [412, 412, 200, 409, 409, 200, 422, 422, 400], replies
    for r in replies:
        assert mark not in r.body.decode(), r
    assert replies[0].json["current_version"] == 1 and not {"email", "given_name"} & set(replies[0].json)


def test_protected_fields_cannot_be_assigned(core, product):
    """What the server sets is refused by name in every way of writing, whatever the class of the field."""
    made = core.post("/v1/people", {"given_name": "Mass"}).json
    for field, value in (("id", str(uuid.uuid4())), ("version", 99), ("created_at", "2020-01-01T00:00:00Z"), ("updated_at", "2020-01-01T00:00:00Z"), ("lab_ok", True),
                         ("pseudonym", str(uuid.uuid4())), ("PSEUDONYM", "x"), ("merged_into", made["id"]), ("__proto__", {}), ("owner\u0000", "x")):
        data = {"given_name": "x", field: value}
        for r in (core.post("/v1/people", data), core.patch(f"/v1/people/{made['id']}", data, headers={"If-Match": "*"}),
                  core.post("/v1/people/batch", {"ops": [{"op": "create", "data": data}]}),
                  core.post("/v1/people/batch", {"ops": [{"op": "update", "id": made["id"], "if_match": "*", "data": data}]})):
            assert r.status in (400, 422), (field, r)
        r = core.post("/v1/people/batch", {"mode": "each", "ops": [{"op": "create", "data": data}]})
        assert r.status in (400, 422) or [one["status"] for one in r.json["results"]] == [422], (field, r)
    assert core.get(f"/v1/people/{made['id']}").json == made


@pytest.mark.parametrize("role", ["operator", "innovator"])
def test_a_class_does_not_leak_through_order_or_paging(core, role):
    """Neither sort nor filter, cursor, selection or an unknown field gives a hint of a value of another class."""
    for field in ("family_name", "email", "external_id", "given_name", "birth_date"):
        for query in (f"sort={field}", f"sort=-{field},id", f"{field}=x", f"{field}=gt.a", f"{field}=in.(a,b)", f"{field}=is.null", f"fields={field}", f"fields=id,{field}"):
            r = core.get(f"/v1/people?limit=1&{query}", role=role)
            assert r.status == 403 and "personal" in r.json["detail"] and "data" not in r.json, (query, r)
    cursor = core.get("/v1/people?limit=1&sort=family_name").json["page"]["next"]
    for path in (f"/v1/people?limit=1&after={cursor}", f"/v1/people?limit=1&sort=family_name&after={cursor}"):
        assert core.get(path, role=role).status in (400, 403)
    # The same list under another class mask is another list: its cursor is not taken.
    cursor = core.get("/v1/people?limit=1").json["page"]["next"]
    assert core.get(f"/v1/people?limit=1&after={cursor}", role=role).json["code"] == "bad-cursor"
    plain = core.get("/v1/people?limit=200", role=role)
    assert not {"email", "given_name", "family_name", "pseudonym", "note"} & {k for one in plain.json["data"] for k in one}


def test_every_reply_names_its_quota(core, sandbox):
    for daemon in (core, sandbox):
        for role in ROLES:
            for path in ("/v1/me", "/v1/people?limit=1", "/v1/people?nonsense=1"):
                r = daemon.get(path, role=role)
                assert r.headers["RateLimit-Policy"].startswith(f'"{role}";q=') and r.headers["RateLimit"].startswith(f'"{role}";r='), (path, dict(r.headers))
        assert daemon.get("/v1/me", role=None).headers["RateLimit-Policy"].startswith('"address";q=')


# ---- what comes in is not obeyed on its way out


MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)> \"'><!--"


def inert(r, *statuses):
    """JSON that no browser takes for a page."""
    assert r.status in statuses, r
    assert r.headers["Content-Type"] == ("application/json" if r.status < 400 else "application/problem+json") and r.headers["X-Content-Type-Options"] == "nosniff", r
    return r


def test_markup_in_a_text_is_a_text(core, product):
    """Whatever field it is put into, wherever it is shown: the same text, in a reply that is not a page."""
    texts = {}
    for resource, field, size in product.clusters.rows("core", "SELECT resource, name, max_length FROM change.field WHERE writable AND kind = 'text' AND choices IS NULL"):
        texts.setdefault(resource, {})[field] = MARKUP[:size or 200]
    assert sum(map(len, texts.values())) >= 40
    ref = core.post("/v1/people", {"given_name": "Ref"}).json["id"]
    for resource, body in texts.items():
        body.pop("external_id", None)
        more = {"consents": {"person_id": ref, "purpose": "marketing", "state": "granted"}, "interactions": {"kind": "call"}}.get(resource, {})
        r = inert(core.post(f"/v1/{resource}", {**body, **more}), 201, 422)
        if r.status == 422:    # a country, a currency: what has a form of its own refuses it, and says where
            for e in r.json["errors"]:
                del body[e["pointer"][1:]]
            r = inert(core.post(f"/v1/{resource}", {**body, **more}), 201)
        body = {field: text for field, text in body.items() if field not in more}
        assert body
        path = f"/v1/{resource}/{r.json['id']}"
        for shown in (r.json, inert(core.get(path), 200).json, inert(core.get(f"/v1/{resource}?id={r.json['id']}"), 200).json["data"][0]):
            assert {field: shown[field] for field in body} == body
        inert(core.get(path + "/history"), 200)
    inert(core.get("/v1/search?q=" + urllib.parse.quote(MARKUP)), 200, 400)
    flag = {"key": f"m{uuid.uuid4().hex[:8]}", "kind": "release", "purpose": MARKUP, "business_owner": "product_owner", "technical_owner": "innovator",
            "expires_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400)), "enabled": False,
            "document": {"unit": "person", "variations": [{"key": "on", "value": MARKUP}, {"key": "off", "value": ""}], "rules": [], "default": "off"}}
    for role, path, body in (("agent", "/v1/views", {"resource": "people", "name": MARKUP + uuid.uuid4().hex[:6]}), ("operator", "/v1/users", {"name": f"m-{uuid.uuid4().hex}", "display_name": MARKUP}),
                             ("operator", "/v1/teams", {"name": MARKUP, "slug": uuid.uuid4().hex}), ("operator", "/v1/webhooks", {"url": "https://example.org/", "description": MARKUP}),
                             ("product_owner", "/v1/flags", flag)):
        made = inert(core.post(path, body, role=role), 201)
        at = made.headers.get("Location") or f"{path}/{made.json['id']}"
        assert MARKUP in str(inert(core.get(at, role=role), 200).json.values()).replace("\\'", "'"), path
        inert(core.get(path, role=role), 200)
        if path in ("/v1/views", "/v1/webhooks"):
            assert core.delete(at, role=role).status == 204
    # In what is refused too, before a route is met and after.
    odd = urllib.parse.quote(MARKUP)
    for path in (f"/v1/people?sort={odd}", f"/v1/people?{odd}=x", f"/v1/people/{odd}", f"/{odd}", f"/v1/{odd}", f"/v1/search?q=x&{odd}=1"):
        inert(core.get(path), 400, 403, 404)
    inert(core.post("/v1/people", {MARKUP: 1}), 422)
    inert(core.post("/v1/people", MARKUP), 400)


def test_nothing_of_a_request_becomes_a_header(core):
    """Line ends, escaped and as they are, in everything that comes back in a header or could."""
    for _ in range(2):
        assert core.post("/v1/organizations", {"name": "Two at least"}).status == 201
    evil = "%0d%0aSet-Cookie:%20evil=1"
    lines = ([f"GET /v1/organizations?limit=1&{at}" for at in (f"name=neq.x{evil}", f"country=neq.{evil}", "name=neq.%e2%80%a8evil:1", "name=neq.<evil>")]    # Link
             + [f"GET /v1/organizations/{evil}", f"GET /v1/flags/{evil}", f"PUT /v1/people{evil}", f"OPTIONS /v1/{evil}", "GET /v1/me"])
    odd = ["Request-Id: evil", "X-Request-Id: evil", "Origin: https://evil", "Cookie: bimodal=evil\x0bevil", "User-Agent: evil\x1b[2J", "If-None-Match: evil", "Accept: text/html;evil"]
    for line in lines:
        got, _ = talk(core, request(core, *line.split(" ", 1), headers=[*odd, "Connection: close"]))
        for a in got:
            assert all(c == "\t" or " " <= c <= "~" for name, value in a.headers.items() for c in name + value), a
            assert "set-cookie" not in a.headers and uuid.UUID(a.headers["request-id"]), a
            assert not [h for h, value in a.headers.items() if "evil" in h or ("evil" in value and h != "link")], a
            assert "\n" not in a.headers.get("link", "") and "<evil>" not in a.headers.get("link", ""), a
        assert len(got) == 1, (line, got)
    # As they are, a line end ends the line, and folded ones end the request.
    for bad in ("X: a\nSet-Cookie: evil=1", "X: a\rSet-Cookie: evil=1", "X: a\r\n Set-Cookie: evil=1", "Idempotency-Key: a\x00b"):
        got, closed = talk(core, request(core, "GET", "/v1/me", headers=[bad]))
        assert [a.status for a in got] == [400] and closed and "set-cookie" not in got[0].headers, (bad, got)


def test_the_log_holds_lines_of_ours_alone(core):
    """Whatever is sent in a place that may be logged: each line is one JSON object without a byte that a terminal obeys."""
    since = core.log.stat().st_size
    evil = "evil\r\n{\"level\":\"error\"}\x1b[2J\x9b2J\x85\u2028\u2029\u202e\x7f"
    quoted = urllib.parse.quote(evil)
    for path in (f"/v1/people?sort={quoted}", f"/v1/{quoted}", f"/v1/people/{quoted}", f"/v1/people?{quoted}=1", f"/v1/search?q={quoted}", f"/v1/people?country={quoted}",
                 f"/v1/access/explain?principal={quoted}&method=GET&path=/{quoted}"):
        for role in ("agent", "operator"):
            assert core.get(path, role=role, headers={"User-Agent": "evil\x1b[2J", "Referer": "evil\x9b2J"}).status < 500
    for path, body in (("/v1/people", {evil: evil}), ("/v1/people", {"given_name": evil, "owner": evil, "country": evil}), ("/v1/people", {"birth_date": evil}),
                       ("/v1/session", {"login": evil, "password": evil}), ("/v1/password-reset", {"secret": evil, "password": evil}), ("/v1/views", {"resource": evil, "name": evil}),
                       ("/v1/people/batch", {"mode": evil, "ops": [{"op": evil}]})):
        for text in (json.dumps(body), json.dumps(body, ensure_ascii=False).replace("\x1b", "\\u001b").encode()):
            assert core.post(path, text).status < 500
    core.post("/v1/users", {"name": evil, "display_name": evil}, role="operator")
    for bad in (f"GET /{evil} HTTP/1.1\r\n\r\n".encode(), b"\x1b[2J evil\r\n\r\n", request(core, "GET", "/v1/me", headers=["Authorization: Bearer \x1b[2Jevil"])):
        talk(core, bad)
    assert core.get("/healthz", role=None).status == 200
    for line in core.log.read_bytes()[since:].decode().splitlines():    # of what ends a line for anybody
        told = json.loads(line)
        assert {"ts", "level", "event"} <= told.keys() and not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e]", line), line


def test_what_is_anothers_is_not_there(core, product):
    """Guessing an id tells nothing: the same status, headers and body as for one that nobody has, and as many statements to find out."""
    owner, stranger = "product_owner", "innovator"
    view = core.post("/v1/views", {"resource": "organizations", "name": uuid.uuid4().hex}, role=owner).json["id"]
    hook = core.post("/v1/webhooks", {"url": "https://example.org/hook"}, role=owner).json["id"]
    token = product.clusters.one("core", "SELECT t.id::text FROM access.token t JOIN access.principal p ON p.id = t.principal WHERE p.name = %s AND t.audience = 'core' LIMIT 1", (owner,))
    notice = product.clusters.one("core", "INSERT INTO notice.notice (principal, kind, task, event, subject, title, body, link, record, app)"
                                  " SELECT id, 'flag.killed', false, -7, 'x', 'x', '', '/x', '/v1/x', true FROM access.principal WHERE name = %s RETURNING id::text", (owner,))
    rows = [("GET", "/v1/views/{}", view), ("PATCH", "/v1/views/{}", view), ("DELETE", "/v1/views/{}", view), ("GET", "/v1/organizations?view={}", view),
            ("GET", "/v1/webhooks/{}", hook), ("PATCH", "/v1/webhooks/{}", hook), ("DELETE", "/v1/webhooks/{}", hook), ("POST", "/v1/webhooks/{}/rotate", hook),
            ("POST", "/v1/webhooks/{}/test", hook), ("GET", "/v1/webhooks/{}/deliveries", hook), ("POST", f"/v1/webhooks/{{}}/deliveries/{uuid.uuid4()}/replay", hook),
            ("GET", "/v1/tokens/{}", token), ("POST", "/v1/tokens/{}/rotate", token), ("DELETE", "/v1/tokens/{}", token), ("POST", "/v1/notices/{}/read", notice)]

    def ask(method, path, some):
        body = {"PATCH": {"name": "x"} if "views" in path else {"description": "x"}, "POST": {}}.get(method)
        r = core.request(method, path.format(some), body, role=stranger, headers={"If-Match": "*"})
        kept = {k: v for k, v in r.headers.items() if k not in ("Date", "Request-Id", "RateLimit", "Content-Length")}
        return r.status, kept, re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", r.body.decode())

    def statements():
        text = core.get("/metrics", role=None).body.decode()
        return sum(float(x.rsplit(" ", 1)[1]) for x in text.splitlines() if x.startswith('postgres_query_seconds_count{pool="core/app"'))

    for method, path, real in rows:
        mine, none = ask(method, path, real), ask(method, path, uuid.uuid4())
        assert mine == none and mine[0] == 404, (method, path, mine, none)
    for _ in range(20):    # the workers ask some things by themselves
        counts = [statements()]
        for ids in ([real for *_, real in rows], [uuid.uuid4()] * len(rows)):
            for (method, path, _real), some in zip(rows, ids):
                ask(method, path, some)
            counts.append(statements())
        if counts[2] - counts[1] == counts[1] - counts[0]:
            break
    else:
        raise AssertionError(counts)
    assert core.get(f"/v1/views/{view}", role=owner).status == core.get(f"/v1/webhooks/{hook}", role=owner).status == core.get(f"/v1/tokens/{token}", role=owner).status == 200
    assert core.delete(f"/v1/views/{view}", role=owner).status == core.delete(f"/v1/webhooks/{hook}", role=owner).status == 204
