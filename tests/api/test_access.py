"""Tokens, roles and rights through the real daemons."""
import uuid


def test_no_token(core):
    r = core.get("/v1/people", role=None)
    assert r.status == 401 and r.headers["WWW-Authenticate"].startswith("Bearer") and r.json["reason"] == "missing"
    assert "problem+json" in r.headers["Content-Type"]


def test_wrong_tokens(core, sandbox):
    for token, reason in (("x", "malformed"), ("bm_core_" + "A" * 43, "unknown"), (sandbox.tokens["agent"], "other-daemon")):
        r = core.get("/v1/people", token=token)
        assert r.status == 401 and r.json["reason"] == reason, r
    assert "sandbox" in core.get("/v1/people", token=sandbox.tokens["agent"]).json["detail"]
    r = sandbox.get("/v1/people", token=core.tokens["agent"])
    assert r.status == 401 and r.json["reason"] == "other-daemon"


def test_missing_right_is_named(core):
    r = core.get("/v1/people", role="service")
    assert r.status == 403 and r.json["right"] == "people.read"
    r = core.post("/v1/people", {}, role="innovator")
    assert r.status == 403 and r.json["right"] == "people.write"
    assert core.get(f"/v1/people/{uuid.uuid4()}", role="operator").status == 404


def test_open_routes(core):
    assert core.get("/healthz", role=None).status == 200
