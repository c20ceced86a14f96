"""Who may do what: every role on every resource and verb, as config/roles.yaml says; tokens that end; refusals that say why."""
import hashlib
import secrets
import time
import uuid

import pytest
import rights
from product import ROLES
from rights import CLASSES, MATRIX, RESOURCES, may

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
    assert unguarded == open_to_all | console | {("core", "session.begin"), ("core", "password.set")}


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
