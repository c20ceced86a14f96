"""Who asks for flags, whom a kill does not reach at once, all experiments stopped at once, flags as files.

One product that tells who asked every 200 ms."""
import datetime
import json
import threading
import time
import uuid

import pytest
import traced
from product import BUILD, Product
from streams import Stream

EXPIRES = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).isoformat()
BOOL = [{"key": "control", "value": False}, {"key": "treatment", "value": True}]
ALL = "/ofrep/v1/evaluate/flags"


@pytest.fixture(scope="module")
def product():
    p = Product()
    for name in ("core", "sandbox"):
        p.overrides[name] = "ofrep: { usage_period: 200ms }\n"
    p.start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


@pytest.fixture(scope="module")
def sandbox(product):
    return product.sandbox


def document(rules=(), default="control"):
    return {"unit": "visitor", "variations": BOOL, "rules": list(rules), "default": default}


def create(core, prefix="u", role="product_owner", **kw):
    body = {"key": f"{prefix}-{uuid.uuid4().hex[:8]}", "kind": "release", "purpose": "a test", "business_owner": "product_owner",
            "technical_owner": "innovator", "expires_at": EXPIRES, "document": document(), "enabled": True, **kw}
    r = core.post("/v1/flags", body, role=role)
    assert r.status == 201, r
    return body["key"]


def eventually(what, seconds=30.0):
    """The value once it is true; each question may be answered by another worker."""
    deadline = time.monotonic() + seconds
    while not (got := what()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)
    return got


def settled(core, key):
    eventually(lambda: (a := core.get(f"/v1/flags/{key}", role="operator").json["applied"])["workers"] == a["of"] == 2)


def ask(daemon, key, client, role="agent"):
    path = ALL if key is None else f"{ALL}/{key}"
    return daemon.request("POST", path, {"context": {"targetingKey": "v-1"}}, role=role, headers={"User-Agent": client})


def usage(core, key):
    r = core.get(f"/v1/flags/{key}/usage", role="product_owner")
    assert r.status == 200, r
    return r.json


def asker(core, key, client, how, daemon="core"):
    found = [a for a in usage(core, key)["asked_by"] if (a["client"], a["how"], a["daemon"]) == (client, how, daemon)]
    assert len(found) <= 1
    return found[0] if found else None


# -- who asks

def test_who_asks_is_counted(core):
    key = create(core)
    settled(core, key)
    for _ in range(7):
        assert ask(core, key, "till/3.2 (shop 17)").status == 200
    assert ask(core, None, "web/1").status == 200
    assert ask(core, key, "").status == 200
    a = eventually(lambda: (a := asker(core, key, "till/3.2", "one")) and a["count"] == 7 and a)
    assert a["name"] == "agent" and a["streams"] == 0 and a["first_at"] <= a["last_at"]
    a = eventually(lambda: asker(core, key, "web/1", "all"))
    assert a["count"] == 1
    assert eventually(lambda: asker(core, key, "-", "one"))["count"] == 1
    assert asker(core, create(core), "till/3.2", "one") is None
    assert core.get("/v1/flags/nothing-here/usage", role="product_owner").status == 404


def test_the_sandbox_tells_core(core, sandbox, product):
    key = create(core)
    product.arrived("SELECT count(*) = 1 FROM flag.flag WHERE key = %s", (key,))
    eventually(lambda: ask(sandbox, key, "trial/1").status == 200)
    a = eventually(lambda: asker(core, key, "trial/1", "one", "sandbox"))
    assert a["count"] >= 1 and a["name"] == "agent"


def test_the_sandbox_has_nothing_but_its_report(core):
    row = {"flag": "x", "principal": str(uuid.uuid4()), "client": "c", "count": 1, "first_at": EXPIRES, "last_at": EXPIRES}
    body = {"instance": "sandbox-9", "worker": 0, "asked": [row], "streams": []}
    assert core.post("/v1/flag-usage", body, role="product_owner").status == 403
    for bad, where in (({"worker": 5000}, "/worker"), ({"asked": {}}, "/asked"), ({"asked": [1]}, "/asked"), ({"streams": None}, "/streams"),
                       ({"instance": ""}, "/instance"), ({"more": 1}, "/more"), ({"asked": [{}] * 513}, "/asked")):
        r = core.post("/v1/flag-usage", {**body, **bad}, role="service")
        assert r.status == 422 and r.json["errors"][0]["pointer"] == where, (bad, r)
    for bad in ({"principal": "me"}, {"count": "many"}, {"last_at": "then"}, {"client": ""}, {"flag": None}):
        r = core.post("/v1/flag-usage", {**body, "asked": [{**row, **bad}]}, role="service")
        assert r.status == 422, (bad, r)
    assert core.post("/v1/flag-usage", body, role="service").json == {"counted": 1}


def test_what_is_counted_is_bounded(core, product):
    principal = str(uuid.uuid4())
    rows = [{"flag": f"no-such-{i}", "principal": principal, "client": "c/1", "count": 2, "first_at": EXPIRES, "last_at": EXPIRES}
            for i in range(300)]
    rows += [{"flag": "", "principal": principal, "client": f"c/{i}", "count": 2, "first_at": EXPIRES, "last_at": EXPIRES} for i in range(60)]
    for _ in range(2):
        assert core.post("/v1/flag-usage", {"instance": "s", "worker": 1, "asked": rows, "streams": []}, role="service").status == 200
    got = product.clusters.rows("core", "SELECT flag, client, count FROM flag.asked WHERE principal = %s", (principal,))
    unknown = [g for g in got if g[0] not in ("", "(others)")]
    assert len(unknown) == 100 and all(g[2] == 4 for g in unknown)
    assert {(g[0], g[1]): g[2] for g in got}["(others)", "c/1"] == 4 * 200
    assert len({g[1] for g in got}) == 21 and sum(g[2] for g in got if g[0] == "") == 4 * 60
    # Nothing is counted in a time to come.
    assert product.clusters.rows("core", "SELECT count(*) FROM flag.asked WHERE last_at > now() + interval '1 s'")[0][0] == 0


def test_keys_that_are_not_there(core):
    key, gone = f"typo-{uuid.uuid4().hex[:8]}", create(core)
    assert core.delete(f"/v1/flags/{gone}", role="product_owner").status == 200
    for k in (key, key, gone):
        eventually(lambda k=k: ask(core, k, "till/3.2").status == 404)

    def listed():
        out, after = {}, ""
        while True:
            page = core.get(f"/v1/unknown-flags?limit=2&after={after}", role="operator").json
            out.update({f["key"]: f for f in page["data"]})
            if not page["page"]["has_more"]:
                return out
            after = page["page"]["next"]
    found = eventually(lambda: (f := listed()) and key in f and gone in f and f[key]["count"] >= 2 and f)
    assert found[key]["archived"] is False and found[gone]["archived"] is True
    assert found[key]["asked_by"][0]["name"] == "agent" and found[key]["asked_by"][0]["client"] == "till/3.2"
    assert list(found) == sorted(found)
    create(core, key=key)
    assert key not in listed()
    assert core.get("/v1/unknown-flags?limit=0", role="operator").status == 400


def test_what_uses_a_flag(core):
    base = create(core)
    needs = document([{"force": "treatment", "prerequisites": [{"flag": base, "condition": {"value": True}}]}])
    above = create(core, document=needs)
    assert {"kind": "flag", "name": above, "how": "waits for it"} in usage(core, base)["used_by"]
    assert usage(core, above)["needs"] == [base]
    made = create(core, role="service", kind="experiment")
    assert [u["kind"] for u in usage(core, made)["used_by"]] == ["experiment"]


# -- whom a kill reaches

def test_a_kill_names_who_is_not_told(core):
    key = create(core)
    settled(core, key)
    mark = uuid.uuid4().hex[:6]
    for _ in range(3):
        ask(core, key, f"each-{mark}/1")
        told = ask(core, None, f"told-{mark}/1")
        ask(core, None, f"polls-{mark}/1")
    stream = Stream(core, told.json["eventStreams"][0]["endpoint"]["requestUri"], role=None, headers=[f"User-Agent: told-{mark}/1"])
    try:
        eventually(lambda: (a := asker(core, key, f"told-{mark}/1", "all")) and a["streams"] == 1)
        for c, how in (("each", "one"), ("polls", "all")):
            eventually(lambda c=c, how=how: (a := asker(core, key, f"{c}-{mark}/1", how)) and a["count"] == 3)
        r = core.post(f"/v1/flags/{key}/kill", role="operator")
        assert r.status == 200, r
        seen = r.json["applications"]
        found = {a["client"]: a for a in seen["without_stream"]}
        assert seen["seconds"] == 6 * 3600 and seen["streams"] >= 1
        assert f"told-{mark}/1" not in found
        assert found[f"each-{mark}/1"]["asks"] == "one" and found[f"each-{mark}/1"]["every_ms"] is None
        assert found[f"polls-{mark}/1"]["asks"] == "all" and found[f"polls-{mark}/1"]["every_ms"] >= 0
    finally:
        stream.close()
    # A stream that has ended does not count for long.
    eventually(lambda: asker(core, key, f"told-{mark}/1", "all")["streams"] == 0)
    found = core.post(f"/v1/flags/{key}/disable", role="operator").json["applications"]["without_stream"]
    assert f"told-{mark}/1" in [a["client"] for a in found]
    assert "applications" not in core.post(f"/v1/flags/{key}/enable", role="product_owner").json


# -- all experiments at once

def experiment(core, **kw):
    return create(core, prefix="x", role="service", kind="experiment", **kw)


def is_on(core, key):
    return core.get(f"/v1/flags/{key}", role="operator").json["enabled"]


def mode2(core, how, role="operator", reason="complaints from the shops"):
    return core.post(f"/v1/mode2/{how}", {"reason": reason}, role=role)


@pytest.fixture
def running(core):
    yield
    mode2(core, "start")


def generation(product):
    return product.clusters.one("core", "SELECT generation FROM flag.state")


def test_all_experiments_stop_and_come_back(core, sandbox, product, running):
    on, also, off = experiment(core), experiment(core), experiment(core, enabled=False)
    release = create(core)
    guarded = experiment(core)
    assert core.post(f"/v1/flags/{guarded}/protect", role="operator").status == 204
    killed, edited, ended, soon = experiment(core), experiment(core), experiment(core), experiment(core, expires_at=in_seconds(4))
    settled(core, soon)
    assert core.get("/v1/mode2", role="innovator").json["stopped"] is False
    before = generation(product)
    r = mode2(core, "stop")
    assert r.status == 200, r
    d = r.json
    assert d["changed"] is d["stopped"] is True and d["by_name"] == "operator" and d["reason"] == "complaints from the shops"
    assert d["applied"]["workers"] == d["applied"]["of"] == 2 and d["applied"]["missing"] == []
    assert d["generation"] == before + 1 == generation(product)  # one set of revisions
    stopped = {f["key"] for f in d["flags"]}
    assert {on, also, guarded, killed, edited, ended, soon} <= stopped and off not in stopped and release not in stopped
    assert not any(is_on(core, k) for k in (on, also, off, killed)) and is_on(core, release)
    for _ in range(4):  # of both workers
        assert ask(core, on, "x/1").json["reason"] == "DISABLED"
    # A second stop changes nothing, and forgets nothing.
    again = mode2(core, "stop", role="product_owner", reason="once more").json
    assert again["changed"] is False and again["reason"] == "complaints from the shops" and {f["key"] for f in again["flags"]} == stopped
    # Nothing is turned on, made, proposed.
    for path, body, role in ((f"/v1/flags/{on}/enable", {}, "product_owner"), (f"/v1/flags/{off}/enable", {}, "product_owner")):
        r = core.post(path, body, role=role)
        assert r.status == 503 and r.json["code"] == "mode2-stopped" and "complaints" in r.json["detail"], r
    r = core.post("/v1/flags", {"key": "x-late", "kind": "experiment", "purpose": "p", "business_owner": "product_owner", "expires_at": EXPIRES,
                                "technical_owner": "innovator", "document": document(), "enabled": True}, role="service")
    assert r.status == 503 and core.get("/v1/flags/x-late", role="operator").status == 404
    with product.clusters.connect("core") as c, c.cursor() as cur, pytest.raises(Exception, match="Mode 2 was stopped by operator"):
        cur.execute("INSERT INTO change.request (kind, title, author, filed_by, state, up, package, sha256, why, business_owner, technical_owner) "
                    "SELECT 'promotion', 't', b, b, 'checked', 'SELECT 1', 'x', '', 'w', b, t FROM (SELECT f.business_owner, f.technical_owner "
                    "FROM flag.flag f LIMIT 1) o (b, t)")
    assert core.post(f"/v1/flags/{release}/kill", role="operator").status == 200  # Mode 1 goes on
    assert core.post(f"/v1/flags/{release}/enable", role="product_owner").status == 200
    eventually(lambda: all(sandbox.request("POST", "/v1/features", b"x", role="innovator").status == 503 for _ in range(4)))
    r = sandbox.post("/v1/experiments/nothing/promote", role="innovator")
    assert r.status == 503 and r.json["code"] == "mode2-stopped"
    # What happens meanwhile.
    assert core.post(f"/v1/flags/{killed}/kill", role="operator").status == 200
    rules = document([{"force": "treatment"}])
    assert core.post(f"/v1/flags/{edited}/revisions", {"document": rules}, role="product_owner").status == 201
    assert core.delete(f"/v1/flags/{ended}", role="product_owner").status == 200
    product.clusters.wait("core", "SELECT archived_at IS NOT NULL FROM flag.flag WHERE key = %s", (soon,))
    assert eventually(lambda: core.metric("bimodal_mode2_stopped") == 1)
    # Back: exactly what the stop has turned off.
    before = generation(product)
    r = mode2(core, "start", reason="it was the network")
    d = r.json
    assert r.status == 200 and d["changed"] is True and d["stopped"] is False and d["since"] is None, r
    assert d["generation"] == before + 1 and d["applied"]["workers"] == 2
    assert {f["key"] for f in d["flags"]} == stopped - {guarded, killed, ended, soon}
    left = {f["key"]: f["why"] for f in d["left_off"]}
    assert set(left) == {guarded, killed, ended, soon} and "second person" in left[guarded] and "by hand" in left[killed] and "archived" in left[ended]
    assert is_on(core, on) and is_on(core, also) and not is_on(core, off) and not is_on(core, killed)
    assert is_on(core, edited) and core.get(f"/v1/flags/{edited}", role="operator").json["document"]["rules"] == rules["rules"]
    assert mode2(core, "start").json["changed"] is False
    eventually(lambda: all(sandbox.request("POST", "/v1/features", b"x", role="innovator").status == 415 for _ in range(4)))
    # Who did what and why is in the log, for each flag and as a whole, and people are told.
    ops = product.clusters.rows("core", "SELECT op, after ->> 'reason' FROM event.log WHERE op LIKE 'experiments.%' ORDER BY seq")
    assert ops[-2:] == [("experiments.stop", "complaints from the shops"), ("experiments.start", "it was the network")]
    ops = product.clusters.rows("core", "SELECT op FROM event.log WHERE resource = 'flags' AND after ->> 'key' = %s ORDER BY seq", (on,))
    assert [o for o, in ops] == ["flag.create", "flag.stop", "flag.start"]
    product.clusters.wait("core", "SELECT count(DISTINCT kind) = 2 FROM notice.notice WHERE kind LIKE 'experiments.%'")


def in_seconds(n):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=n)).isoformat()


def test_who_may_stop_all_and_why(core, running):
    for role, status in (("innovator", 403), ("agent", 403), ("service", 403)):
        assert mode2(core, "stop", role=role).status == status
        assert mode2(core, "start", role=role).status == status
    for body in ({}, {"reason": ""}, {"reason": 1}, {"reason": "x", "more": 1}, {"reason": "x" * 501}):
        assert core.post("/v1/mode2/stop", body, role="operator").status == 422
    assert core.get("/v1/mode2", role="operator").json["stopped"] is False


def test_a_stop_that_breaks_off_has_stopped_nothing(core, product, running):
    keys = sorted(experiment(core) for _ in range(3))
    with product.clusters.connect("core", autocommit=False) as c, c.cursor() as cur:
        cur.execute("SELECT key FROM flag.flag WHERE key = %s FOR UPDATE", (keys[1],))
        answers = []
        t = threading.Thread(target=lambda: answers.append(mode2(core, "stop")))
        t.start()
        # It waits for the row in the middle; its connection breaks.
        product.clusters.wait("core", "WITH w AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE query LIKE '%flag.mode2_stop(%' AND "
                                      "wait_event_type = 'Lock' AND pid <> pg_backend_pid()) SELECT count(*) > 0 FROM w WHERE pg_terminate_backend(pid)")
        t.join(60)
        c.rollback()
    assert len(answers) == 1 and answers[0].status in (500, 503), answers
    assert core.get("/v1/mode2", role="operator").json["stopped"] is False and all(is_on(core, k) for k in keys)
    # And the next try stops everything.
    r = eventually(lambda: (r := mode2(core, "stop")).status == 200 and r)
    assert r.json["changed"] is True and set(keys) <= {f["key"] for f in r.json["flags"]}


def test_the_sandbox_is_not_needed(core, sandbox, running):
    key = experiment(core)
    sandbox.stop()
    try:
        r = mode2(core, "stop")
        assert r.status == 200 and not is_on(core, key) and r.json["applied"]["workers"] == 2
        assert mode2(core, "start").status == 200 and is_on(core, key)
    finally:
        sandbox.start()


def test_turning_on_while_all_stop(core, product, running):
    """Whoever turns an experiment on while all are stopped either is stopped with them or is refused; nobody waits for the other for good."""
    keys = [experiment(core, enabled=False) for _ in range(4)]
    done = threading.Event()

    def turn(key):
        while not done.is_set():
            r = core.post(f"/v1/flags/{key}/enable", role="product_owner")
            assert r.status in (200, 503), r
            core.post(f"/v1/flags/{key}/disable", role="product_owner")
    threads = [threading.Thread(target=turn, args=(k,)) for k in keys]
    for t in threads:
        t.start()
    try:
        for _ in range(3):
            eventually(lambda: mode2(core, "stop").status == 200)
            assert product.clusters.one("core", "SELECT count(*) FROM flag.flag f JOIN flag.revision r ON r.revision = f.revision WHERE "
                                                "f.kind = 'experiment' AND f.archived_at IS NULL AND r.enabled") == 0
            eventually(lambda: mode2(core, "start").status == 200)
    finally:
        done.set()
        for t in threads:
            t.join(60)


# -- on the command line

def cli(core, tmp_path, *words, role="product_owner", code=0, more=()):
    token = tmp_path / f"token-{role}"
    token.write_text(core.tokens[role])
    sandbox = core.product.sandbox
    done = traced.bimodal(core.product, "--core", f"http://127.0.0.1:{core.port}", "--sandbox", f"http://127.0.0.1:{sandbox.port}",
                          "--token-file", token, *words)
    assert done.returncode == code, (words, done)
    return done.stdout + done.stderr


def test_usage_and_mode2_on_the_command_line(core, tmp_path, running):
    key, x = create(core), experiment(core)
    settled(core, x)
    mark = uuid.uuid4().hex[:6]
    ask(core, key, f"till-{mark}/1")
    ask(core, None, f"web-{mark}/1")
    eventually(lambda: ask(core, f"no-{mark}", "till/1").status == 404)
    eventually(lambda: asker(core, key, f"till-{mark}/1", "one") and asker(core, key, f"web-{mark}/1", "all"))
    told = cli(core, tmp_path, "flag", "usage", key)
    assert f"agent with till-{mark}/1 asks core for it: 1 times" in told and f"web-{mark}/1 asks core for all flags" in told
    eventually(lambda: f"no-{mark}" in cli(core, tmp_path, "flag", "unknown"))
    told = cli(core, tmp_path, "flag", "kill", key)
    assert f"till-{mark}/1" in told and "from its next question on" in told and "until it asks again" in told
    assert "needs --reason" in cli(core, tmp_path, "mode2", "stop", role="operator", code=2)
    told = cli(core, tmp_path, "mode2", "stop", "--reason", "the shops complain", role="operator")
    assert f"off: {x}" in told and "applied by 2 of 2 workers" in told
    assert "stopped already" in cli(core, tmp_path, "mode2", "stop", "--reason", "again", role="operator")
    told = cli(core, tmp_path, "mode2", "status", role="operator")
    assert "by operator: the shops complain" in told and f"will be on again: {x}" in told
    assert "Mode 2 is stopped" in cli(core, tmp_path, "flag", "enable", x, code=1)
    assert f"on again: {x}" in cli(core, tmp_path, "mode2", "start", "--reason", "over", role="operator")
    assert "Mode 2 is not stopped" in cli(core, tmp_path, "mode2", "status", role="operator")


# -- flags as files

FILE = """key: {key}
kind: release
purpose: |-
  no
  really
business_owner: product_owner
technical_owner: innovator
expires_at: "{expires}"
enabled: {enabled}
document:
  unit: visitor
  variations:
  - key: "off"
    value: 9007199254740993
  - key: "on"
    value: 1.0
  default: "off"
  rules:
  - force: "on"
    coverage: {coverage}
    condition:
      country: {{ $in: ["no", AT] }}
"""


def written(folder, key, **kw):
    text = FILE.format(**{"key": key, "expires": EXPIRES, "enabled": "true", "coverage": 0.1, **kw})
    (folder / f"{key}.yaml").write_text(text)
    return text


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "flags"
    made.mkdir()
    return made


def test_flags_are_made_and_changed_by_files(core, tmp_path, folder):
    key = f"f-{uuid.uuid4().hex[:8]}"
    written(folder, key)
    told = cli(core, tmp_path, "flag", "plan", "--detailed-exitcode", folder, code=2)
    assert f"create {key}" in told and "1 to create, 0 to change" in told and core.get(f"/v1/flags/{key}", role="operator").status == 404
    assert "applied by 2 of 2" in cli(core, tmp_path, "flag", "apply", folder)
    made = core.get(f"/v1/flags/{key}", role="operator")
    assert b'"value": 9007199254740993' in made.body and b'"value": 1.0' in made.body and made.json["purpose"] == "no\nreally"
    assert made.json["document"]["rules"][0]["condition"] == {"country": {"$in": ["no", "AT"]}} and made.json["enabled"] is True
    told = cli(core, tmp_path, "flag", "plan", "--detailed-exitcode", folder)
    assert f"same   {key}" in told and "0 to create, 0 to change, 0 to archive, 1 as they are" in told
    # Other rules, and off.
    written(folder, key, coverage=0.5, enabled="false")
    told = cli(core, tmp_path, "flag", "plan", folder)
    assert "change /document" not in told and "  change /rules/0/coverage\n    - 0.1\n    + 0.5\n  turn off\n" in told
    cli(core, tmp_path, "flag", "apply", folder, "--comment", "half of them")
    one = core.get(f"/v1/flags/{key}", role="operator").json
    assert one["enabled"] is False and one["document"]["rules"][0]["coverage"] == 0.5
    written(folder, key, coverage=0.7)
    cli(core, tmp_path, "flag", "apply", folder)
    one = core.get(f"/v1/flags/{key}", role="operator").json
    assert one["enabled"] is True and one["document"]["rules"][0]["coverage"] == 0.7
    revisions = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]
    assert [r["comment"] for r in revisions][-3:] == ["half of them", "half of them", "created"]
    assert core.get(f"/v1/flags/{key}/draft", role="operator").status == 404
    # What is not changed by files is said.
    (folder / f"{key}.yaml").write_text(written(folder, key, coverage=0.7).replace("really", "honestly"))
    told = cli(core, tmp_path, "flag", "plan", "--detailed-exitcode", folder)
    assert "note: purpose" in told and "not changed by apply" in told


def test_what_has_no_file_is_left_alone(core, tmp_path, folder):
    written(folder, f"f-{uuid.uuid4().hex[:8]}")
    other, x = create(core), experiment(core)
    assert "left alone" in cli(core, tmp_path, "flag", "apply", folder)
    assert core.get(f"/v1/flags/{other}", role="operator").json["archived_at"] is None
    cli(core, tmp_path, "flag", "export", "--dir", folder)
    (folder / f"{other}.yaml").unlink()
    (folder / f"{x}.yaml").unlink()
    told = cli(core, tmp_path, "flag", "plan", "--prune", "--detailed-exitcode", folder, code=2)
    assert f"archive {other}\n" in told and f"archive {x}" not in told and "0 to create, 0 to change, 1 to archive" in told
    cli(core, tmp_path, "flag", "apply", "--prune", folder)
    assert core.get(f"/v1/flags/{other}", role="operator").json["archived_at"] is not None
    assert core.get(f"/v1/flags/{x}", role="operator").json["archived_at"] is None


def test_an_export_is_what_core_has(core, tmp_path, folder):
    odd = {"unit": "visitor", "default": "no", "variations": [
        {"key": "no", "value": {"a": 12345678901234567890, "b": "1.0", "c": [], "d": "x\ny\n", "e": "  z", "f": None, "g": 1.50, "on": "off"}},
        {"key": "yes", "value": {"a": 1, "b": "\u00e4 \U0001f600", "c": [[1, [2]]], "d": "\t", "e": "#", "f": True, "g": "2026-01-01"}}],
        "rules": [{"force": "yes", "condition": {"$and": [{"$or": [{"$not": {"a.b": {"$in": ["null", "~", "0x10"]}}}]}, {"n": {"$gt": 0.30}}]}}]}
    key = create(core, document=odd)
    cli(core, tmp_path, "flag", "export", "--dir", folder)
    told = cli(core, tmp_path, "flag", "plan", "--detailed-exitcode", folder)
    assert f"same   {key}" in told and "0 to create, 0 to change" in told and "note:" not in told
    text = (folder / f"{key}.yaml").read_text()
    assert cli(core, tmp_path, "flag", "export", key) == text
    assert text.startswith(f"key: {key}\nkind: release\npurpose: a test\nbusiness_owner: product_owner\n")
    assert "a: 12345678901234567890\n" in text and "g: 1.5\n" in text and '"on": "off"\n' in text
    # The same flag made anew from the file has the same rules.
    again = f"f-{uuid.uuid4().hex[:8]}"
    (folder / "again.yaml").write_text(text.replace(f"key: {key}\n", f"key: {again}\n", 1))
    cli(core, tmp_path, "flag", "apply", folder)
    assert core.get(f"/v1/flags/{again}", role="operator").json["document"] == core.get(f"/v1/flags/{key}", role="operator").json["document"]
    assert "no flag" in cli(core, tmp_path, "flag", "export", "not-there", code=1)


def test_all_errors_at_once_and_nothing_done(core, tmp_path, folder):
    key = f"f-{uuid.uuid4().hex[:8]}"
    text = written(folder, key)
    (folder / "b.yaml").write_text(text.replace(key, f"{key}-b").replace("coverage: 0.1", "coverage: 012").replace("purpose:", "purpos:"))
    (folder / "c.yaml").write_text(text.replace(key, f"{key}-c").replace('force: "on"', "force: nobody"))
    (folder / "d.yaml").write_text(text)
    (folder / "e.yaml").write_text("a: &x [1]\nb: *x\nkey: [\n")
    (folder / "f.yaml").write_text(text.replace(key, "Bad Key").replace("enabled: true", "enabled: yes"))
    (folder / "g.yml").write_text("- 1\n")
    told = cli(core, tmp_path, "flag", "apply", folder, code=1)
    for place in ("b.yaml:3:1: a flag has no member \"purpos\"; did you mean purpose", "b.yaml:1:1: \"purpose\" is required",
                  "b.yaml:20:15: 012 is a text to some", "c.yaml:19:12: /document/rules/0/force: ",
                  f"{key}.yaml:1:6: key: the flag {key} stands in", "e.yaml:1:4: a: anchors", "e.yaml:2:4: b: aliases", "e.yaml:4:1: not valid YAML",
                  "f.yaml:1:6: key: may hold", "f.yaml:9:10: enabled: must be true or false", "g.yml:1:1: a flag is a map"):
        assert place in told, (place, told)
    assert "nothing was changed" in told and core.get(f"/v1/flags/{key}", role="operator").status == 404
    # What only core knows is asked before anything is written, too.
    for f in folder.iterdir():
        f.unlink()
    written(folder, key)
    (folder / "z.yaml").write_text(text.replace(key, f"{key}-z").replace("technical_owner: innovator", "technical_owner: nobody-here"))
    assert "z.yaml:6:17: business_owner: " in cli(core, tmp_path, "flag", "apply", folder, code=1)
    (folder / "z.yaml").write_text(text.replace(key, f"{key}-z").replace(EXPIRES, "2020-01-01T00:00:00Z"))
    assert "z.yaml:8:13: expires_at: must be in the future" in cli(core, tmp_path, "flag", "plan", folder, code=1)
    assert core.get(f"/v1/flags/{key}", role="operator").status == 404
    assert "cannot be read" in cli(core, tmp_path, "flag", "plan", folder / "nowhere", code=1)


def test_files_do_not_go_over_what_others_do(core, tmp_path, folder):
    key = f"f-{uuid.uuid4().hex[:8]}"
    written(folder, key)
    cli(core, tmp_path, "flag", "apply", folder)
    other = core.get(f"/v1/flags/{key}", role="operator").json["document"]
    other["rules"][0]["coverage"] = 0.9
    assert core.request("PUT", f"/v1/flags/{key}/draft", {"document": other}, role="product_owner").status == 200
    written(folder, key, coverage=0.2)
    told = cli(core, tmp_path, "flag", "apply", folder, code=1)
    assert f"the flag {key} has a draft of other rules" in told and "nothing was changed" in told
    assert core.get(f"/v1/flags/{key}/draft", role="operator").json["document"] == other
    assert core.delete(f"/v1/flags/{key}/draft", role="product_owner").status == 204
    # A right that is lacking ends the run with core's words, and says how far it came.
    told = cli(core, tmp_path, "flag", "apply", folder, role="operator", code=1)
    assert "flag.write" in told and "stopped after 0 of 1 files" in told
    assert core.get(f"/v1/flags/{key}", role="operator").json["document"]["rules"][0]["coverage"] == 0.1
