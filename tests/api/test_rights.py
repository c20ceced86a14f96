"""Who may do what: every role on every resource and verb, as config/roles.yaml says; tokens that end; refusals that say why."""
import hashlib
import re
import secrets
import time
import uuid

import pytest
from clusters import ROOT
from product import ROLES

RESOURCES = ("organizations", "people", "consents", "interactions", "opportunities", "cases")
CLASSES = ("open", "internal", "personal")


def matrix():
    """roles.yaml as {role: (rights, read classes, write classes)}, read without a YAML library."""
    found = {}
    for name, block in re.findall(r"^  ([a-z_]+):\n((?:    .*\n|\s*\n)+)", (ROOT / "config" / "roles.yaml").read_text() + "\n", re.M):
        lists = {k: set(re.split(r"[,\s]+", v.replace('"', "").strip())) - {""} for k, v in re.findall(r"(\w+): \[([^\]]*)\]", block)}
        found[name] = (lists["rights"], lists["read"], lists["write"])
    return found


MATRIX = matrix()


def may(role, resource, verb):
    return f"{resource}.{verb}" in MATRIX[role][0] or f"*.{verb}" in MATRIX[role][0]


def test_the_matrix_was_read():
    assert set(MATRIX) == set(ROLES)
    assert may("agent", "people", "write") and may("operator", "people", "read") and not may("operator", "people", "write")


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
    before = product.clusters.one("core", "SELECT coalesce(max(seq), 0) FROM event.log")
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
    assert product.clusters.one("core", "SELECT coalesce(max(seq), 0) FROM event.log") == before


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
                        (good.replace("core", "rope"), "malformed"), (good[:-1] + ("A" if good[-1] != "A" else "B"), "unknown"), (" " + good + " x", None)):
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
