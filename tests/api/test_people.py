"""People and teams: users, services, teams, owner pairs, hand-over, tokens with scopes — and what must not be possible."""
import concurrent.futures
import datetime
import json
import re
import time
import uuid

import feature as F
import pytest
import traced


def new(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def later(**kw):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**kw)).strftime("%Y-%m-%dT%H:%M:%SZ")


def ok(r, status=200):
    assert r.status == status, r
    return r.json


def refused(r, status, field=None, word=""):
    assert r.status == status and r.headers["Content-Type"] == "application/problem+json", r
    assert word in r.json["detail"], r
    if field is not None:
        assert r.json["errors"][0]["pointer"] == field, r
    return r.json


@pytest.fixture(scope="module")
def make(core):
    """make("bob", roles=[…]) -> a new user with a token of his own for core, made by himself through an operator's SQL-free way."""
    def user(prefix="u", **body):
        return ok(core.post("/v1/users", {"name": new(prefix), **body}, role="operator"), 201)
    return user


@pytest.fixture(scope="module")
def login(product, core):
    """A token of a user, made as the installation does; tries until all workers know it."""
    def token(user, audience="core", role=None):
        daemon = getattr(product, audience)
        with_role = role or (user["roles"] or ["agent"])[0]
        text = core.command("--create-token", f"{user['name']}:{with_role}:{audience}").strip()
        until(lambda: all(daemon.get("/v1/me", token=text).status == 200 for _ in range(8)))
        return text
    return token


def until(true, seconds=15.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.03)


def statuses(daemon, token, path="/v1/me"):
    return {daemon.get(path, token=token).status for _ in range(8)}


def service(core, make, roles=()):
    a, b = make("own"), make("own")
    s = ok(core.post("/v1/users", {"name": new("svc"), "kind": "service", "business_owner": a["id"], "technical_owner": b["id"],
                                   "roles": list(roles)}, role="operator"), 201)
    return s, a, b


# ---- users

def test_a_user_from_create_to_enable(core, product):
    name = new("ada")
    r = core.post("/v1/users", {"name": name, "email": f"{name}@Example.org", "display_name": "Ada <b>L.</b>", "locale": "en-GB", "roles": ["agent"]}, role="operator")
    made = ok(r, 201)
    assert r.headers["Location"] == f"/v1/users/{made['id']}" and r.etag == '"v1"' and made["kind"] == "user" and made["version"] == 1
    path = f"/v1/users/{made['id']}"
    shown = core.get(path, role="operator")
    assert shown.etag == '"v1"' and shown.json["roles"] == ["agent"] and shown.json["email"] == f"{name}@Example.org" and shown.json["teams"] == []
    r = core.patch(path, {"display_name": None, "locale": "de"}, role="operator", headers={"If-Match": shown.etag})
    assert ok(r)["display_name"] is None and r.etag == '"v2"' and r.json["email"]
    refused(core.patch(path, {"locale": "fr"}, role="operator", headers={"If-Match": shown.etag}), 412)
    refused(core.patch(path, {"locale": "fr"}, role="operator"), 428)
    refused(core.patch(path, {}, role="operator", headers={"If-Match": "*"}), 422)
    assert ok(core.post(f"{path}/disable", role="operator"))["disabled_at"]
    again = core.post(f"{path}/disable", role="operator")
    assert again.etag == '"v3"', "a second time changes nothing"
    assert ok(core.post(f"{path}/enable", role="operator"))["disabled_at"] is None
    events = product.clusters.rows("core", "SELECT op, actor, version FROM event.log WHERE resource = 'users' AND record_id = %s ORDER BY seq", (made["id"],))
    operator = core.get("/v1/me", role="operator").json["principal"]
    assert [e[0] for e in events] == ["create", "role.create", "update", "update", "update"] and {e[1] for e in events} == {operator}
    refused(core.get(f"/v1/users/{uuid.uuid4()}", role="operator"), 404)


def test_lists_page_search_and_filter(core, make):
    mark = uuid.uuid4().hex[:8]
    names = sorted(make(f"{mark}-{i}", email=f"{mark}{i}@x.example", display_name=f"Person {mark.upper()}")["name"] for i in range(5))
    seen, after = [], ""
    while True:
        page = ok(core.get(f"/v1/users?q={mark}&limit=2&after={after}", role="operator"))
        seen += [u["name"] for u in page["data"]]
        if not page["page"]["has_more"]:
            break
        after = page["page"]["next"]
    assert seen == names
    one = ok(core.get(f"/v1/users?name={names[0]}", role="operator"))["data"][0]
    ok(core.post(f"/v1/users/{one['id']}/disable", role="operator"))
    assert [u["name"] for u in core.get(f"/v1/users?q={mark}&state=disabled", role="operator").json["data"]] == [names[0]]
    assert len(core.get(f"/v1/users?q={mark}&state=active&kind=user", role="operator").json["data"]) == 4
    # E-mail addresses are for those who administer people: neither shown nor found by others.
    assert len(core.get(f"/v1/users?q={mark}3@", role="operator").json["data"]) == 1
    assert core.get(f"/v1/users?q={mark}3@", role="innovator").json["data"] == []
    assert all("email" not in u for u in core.get(f"/v1/users?q={mark}", role="innovator").json["data"])
    for query in ("limit=0", "limit=x", "kind=robot", "state=away", "team=1", "q=" + "x" * 101):
        refused(core.get(f"/v1/users?{query}", role="operator"), 400, word="must")


BAD = [
    ({}, "/name"), ({"name": "Ada"}, "/name"), ({"name": "a b"}, "/name"), ({"name": "a\r\nX: y"}, "/name"), ({"name": "a" * 101}, "/name"), ({"name": None}, "/name"), ({"name": 5}, "/name"),
    ({"email": "x"}, "/email"), ({"email": "a@b@c"}, "/email"), ({"email": "a @b.c"}, "/email"), ({"email": ["a@b.c"]}, "/email"),
    ({"display_name": "a\nb"}, "/display_name"), ({"display_name": ""}, "/display_name"), ({"display_name": "x" * 201}, "/display_name"),
    ({"locale": "english"}, "/locale"), ({"kind": "robot"}, "/kind"), ({"roles": ["admin"]}, "/roles/0"), ({"roles": "agent"}, "/roles"), ({"roles": ["agent,operator"]}, "/roles/0"),
    ({"business_owner": str(uuid.uuid4())}, "/business_owner"), ({"technical_owner": "me"}, "/technical_owner"),
    ({"kind": "service"}, "/business_owner"), ({"kind": "service", "email": "a@b.c"}, "/email"),
    ({"kind": "service", "business_owner": str(uuid.uuid4()), "technical_owner": str(uuid.uuid4())}, "/business_owner"),
    # Mass assignment: what is not the caller's to set is not known.
    ({"id": str(uuid.uuid4())}, "/id"), ({"version": 9}, "/version"), ({"created_at": "2020-01-01T00:00:00Z"}, "/created_at"), ({"disabled_at": None}, "/disabled_at"),
    ({"password_hash": "x"}, "/password_hash"), ({"teams": []}, "/teams"), ({"is_lead": True}, "/is_lead"),
]


@pytest.mark.parametrize("body,pointer", BAD, ids=[json.dumps(b)[:40] for b, _ in BAD])
def test_bodies_that_are_refused(core, body, pointer):
    sent = body if "name" in body or body == {} else {"name": new("bad"), **body}
    got = refused(core.post("/v1/users", sent, role="operator"), 422)["errors"][0]["pointer"]
    assert got == pointer or (pointer == "/business_owner" and got == "/technical_owner"), got


@pytest.mark.parametrize("member", ["name", "kind", "version", "created_at", "updated_at", "disabled_at", "roles", "hash", "id"])
def test_members_that_no_patch_may_set(core, make, member):
    user = make()
    refused(core.patch(f"/v1/users/{user['id']}", {member: "x"}, role="operator", headers={"If-Match": "*"}), 422, f"/{member}")
    refused(core.patch("/v1/me", {member: "x"}, role="agent"), 422, f"/{member}")
    assert core.get(f"/v1/users/{user['id']}", role="operator").json == user


def test_an_address_is_one_persons_whatever_its_case(core, make):
    address = f"{new('ada')}@example.org"
    make(email=address)
    refused(core.post("/v1/users", {"name": new("eve"), "email": address.upper()}, role="operator"), 409, "/email")
    other = make()
    refused(core.patch(f"/v1/users/{other['id']}", {"email": address.title()}, role="operator", headers={"If-Match": "*"}), 409, "/email")
    refused(core.post("/v1/users", {"name": other["name"]}, role="operator"), 409, "/name")


# ---- roles

def test_roles_are_given_by_another_person(core, make, login, product):
    eve = make("eve", roles=["operator"])
    token = login(eve)
    path = f"/v1/users/{eve['id']}/roles"
    refused(core.request("PUT", path, {"roles": ["operator", "agent"]}, token=token), 403, "/roles", "himself")
    service_of_hers = core.post("/v1/users", {"name": new("svc"), "kind": "service", "business_owner": eve["id"], "technical_owner": make()["id"],
                                              "roles": ["product_owner"]}, token=token)
    refused(service_of_hers, 403, "/roles", "service of his own")
    assert ok(core.request("PUT", path, {"roles": ["operator", "agent"]}, role="operator"))["roles"] == ["agent", "operator"]
    refused(core.request("PUT", path, {"roles": ["admin"]}, role="operator"), 422, "/roles/0")
    refused(core.request("PUT", path, {"roles": []}, role="innovator"), 403, word="user.write")
    # To lay a role down is not to raise oneself; the next request is already without it.
    assert ok(core.request("PUT", path, {"roles": ["agent"]}, token=token))["roles"] == ["agent"]
    until(lambda: statuses(core, token, "/v1/users") == {403})
    ops = product.clusters.rows("core", "SELECT op FROM event.log WHERE record_id = %s AND op LIKE 'role.%%' ORDER BY seq", (eve["id"],))
    assert [o for (o,) in ops][:3] == ["role.create", "role.create", "role.delete"]


def test_a_role_that_one_may_not_give(core, make):
    """A token narrowed to users and agents gives no operator."""
    op = core.tokens["operator"]
    scoped = ok(core.post("/v1/tokens", {"audience": "core", "expires_at": later(hours=1), "scopes": ["user.*", "me.*", "role.grant_agent"]}, token=op), 201)["token"]
    until(lambda: statuses(core, scoped) == {200})
    body = {"name": new("x"), "roles": ["operator"]}
    refused(core.post("/v1/users", body, token=scoped), 403, "/roles", "role.grant_operator")
    assert ok(core.post("/v1/users", {**body, "roles": ["agent"]}, token=scoped), 201)["roles"] == ["agent"]
    operator = make(roles=["operator"])
    refused(core.request("PUT", f"/v1/users/{operator['id']}/roles", {"roles": []}, token=scoped), 403, "/roles", "role.grant_operator")


def test_the_last_operator_stays(core, product):
    """Everybody else is put aside in one transaction that is taken back: the law is the database's."""
    db = product.clusters.connect("core", autocommit=False)
    try:
        with db.cursor() as cur:
            cur.execute("SELECT id FROM access.principal WHERE name = 'operator'")
            last = cur.fetchone()[0]
            cur.execute("UPDATE access.principal SET disabled_at = now() WHERE disabled_at IS NULL AND id <> %s", (last,))
            for sql in ("UPDATE access.principal SET disabled_at = now() WHERE id = %s", "DELETE FROM access.role_grant WHERE principal = %s",
                        "SELECT access.user_able(%s, 'r', %s, false)", "SELECT access.user_roles(%s, 'r', %s, '{agent}', '{agent,operator}')",
                        "SELECT access.hand_over(%s, 'r', %s, (SELECT id FROM access.principal WHERE name = 'agent'), 'leaves', false)"):
                cur.execute("SAVEPOINT s")
                with pytest.raises(Exception) as e:
                    cur.execute("UPDATE access.principal SET disabled_at = NULL, kind = 'user' WHERE name = 'agent'")
                    cur.execute(sql, (last,) * sql.count("%s"))
                assert e.value.pgcode in ("CR409", "CR403"), (sql, e.value)
                cur.execute("ROLLBACK TO s")
    finally:
        db.rollback()
        db.close()


# ---- teams

def test_a_team_and_its_members(core, make, login):
    slug = new("sales")
    r = core.post("/v1/teams", {"name": "Sales", "slug": slug}, role="operator")
    team = ok(r, 201)
    path = r.headers["Location"]
    assert path == f"/v1/teams/{team['id']}" and r.etag == '"v1"' and team["members"] == 0
    ada, bob = make("a-ada"), make("b-bob")
    assert ok(core.request("PUT", f"{path}/members/{ada['id']}", {"is_lead": True}, role="operator"))["leads"] == [ada["id"]]
    assert ok(core.request("PUT", f"{path}/members/{bob['id']}", role="operator"))["members"] == 2
    members = ok(core.get(f"{path}/members?limit=1", role="operator"))
    assert [(m["name"], m["is_lead"]) for m in members["data"]] == [(ada["name"], True)] and members["page"]["next"] == ada["name"]
    assert [m["name"] for m in core.get(f"{path}/members?after={ada['name']}", role="operator").json["data"]] == [bob["name"]]
    assert [u["name"] for u in core.get(f"/v1/users?team={team['id']}", role="operator").json["data"]] == [ada["name"], bob["name"]]
    token = login(ada)
    me = ok(core.get("/v1/me", token=token))
    assert [(t["slug"], t["is_lead"]) for t in me["teams"]] == [(slug, True)] and me["kind"] == "user"
    assert ok(core.patch("/v1/me", {"display_name": "Ada L.", "locale": "en"}, token=token))["display_name"] == "Ada L."
    assert core.get("/v1/me", token=token).json["display_name"] == "Ada L."
    assert ok(core.delete(f"{path}/members/{bob['id']}", role="operator"))["members"] == 1
    refused(core.request("PUT", f"{path}/members/{uuid.uuid4()}", role="operator"), 404)
    refused(core.request("PUT", f"/v1/teams/{uuid.uuid4()}/members/{bob['id']}", role="operator"), 404)
    refused(core.request("PUT", f"{path}/members/{bob['id']}", {"is_lead": True, "since": "2020-01-01T00:00:00Z"}, role="operator"), 422, "/since")
    refused(core.get(f"/v1/teams/{uuid.uuid4()}/members", role="operator"), 404)
    for role in ("agent", "innovator"):
        refused(core.request("PUT", f"{path}/members/{bob['id']}", role=role), 403, word="team.write")


def test_teams_never_stand_below_themselves(core):
    def team(parent=None):
        return ok(core.post("/v1/teams", {"name": "T", "slug": new("t"), "parent": parent}, role="operator"), 201)["id"]

    def move(one, parent, version="*"):
        return core.patch(f"/v1/teams/{one}", {"parent": parent}, role="operator", headers={"If-Match": version})
    chain = [team()]
    for _ in range(7):
        chain.append(team(chain[-1]))
    refused(core.post("/v1/teams", {"name": "T", "slug": new("t"), "parent": chain[-1]}, role="operator"), 422, "/parent", "8 deep")
    refused(move(chain[0], chain[0]), 422, "/parent", "below itself")
    refused(move(chain[1], chain[3]), 422, "/parent", "below itself")
    other = team()
    refused(move(chain[0], other), 422, "/parent", "8 deep")
    refused(move(other, str(uuid.uuid4())), 422, "/parent", "no such team")
    ok(move(chain[4], None, '"v1"'))
    refused(core.delete(f"/v1/teams/{chain[4]}", role="operator"), 409, word="below")
    assert ok(core.delete(f"/v1/teams/{chain[7]}", role="operator"))["archived_at"]
    assert chain[7] not in {t["id"] for t in core.get("/v1/teams?limit=200", role="operator").json["data"]}
    refused(move(other, chain[7]), 422, "/parent", "archived")
    assert ok(core.post(f"/v1/teams/{chain[7]}/restore", role="operator"))["archived_at"] is None
    slug = core.get(f"/v1/teams/{other}", role="operator").json["slug"]
    refused(core.post("/v1/teams", {"name": "T", "slug": slug}, role="operator"), 409, "/slug")
    refused(core.post("/v1/teams", {"name": "T", "slug": "Not one"}, role="operator"), 422, "/slug")
    # Two moves at once cannot close a circle together.
    a, b = team(), team()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda pair: move(*pair).status, [(a, b), (b, a)]))
    assert sorted(done) in ([200, 409], [200, 422]), done # 409: it waited too long for the other


# ---- tokens

def test_a_token_from_make_to_revoke(core, product, sandbox):
    r = core.post("/v1/tokens", {"audience": "core", "expires_at": later(days=2), "label": "laptop"}, role="agent")
    made = ok(r, 201)
    text = made.pop("token")
    assert re.fullmatch(r"bm_core_[A-Za-z0-9_-]{43}", text) and text.startswith(made["prefix"]) and r.headers["Cache-Control"] == "no-store"
    assert "hash" not in made and text not in core.log.read_text()
    until(lambda: statuses(core, text) == {200})
    shown = ok(core.get(f"/v1/tokens/{made['id']}", role="agent"))
    assert shown["label"] == "laptop" and shown["live"] and "token" not in shown and shown["scopes"] is None
    assert made["id"] in {t["id"] for t in core.get("/v1/tokens?limit=200", role="agent").json["data"]}
    product.clusters.wait("core", "SELECT last_used_at IS NOT NULL FROM access.token WHERE id = %s", (made["id"],), 20)
    # Another person's token is not there, whoever guesses its id; who administers tokens sees it.
    for method, rest in (("GET", ""), ("POST", "/rotate"), ("DELETE", "")):
        refused(core.request(method, f"/v1/tokens/{made['id']}{rest}", role="innovator"), 404)
    assert core.get(f"/v1/tokens/{made['id']}", role="operator").status == 200
    refused(core.get(f"/v1/tokens?principal={made['principal']}", role="innovator"), 404)
    refused(core.get("/v1/tokens?principal=all", role="innovator"), 403)
    assert made["id"] in {t["id"] for t in core.get(f"/v1/tokens?principal={made['principal']}&limit=200", role="operator").json["data"]}
    assert ok(core.delete(f"/v1/tokens/{made['id']}", role="agent"))["revoked_at"]
    until(lambda: statuses(core, text) == {401})
    assert made["id"] not in {t["id"] for t in core.get("/v1/tokens?limit=200", role="agent").json["data"]}
    assert made["id"] in {t["id"] for t in core.get("/v1/tokens?limit=200&ended=true", role="agent").json["data"]}
    refused(core.post(f"/v1/tokens/{made['id']}/rotate", role="agent"), 409, word="ended")


TOKENS = [
    ({"expires_at": None}, "/expires_at"), ({"expires_at": "tomorrow"}, "/expires_at"), ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"), ({"expires_at": later(days=366)}, "/expires_at"),
    ({"audience": "airlock"}, "/audience"), ({"audience": None}, "/audience"), ({"scopes": []}, "/scopes"), ({"scopes": ["people"]}, "/scopes/0"), ({"scopes": ["people.read", "a,b.c"]}, "/scopes/1"),
    ({"scopes": ["p*.read"]}, "/scopes/0"), ({"scopes": ["a.b"] * 33}, "/scopes"), ({"scopes": "*.*"}, "/scopes"), ({"principal": str(uuid.uuid4())}, "/principal"), ({"principal": "me"}, "/principal"),
    ({"hash": "00"}, "/hash"), ({"prefix": "bm_"}, "/prefix"), ({"id": str(uuid.uuid4())}, "/id"), ({"created_by": str(uuid.uuid4())}, "/created_by"), ({"revoked_at": None}, "/revoked_at"),
    ({"label": "a\nb"}, "/label"),
]


@pytest.mark.parametrize("body,pointer", TOKENS, ids=[json.dumps(b)[:40] for b, _ in TOKENS])
def test_tokens_that_are_refused(core, body, pointer):
    refused(core.post("/v1/tokens", {"audience": "core", "expires_at": later(days=1), **body}, role="agent"), 422, pointer)


def test_scopes_narrow_a_token_at_both_daemons(core, sandbox, product):
    for daemon in (core, sandbox):
        body = {"audience": daemon.name, "expires_at": later(days=1), "scopes": ["organizations.read", "me.read"]}
        token = ok(core.post("/v1/tokens", body, role="agent"), 201)["token"]
        until(lambda: statuses(daemon, token) == {200})
        me = ok(daemon.get("/v1/me", token=token))
        assert sorted(me["rights"]) == ["me.read", "organizations.read"] and me["scopes"] == ["organizations.read", "me.read"]
        assert daemon.get("/v1/organizations?limit=1", token=token).status == 200
        assert refused(daemon.get("/v1/people?limit=1", token=token), 403, word="scopes")["right"] == "people.read"
        refused(product.core.get("/v1/me", token=token) if daemon is sandbox else sandbox.get("/v1/me", token=token), 401, word="daemon")
    assert core.post("/v1/organizations", {"name": "x"}, token=ok(core.post(
        "/v1/tokens", {"audience": "core", "expires_at": later(days=1), "scopes": ["*.read"]}, role="agent"), 201)["token"]).status in (401, 403)


def test_no_token_gives_more_than_its_maker_has(core, make):
    def ask(token, **body):
        return core.post("/v1/tokens", {"audience": "core", "expires_at": later(days=1), **body}, token=token)
    narrow = ok(ask(core.tokens["agent"], scopes=["me.*", "people.read"]), 201)["token"]
    until(lambda: statuses(core, narrow) == {200})
    # Nothing said: the same scopes. More said: no.
    assert ok(ask(narrow), 201)["scopes"] == ["me.*", "people.read"]
    for scopes in (["*.*"], ["people.*"], ["people.write"], ["*.read"]):
        refused(ask(narrow, scopes=scopes), 403, "/scopes", "maker has not")
    assert ok(ask(narrow, scopes=["people.read"]), 201)["scopes"] == ["people.read"]
    wide = ok(ask(core.tokens["agent"], label="wide"), 201)
    refused(core.post(f"/v1/tokens/{wide['id']}/rotate", token=narrow), 403, "/scopes")
    no_tokens = ok(ask(core.tokens["agent"], scopes=["people.*", "me.read"]), 201)["token"]
    until(lambda: statuses(core, no_tokens) == {200})
    refused(ask(no_tokens, scopes=["me.read"]), 403, word="me.token")
    # A person's token is his own business, an agent's service has more than an operator.
    other = make(roles=["operator"])
    refused(ask(core.tokens["operator"], principal=other["id"]), 403, "/principal", "that person alone")
    s, _, _ = service(core, make, ["agent"])
    refused(ask(core.tokens["operator"], principal=s["id"]), 403, "/scopes", "maker has not")
    refused(ask(core.tokens["innovator"], principal=s["id"]), 422, "/principal", "no such principal")
    quiet, _, _ = service(core, make, ["operator"])
    assert ok(ask(core.tokens["operator"], principal=quiet["id"], scopes=["feed.read"]), 201)["principal"] == quiet["id"]


def test_owners_make_the_tokens_of_their_service(core, make, login):
    s, business, technical = service(core, make, ["agent"])
    ok(core.request("PUT", f"/v1/users/{technical['id']}/roles", {"roles": ["agent"]}, role="operator"))
    token = login({**technical, "roles": ["agent"]})
    made = ok(core.post("/v1/tokens", {"audience": "core", "expires_at": later(days=1), "principal": s["id"]}, token=token), 201)
    until(lambda: statuses(core, made["token"]) == {200})
    assert core.get("/v1/me", token=made["token"]).json["kind"] == "service"
    assert [t["id"] for t in core.get(f"/v1/tokens?principal={s['id']}", token=token).json["data"]] == [made["id"]]
    assert ok(core.delete(f"/v1/tokens/{made['id']}", token=token))["revoked_at"]


def test_rotation_overlaps(core):
    made = ok(core.post("/v1/tokens", {"audience": "core", "expires_at": later(days=30), "scopes": ["me.*"], "label": "robot"}, role="agent"), 201)
    path = f"/v1/tokens/{made['id']}"
    for minutes in (-1, 10081, "60", 1.5):
        refused(core.post(f"{path}/rotate", {"overlap_minutes": minutes}, role="agent"), 422, "/overlap_minutes")
    refused(core.post(f"{path}/rotate", {"scopes": ["*.*"]}, role="agent"), 422, "/scopes")
    new_one = ok(core.post(f"{path}/rotate", role="agent"), 201)
    assert new_one["scopes"] == ["me.*"] and new_one["label"] == "robot" and new_one["expires_at"] > later(days=29)
    until(lambda: statuses(core, new_one["token"]) == {200})
    assert statuses(core, made["token"]) == {200}
    old = ok(core.get(path, role="agent"))
    assert old["replaced_by"] == new_one["id"] and later(minutes=50) < old["expires_at"] < later(minutes=70)
    refused(core.post(f"{path}/rotate", role="agent"), 409, word="before")
    last = ok(core.post(f"/v1/tokens/{new_one['id']}/rotate", {"overlap_minutes": 0, "expires_at": later(days=1)}, token=new_one["token"]), 201)
    until(lambda: statuses(core, new_one["token"]) == {401} and statuses(core, last["token"]) == {200})
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = sorted(pool.map(lambda _: core.post(f"/v1/tokens/{last['id']}/rotate", role="agent").status, range(4)))
    assert done == [201, 409, 409, 409]


# ---- hand-over

def world(core, product, make):
    """A leaver who owns one of everything, and his successor."""
    leaver, successor, third = make("leaver", roles=["agent"]), make("successor"), make("third")
    svc = ok(core.post("/v1/users", {"name": new("svc"), "kind": "service", "business_owner": leaver["id"], "technical_owner": third["id"]}, role="operator"), 201)
    records = [ok(core.post(f"/v1/{r}", {**b, "owner": leaver["name"]}), 201)["id"] for r, b in
               (("people", {"given_name": "A"}), ("people", {"given_name": "B"}), ("organizations", {"name": "O"}), ("cases", {"subject": "C"}), ("opportunities", {"name": "D"}))]
    flag = new("flag")
    ok(core.post("/v1/flags", {"key": flag, "kind": "release", "purpose": "p", "business_owner": third["name"], "technical_owner": leaver["name"], "expires_at": later(days=9),
                               "document": {"unit": "visitor", "variations": [{"key": "off", "value": False}], "rules": [], "default": "off"}}, role="product_owner"), 201)
    led, joined = (ok(core.post("/v1/teams", {"name": "T", "slug": new("t")}, role="operator"), 201)["id"] for _ in range(2))
    ok(core.request("PUT", f"/v1/teams/{led}/members/{leaver['id']}", {"is_lead": True}, role="operator"))
    ok(core.request("PUT", f"/v1/teams/{joined}/members/{leaver['id']}", role="operator"))
    return leaver, successor, third, svc, records, flag, led, joined


def test_hand_over_ends_a_leaver_everywhere(core, sandbox, product, make, login):
    leaver, successor, third, svc, records, flag, led, joined = world(core, product, make)
    tokens = {d: login(leaver, d.name) for d in (core, sandbox)}
    path = f"/v1/users/{leaver['id']}/hand-over"
    body = {"successor": successor["id"], "reason": "leaves the company"}
    count = "SELECT count(*) FROM event.log WHERE actor NOT LIKE 'system:%%' AND op NOT LIKE 'access.%%'"
    before = product.clusters.one("core", count)
    dry = ok(core.post(f"{path}?dry_run=true", body, role="operator"))
    want = {"users": 1, "people": 2, "organizations": 1, "cases": 1, "opportunities": 1, "flags": 1, "changes": 0, "features": 0}
    assert {k: dry["owned"][k] for k in want} == want and dry["leads"] == 1 and dry["one_person_twice"] == [] and dry["dry_run"] is True
    assert dry["ended"] == {**dry["ended"], "tokens": 2, "roles": 1, "memberships": 2}
    assert product.clusters.one("core", count) == before and statuses(core, tokens[core]) == {200}
    done = ok(core.post(path, body, role="operator"))
    assert {**done, "dry_run": True} == dry
    for daemon, token in tokens.items():
        until(lambda: statuses(daemon, token) == {401})
    gone = ok(core.get(f"/v1/users/{leaver['id']}", role="operator"))
    assert gone["disabled_at"] and gone["roles"] == [] and gone["teams"] == []
    assert ok(core.get(f"/v1/users/{svc['id']}", role="operator"))["business_owner"] == successor["id"]
    assert core.get(f"/v1/people/{records[0]}").json["owner"] == successor["name"]
    assert core.get(f"/v1/flags/{flag}", role="operator").json["technical_owner"] == successor["name"]
    assert core.get(f"/v1/teams/{led}", role="operator").json["leads"] == [successor["id"]]
    assert core.get(f"/v1/teams/{joined}", role="operator").json["members"] == 0
    rows = product.clusters.rows("core", "SELECT resource, op, after FROM event.log WHERE seq > %s AND actor = %s", (before, core.get("/v1/me", role="operator").json["principal"]))
    seen = {(r, o) for r, o, _ in rows}
    assert {("users", "user.hand-over"), ("people", "update"), ("cases", "update"), ("flags", "owner.move"), ("users", "update"), ("users", "role.delete"),
            ("teams", "member.create"), ("teams", "member.delete"), ("tokens", "update")} <= seen
    assert [a["reason"] for _, o, a in rows if o == "user.hand-over"] == ["leaves the company"]
    # Enabled again he has nothing: no token, no role.
    ok(core.post(f"/v1/users/{leaver['id']}/enable", role="operator"))
    assert statuses(core, tokens[core]) == {401} and core.get(f"/v1/users/{leaver['id']}", role="operator").json["roles"] == []


def change_of(core, business, technical, role="innovator"):
    return core.post("/v1/changes", {"kind": "schema", "title": "A table", "why": "it is wanted", "business_owner": business, "technical_owner": technical,
                                     "up": "CREATE TABLE crm.owned_by_test (id int)", "down": "DROP TABLE crm.owned_by_test"}, role=role)


def test_hand_over_moves_flags_changes_and_hypotheses(core, sandbox, product, make):
    """In core in one transaction; in the sandbox as soon as the flag has arrived. Nobody who was handed over owns anything any longer."""
    leaver, successor, third = make("leaver"), make("successor"), make("third")
    slug = f"owned_{uuid.uuid4().hex[:8]}"
    path, flag = f"/v1/features/{slug}", f"/v1/flags/feature-{slug.replace('_', '-')}"
    made = F.deploy(sandbox, F.files(slug, owners=(leaver["name"], third["name"])))
    assert made.status in (201, 202), made
    F.eventually(lambda: sandbox.get(path, role="innovator").json["state"] == "running", 30)
    filed = ok(change_of(core, third["name"], leaver["name"]), 201)
    change = f"/v1/changes/{filed['id']}"
    names = [leaver["name"], third["name"]]

    def pair(daemon, where):
        j = ok(daemon.get(where, role="innovator"))
        return [j["business_owner"], j["technical_owner"]]
    assert pair(sandbox, path) == pair(core, flag) == names and pair(core, change) == names[::-1]
    mine = "SELECT business_owner = %s AND technical_owner = %s FROM lab.hypothesis WHERE slug = %s"
    product.arrived(mine, (leaver["id"], third["id"], slug), 30)
    done = ok(core.post(f"/v1/users/{leaver['id']}/hand-over", {"successor": successor["id"], "reason": "leaves"}, role="operator"))
    assert (done["owned"]["flags"], done["owned"]["changes"], done["owned"]["features"]) == (1, 1, 0)
    names = [successor["name"], third["name"]]
    assert pair(core, flag) == names and pair(core, change) == names[::-1]
    product.arrived(mine, (successor["id"], third["id"], slug), 30)
    assert pair(sandbox, path) == names
    assert "owners" in [j["kind"] for j in sandbox.get(path, role="innovator").json["journal"]]
    listed = {c["id"]: c for c in core.get("/v1/changes", role="operator").json["data"]}[filed["id"]]
    assert [listed["business_owner"], listed["technical_owner"]] == names[::-1]
    for relation, business, technical, holds, live in product.clusters.rows("core", "SELECT relation, business, technical, holds, live FROM access.owned_all()"):
        left = "SELECT p.id FROM" if holds == "id" else "SELECT p.name FROM"
        left += " access.principal p JOIN event.log l ON l.record_id = p.id AND l.op = 'user.hand-over'"
        for column in filter(None, (business, technical)):
            assert product.clusters.one("core", f"SELECT count(*) FROM {relation} t WHERE ({live}) AND t.{column} IN ({left})") == 0, (relation, column)
    # What is over keeps its owners.
    assert sandbox.delete(path, role="innovator").status in (200, 202)
    F.eventually(lambda: core.get(flag, role="operator").json["archived_at"], 30)
    last = make("last")
    done = ok(core.post(f"/v1/users/{successor['id']}/hand-over", {"successor": last["id"], "reason": "leaves too"}, role="operator"))
    assert (done["owned"]["flags"], done["owned"]["changes"]) == (0, 1)
    assert pair(core, flag) == names and pair(core, change) == [third["name"], last["name"]]


def test_who_is_not_here_owns_nothing(core, sandbox, make):
    """Unknown names, services, leavers, one person twice: refused with the place, at both daemons."""
    gone, ada, bob = make("gone"), make("ada")["name"], make("bob")["name"]
    ok(core.post(f"/v1/users/{gone['id']}/disable", role="operator"))
    cases = [((new("nobody"), bob), "/business_owner", "no active user"), ((ada, gone["name"]), "/technical_owner", "no active user"),
             ((ada, "agent"), "/technical_owner", "no active user"), ((ada, ada), "/technical_owner", "two people")]
    for (business, technical), place, word in cases:
        refused(core.get(f"/v1/owners?business_owner={business}&technical_owner={technical}", role="innovator"), 422, place, word)
        refused(change_of(core, business, technical), 422, place, word)
        slug = f"never_{uuid.uuid4().hex[:8]}"
        r = refused(F.deploy(sandbox, F.files(slug, owners=(business, technical))), 422, word=word)
        assert "feature.yaml" in r["detail"] and place[1:] in r["detail"], r
        assert sandbox.get(f"/v1/features/{slug}", role="innovator").status == 404
    both = ok(core.get(f"/v1/owners?business_owner={ada}&technical_owner={bob}", role="service"))
    assert [both[side]["name"] for side in ("business_owner", "technical_owner")] == [ada, bob]
    for query in ("", f"?business_owner={ada}", f"?technical_owner={ada}"):
        refused(core.get(f"/v1/owners{query}", role="innovator"), 400, word="name")
    filed = ok(change_of(core, ada, bob), 201)
    path = f"/v1/changes/{filed['id']}"
    refused(core.patch(path, {"business_owner": gone["name"]}, role="innovator"), 422, "/business_owner", "no active user")
    refused(core.patch(path, {"business_owner": bob}, role="innovator"), 422, "/technical_owner", "two people")
    assert ok(core.patch(path, {"technical_owner": make("eve")["name"], "business_owner": bob}, role="innovator"))["business_owner"] == bob


def test_hand_over_is_refused(core, make, product):
    leaver, successor, third, svc, *_ = world(core, product, make)
    path = f"/v1/users/{leaver['id']}/hand-over"

    def ask(successor_id, where=path, **more):
        return core.post(where, {"successor": successor_id, "reason": "r", **more}, role="operator")
    refused(ask(leaver["id"]), 422, "/successor", "is the leaver")
    refused(ask(str(uuid.uuid4())), 422, "/successor", "no such user")
    refused(ask(svc["id"]), 422, "/successor", "no such user")
    refused(ask(successor["id"], f"/v1/users/{uuid.uuid4()}/hand-over"), 404)
    refused(ask(successor["id"], f"/v1/users/{svc['id']}/hand-over"), 409, word="disable it")
    refused(ask(successor["id"], force=True), 422, "/force")
    refused(core.post(path, {"successor": successor["id"]}, role="operator"), 422, "/reason")
    for role in ("agent", "innovator", "product_owner", "service"):
        refused(core.post(path, {"successor": successor["id"], "reason": "r"}, role=role), 403, word="user.hand_over")
    # The third owns the other side of the service and of the flag: both are named, nothing is written.
    twice = refused(ask(third["id"]), 409, "/successor", "one person")["detail"]
    assert svc["id"] in twice and "flags" in twice
    assert {c["resource"] for c in ok(core.post(f"{path}?dry_run=true", {"successor": third["id"], "reason": "r"}, role="operator"))["one_person_twice"]} == {"users", "flags"}
    ok(core.post(f"/v1/users/{successor['id']}/disable", role="operator"))
    refused(ask(successor["id"]), 422, "/successor", "disabled")
    assert core.get(f"/v1/users/{leaver['id']}", role="operator").json["disabled_at"] is None


def test_hand_overs_at_once(core, make, product):
    """A to B and B to A; and a service named after the leaver while he leaves: nobody who left owns anything."""
    a, b, c = make("a"), make("b"), make("c")

    def give(pair):
        return core.post(f"/v1/users/{pair[0]['id']}/hand-over", {"successor": pair[1]["id"], "reason": "r"}, role="operator").status

    def name_owner(_):
        return core.post("/v1/users", {"name": new("svc"), "kind": "service", "business_owner": a["id"], "technical_owner": c["id"]}, role="operator").status
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        made = [pool.submit(name_owner, i) for i in range(3)]
        gave = [pool.submit(give, p) for p in ((a, b), (b, a))]
        statuses_made, statuses_gave = [f.result() for f in made], sorted(f.result() for f in gave)
    assert statuses_gave == [200, 422] and set(statuses_made) <= {201, 409, 422}, (statuses_gave, statuses_made)
    left = [u for u in (a, b) if core.get(f"/v1/users/{u['id']}", role="operator").json["disabled_at"]]
    assert len(left) == 1
    assert product.clusters.one("core", "SELECT count(*) FROM access.principal WHERE %s IN (business_owner, technical_owner)", (left[0]["id"],)) == 0


def test_owner_pairs_of_services(core, make):
    s, business, technical = service(core, make)
    path = f"/v1/users/{s['id']}"

    def change(**body):
        return core.patch(path, body, role="operator", headers={"If-Match": "*"})
    refused(change(technical_owner=business["id"]), 422, "/technical_owner", "two people")
    refused(change(business_owner=None), 422, "/business_owner", "without an owner")
    refused(change(business_owner=s["id"]), 422, "/business_owner", "no active user")
    refused(change(email="a@b.c"), 422, "/email", "has none")
    gone = make()
    ok(core.post(f"/v1/users/{gone['id']}/disable", role="operator"))
    refused(change(business_owner=gone["id"]), 422, "/business_owner", "no active user")
    ok(core.post(f"/v1/users/{business['id']}/disable", role="operator"))
    assert ok(change(display_name="still here"))["display_name"] == "still here"
    refused(core.patch(f"/v1/users/{technical['id']}", {"business_owner": business["id"]}, role="operator", headers={"If-Match": "*"}), 422, "/business_owner", "has none")


# ---- the command line

def test_the_commands(core, tmp_path):
    (tmp_path / "token").write_text(core.tokens["operator"])
    address = f"http://127.0.0.1:{core.port}"

    def cli(*words, code=0, before=()):
        done = traced.bimodal(core.product, "--core", address, "--token-file", tmp_path / "token", *(before or ["--raw"]), *words)
        assert done.returncode == code, (words, done)
        return json.loads(done.stdout) if code == 0 and not before else done.stdout + done.stderr
    ada, bob, eve, svc, team = new("ada"), new("bob"), new("eve"), new("svc"), new("team")
    assert cli("user", "add", ada, "--email", f"{ada}@example.org", "--display-name", "Ada \"L.\"", "--roles", "agent,innovator")["roles"] == ["agent", "innovator"]
    cli("user", "add", bob)
    cli("user", "add", eve, "--locale", "de")
    assert cli("user", "add", svc, "--service", "--business-owner", ada, "--technical-owner", bob, "--roles", "operator")["kind"] == "service"
    assert [u["name"] for u in cli("user", "list", f"q={ada}")["data"]] == [ada]
    assert cli("user", "roles", ada, "agent")["roles"] == ["agent"] and cli("user", "roles", ada, "")["roles"] == []
    assert cli("user", "disable", bob)["disabled_at"] and not cli("user", "enable", bob)["disabled_at"]
    assert "there is no user" in cli("user", "get", new("nobody"), code=1)
    cli("team", "add", team, "--name", "The team")
    assert cli("team", "add", f"{team}-2", "--parent", team)["parent"]
    assert cli("team", "join", team, ada, "--lead")["leads"] and cli("team", "members", team)["data"][0]["name"] == ada
    assert cli("team", "archive", f"{team}-2")["archived_at"] and not cli("team", "restore", f"{team}-2")["archived_at"]
    made = cli("token", "create", "--days", "365", "--scopes", "feed.read,me.read", "--for", svc, "--label", "a robot")
    assert made["scopes"] == ["feed.read", "me.read"] and made["id"] in {t["id"] for t in cli("token", "list", "--of", svc)["data"]}
    text = cli("token", "create", "--audience", "sandbox", "--days", "1", before=("--quiet",)).strip()
    assert re.fullmatch(r"bm_sandbox_[A-Za-z0-9_-]{43}", text)
    assert cli("token", "rotate", made["id"], "--overlap", "5")["scopes"] == ["feed.read", "me.read"]
    assert cli("token", "revoke", made["id"])["revoked_at"]
    assert cli("user", "hand-over", ada, "--to", eve, "--reason", "leaves", "--dry-run")["owned"]["users"] == 1
    assert "one person" in cli("user", "hand-over", ada, "--to", bob, "--reason", "leaves", code=1)
    assert cli("user", "hand-over", ada, "--to", eve, "--reason", "leaves")["leads"] == 1
    assert cli("user", "get", svc)["business_owner"] == cli("user", "get", eve)["id"]
    assert cli("team", "leave", team, eve)["members"] == 0
    assert "usage" in cli("user", "hand-over", ada, code=2)


# ---- who may

ROUTES = [("GET", "/v1/users", "user.read"), ("POST", "/v1/users", "user.write"), ("GET", "/v1/users/{u}", "user.read"), ("PATCH", "/v1/users/{u}", "user.write"), ("POST", "/v1/users/{u}/disable", "user.write"),
          ("POST", "/v1/users/{u}/enable", "user.write"), ("PUT", "/v1/users/{u}/roles", "user.write"), ("POST", "/v1/users/{u}/hand-over", "user.hand_over"), ("PATCH", "/v1/me", "me.write"),
          ("GET", "/v1/teams", "team.read"), ("POST", "/v1/teams", "team.write"), ("GET", "/v1/teams/{u}", "team.read"), ("PATCH", "/v1/teams/{u}", "team.write"), ("DELETE", "/v1/teams/{u}", "team.write"),
          ("POST", "/v1/teams/{u}/restore", "team.write"), ("GET", "/v1/teams/{u}/members", "team.read"), ("PUT", "/v1/teams/{u}/members/{u}", "team.write"), ("DELETE", "/v1/teams/{u}/members/{u}", "team.write"),
          ("GET", "/v1/tokens", "me.read"), ("POST", "/v1/tokens", "me.token"), ("GET", "/v1/tokens/{u}", "me.read"), ("POST", "/v1/tokens/{u}/rotate", "me.token"), ("DELETE", "/v1/tokens/{u}", "me.token")]


def test_every_route_asks_for_its_right(core, sandbox):
    none = ok(core.post("/v1/tokens", {"audience": "core", "expires_at": later(hours=1), "scopes": ["me.none"]}, role="operator"), 201)["token"]
    until(lambda: statuses(core, none) == {403})
    for method, path, right in ROUTES:
        path = path.replace("{u}", str(uuid.uuid4()))
        assert refused(core.request(method, path, {}, token=none), 403)["right"] == right, path
        refused(core.request(method, path, {}, role=None), 401)
        refused(core.request(method, path, {}, token=sandbox.tokens["operator"]), 401, word="sandbox")


def test_the_app_role_writes_only_through_the_functions(product):
    db = product.clusters.connect("core", "bimodal_app")
    with db.cursor() as cur:
        for sql in ("UPDATE access.principal SET disabled_at = NULL", "INSERT INTO access.role_grant SELECT id, 'operator' FROM access.principal", "DELETE FROM access.membership",
                    "UPDATE access.token SET expires_at = now() + interval '9 years'", "UPDATE access.owned SET live = 'false'", "SELECT access.roles_put(gen_random_uuid(), '{operator}', '{operator}', NULL)",
                    "INSERT INTO access.ending VALUES ('a.b', 'c', 'd', 'e')"):
            with pytest.raises(Exception) as e:
                cur.execute(sql)
            assert e.value.pgcode == "42501", sql
    db.close()
