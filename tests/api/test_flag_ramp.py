"""Ramps and schedules of flags: by time, sample, approval and guardrails; caught up in one revision; held, taken back, killed in the middle."""
import concurrent.futures
import datetime
import os
import pathlib
import signal
import time
import uuid

import pytest
import traced

from flag_support import ofrep
from product import Product

BOOL = [{"key": "off", "value": False}, {"key": "on", "value": True}]
STEPS = [{"coverage": c, "after_seconds": 3600} for c in (0.01, 0.05, 0.25, 0.5)] + [{"coverage": 1}]
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(scope="module")
def product():
    """Its own, with short periods: what is due is done at once, and guardrails are judged all the time."""
    p = Product()
    p.overrides["core"] = "flags: { ramp_period: 100ms, guardrail_period: 100ms }\n"
    p.start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


def later(**kw):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**kw)).isoformat().replace("+00:00", "Z")


def document(rules, unit="visitor"):
    return {"unit": unit, "variations": BOOL, "rules": rules, "default": "off"}


ROLLOUT = {"id": "out", "force": "on", "coverage": 0}
TRIAL = {"id": "trial", "experiment": {"variations": ["off", "on"], "coverage": 0}}


def create(core, rules=(ROLLOUT,), unit="visitor", **more):
    key = f"ramp-{uuid.uuid4().hex[:10]}"
    body = {"key": key, "kind": "release", "purpose": "a test of ramps", "business_owner": "product_owner", "technical_owner": "innovator",
            "expires_at": later(days=30), "document": document(list(rules), unit), "enabled": True, **more}
    r = core.post("/v1/flags", body, role="product_owner")
    assert r.status == 201, r
    return key


def start(core, key, steps=STEPS, **more):
    r = core.post(f"/v1/flags/{key}/ramps", {"steps": steps, **more}, role="product_owner")
    assert r.status == 201, r
    assert r.headers["Location"] == f"/v1/flags/{key}/ramps/{r.json['id']}"
    return r.json["id"]


def ramp(core, key, ramp_id):
    r = core.get(f"/v1/flags/{key}/ramps/{ramp_id}", role="operator")
    assert r.status == 200, r
    return r.json


def turn(core, key, ramp_id, what, body=None, role="product_owner", status=200):
    r = core.post(f"/v1/flags/{key}/ramps/{ramp_id}/{what}", body, role=role)
    assert r.status == status, r
    return r.json


def until(core, key, ramp_id, good, seconds=30):
    deadline = time.monotonic() + seconds
    while not good(r := ramp(core, key, ramp_id)):
        assert time.monotonic() < deadline, r
        time.sleep(0.05)
    return r


def moves(r):
    return [(m["what"], m["step"]) for m in r["moves"]]


def age(product, ramp_id, seconds):
    """The time of the present step was so much longer."""
    with product.clusters.connect("core") as db, db.cursor() as cur:
        cur.execute("UPDATE flag.ramp SET begun_at = begun_at - make_interval(secs => %s) WHERE id = %s", (seconds, ramp_id))


def rule_of(core, key):
    flag = core.get(f"/v1/flags/{key}", role="operator").json
    return flag["document"]["rules"][0], flag["revision"]


def served(core, key):
    """Every live worker serves the newest revision."""
    deadline = time.monotonic() + 20
    while True:
        a = core.get(f"/v1/flags/{key}", role="operator").json["applied"]
        if a["workers"] == a["of"] == 2:
            return
        assert time.monotonic() < deadline, a
        time.sleep(0.02)


def pointer(r):
    return r.json["errors"][0]["pointer"]


# -- time

def test_a_ramp_goes_by_time_and_moves_nobody_who_has_it(core, product):
    key = create(core, [TRIAL])
    ramp_id = start(core, key, comment="slowly")
    units, had = [f"u{i}" for i in range(150)], {}
    for step in range(1, 6):
        if step > 1:
            age(product, ramp_id, 3600)
        r = until(core, key, ramp_id, lambda r, n=step: r["step"] == n)
        served(core, key)
        got = {u: ofrep(core, key, u).json for u in units}
        split = {u: g["variant"] for u, g in got.items() if g["reason"] == "SPLIT"}
        assert had.items() <= split.items(), "a larger share took or changed somebody's variation"
        had = split
    assert set(had) == set(units) and set(had.values()) == {"off", "on"}
    assert r["state"] == "done" and r["ended_at"] and r["coverage"] == 1 and r["coverage_before"] == 0 and r["waits_for"] == []
    assert moves(r) == [("start", 1), ("step", 2), ("step", 3), ("step", 4), ("step", 5), ("done", 5)]
    assert [m["by_name"] for m in r["moves"]] == ["product_owner"] + [None] * 5 and r["comment"] == "slowly"
    assert [s["coverage"] for s in r["steps"]] == [0.01, 0.05, 0.25, 0.5, 1] and all(s["begun_at"] and s["planned_at"] for s in r["steps"])
    revisions = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]
    assert [v["document"]["rules"][0]["experiment"]["coverage"] for v in revisions] == [1, 0.5, 0.25, 0.05, 0.01, 0]
    assert revisions[0]["comment"] == f"ramp {ramp_id}: step 5 of 5, 100 %" and revisions[0]["actor"] == NOBODY
    assert revisions[0]["revision"] == r["steps"][4]["revision"]
    log = product.clusters.rows("core", "SELECT op, actor FROM event.log WHERE after ->> 'ramp' = %s ORDER BY seq", (ramp_id,))
    assert [o for o, _ in log] == ["flag.ramp_start"] + ["flag.ramp_step"] * 4 + ["flag.ramp_done"]
    assert {a for _, a in log[1:]} == {"system:flags"}
    turn(core, key, ramp_id, "cancel", status=410)


def test_overdue_steps_are_caught_up_in_one_revision(core, product):
    key = create(core)
    with product.clusters.connect("core") as db, db.cursor() as cur:    # nobody looks while this lock is held
        ramp_id = start(core, key)
        cur.execute("SELECT FROM flag.flag WHERE key = %s FOR UPDATE", (key,))
        cur.execute("UPDATE flag.ramp SET begun_at = begun_at - interval '2 h 30 min' WHERE id = %s", (ramp_id,))
    r = until(core, key, ramp_id, lambda r: r["step"] > 1)
    assert moves(r) == [("start", 1), ("step", 3)] and "2 steps at once" in r["moves"][-1]["note"]
    assert rule_of(core, key) == ({**ROLLOUT, "coverage": 0.25}, r["steps"][2]["revision"])
    assert len(core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]) == 3
    # the third step counts from when it was planned, half an hour ago
    due = datetime.datetime.fromisoformat(r["steps"][3]["planned_at"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=25) < due < datetime.timedelta(minutes=31), r
    assert r["steps"][1]["begun_at"] is None and r["waits_for"] == ["time"]


def test_lateness_passes_by_no_sample_and_no_approval(core, product):
    key = create(core)
    ramp_id = start(core, key, [{"coverage": 0.1, "after_seconds": 60}, {"coverage": 0.2, "after_seconds": 60, "sample": 3},
                                {"coverage": 0.9, "after_seconds": 1, "approval": True}, {"coverage": 1}])
    age(product, ramp_id, 86400)
    r = until(core, key, ramp_id, lambda r: r["step"] == 2)
    assert r["waits_for"] == ["sample"] and r["seen"] == 0          # a day late: its minute has long passed
    served(core, key)
    n = 0
    while ramp(core, key, ramp_id)["step"] == 2:                    # as many first exposures as it takes
        assert n < 500
        for _ in range(10):
            ofrep(core, key, f"s{n}")
            n += 1
        time.sleep(0.2)
    seen = product.clusters.one("core", "SELECT count(*) FROM flag.exposure WHERE flag = %s", (key,))
    assert seen >= 3
    r = ramp(core, key, ramp_id)
    assert r["step"] == 3
    turn(core, key, ramp_id, "approve", role="service", status=403)
    age(product, ramp_id, 60)
    r = until(core, key, ramp_id, lambda r: r["waits_for"] == ["approval"])
    product.clusters.wait("core", "SELECT count(*) = 1 FROM notice.notice WHERE kind = 'flag.ramp_waits' AND subject = %s AND done_at IS NULL",
                          (f"flags/{key}/ramps/{ramp_id}",))
    assert r["step"] == 3 and r["approved"] is None
    r = turn(core, key, ramp_id, "approve", {"comment": "looks good"})
    r = until(core, key, ramp_id, lambda r: r["state"] == "done")
    assert moves(r)[-4:] == [("wait", 3), ("approve", 3), ("step", 4), ("done", 4)]
    product.clusters.wait("core", "SELECT count(*) = 0 FROM notice.notice WHERE kind = 'flag.ramp_waits' AND subject = %s AND done_at IS NULL",
                          (f"flags/{key}/ramps/{ramp_id}",))
    product.clusters.wait("core", "SELECT count(*) = 2 FROM notice.notice WHERE kind = 'flag.ramp_done' AND subject = %s",
                          (f"flags/{key}/ramps/{ramp_id}",))


def test_killed_in_the_middle_it_is_at_one_step_or_the_next(core, product):
    """The jobs child dies again and again while steps are made: each is made once, with its revision and its move."""
    key = create(core)
    steps = [{"coverage": i / 20, "approval": True} for i in range(1, 20)] + [{"coverage": 1}]
    ramp_id = start(core, key, steps)
    deadline, kills = time.monotonic() + 120, 0
    while (r := ramp(core, key, ramp_id))["state"] != "done":
        assert time.monotonic() < deadline, r
        if r["waits_for"] == ["approval"]:
            turn(core, key, ramp_id, "approve")
            children = pathlib.Path(f"/proc/{core.process.pid}/task/{core.process.pid}/children").read_text().split()
            if kills < 2 and r["step"] % 4 == 1 and len(children) == 3:
                time.sleep(0.03 * kills)
                os.kill(int(children[-1]), signal.SIGKILL)
                kills += 1
        time.sleep(0.02)
    assert kills == 2
    assert [m["step"] for m in r["moves"] if m["what"] == "step"] == list(range(2, 21))
    covered = [v["document"]["rules"][0]["coverage"] for v in core.get(f"/v1/flags/{key}/revisions?limit=100", role="operator").json["data"]]
    assert covered == [1] + [s["coverage"] for s in reversed(steps[:-1])] + [0]


def test_many_at_once_make_a_step_once(core, product):
    """As if the jobs of many instances looked at the same moment."""
    key = create(core)
    ramp_id = start(core, key)
    dbs = [product.clusters.connect("core", "bimodal_executor") for _ in range(6)]
    age(product, ramp_id, 3600)

    def go(db):
        with db.cursor() as cur:
            cur.execute("SELECT flag.ramp_go(%s, 'test')", (ramp_id,))
            return cur.fetchone()[0]
    try:
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            assert sum(did == "go" for did in pool.map(go, dbs)) <= 1    # the daemon may have been first
    finally:
        for db in dbs:
            db.close()
    r = until(core, key, ramp_id, lambda r: r["step"] == 2)
    assert moves(r) == [("start", 1), ("step", 2)]


# -- what people do

def test_hold_resume_back_cancel(core, product):
    key = create(core)
    ramp_id = start(core, key)
    age(product, ramp_id, 3600)
    until(core, key, ramp_id, lambda r: r["step"] == 2)
    turn(core, key, ramp_id, "resume", status=409)
    turn(core, key, ramp_id, "hold", status=422)
    turn(core, key, ramp_id, "hold", {"reason": "x"}, role="innovator", status=403)
    r = turn(core, key, ramp_id, "hold", {"reason": "a fair"}, role="operator")
    assert r["state"] == "held" and r["held"]["reason"] == "a fair" and r["held"]["by_name"] == "operator" and "resume" in r["waits_for"]
    turn(core, key, ramp_id, "hold", {"reason": "again"}, status=409)
    product.clusters.wait("core", "SELECT count(*) = 2 FROM notice.notice WHERE kind = 'flag.ramp_held' AND subject = %s",
                          (f"flags/{key}/ramps/{ramp_id}",))
    age(product, ramp_id, 7200)
    time.sleep(0.5)
    assert ramp(core, key, ramp_id)["step"] == 2
    r = turn(core, key, ramp_id, "back")
    assert r["step"] == 1 and r["state"] == "held" and rule_of(core, key)[0]["coverage"] == 0.01
    turn(core, key, ramp_id, "back", status=409)
    r = turn(core, key, ramp_id, "resume")
    assert r["state"] == "running" and r["held"] is None and r["waits_for"] == ["time"]
    r = turn(core, key, ramp_id, "cancel", {"comment": "enough"})
    assert r["state"] == "cancelled" and r["moves"][-1]["note"] == "enough" and rule_of(core, key)[0]["coverage"] == 0.01
    listed = core.get(f"/v1/flags/{key}/ramps", role="operator").json
    assert [x["id"] for x in listed["data"]] == [ramp_id]
    assert core.get(f"/v1/flags/{key}/ramps?active=true", role="operator").json["data"] == []
    assert core.get("/v1/flags/no-such-flag/ramps", role="operator").status == 404
    turn(core, key, str(uuid.uuid4()), "hold", {"reason": "x"}, status=404)


def test_kill_holds_and_the_end_of_the_flag_ends_it(core):
    key = create(core)
    ramp_id = start(core, key)
    assert core.post(f"/v1/flags/{key}/kill", role="operator").status == 200
    r = ramp(core, key, ramp_id)
    assert r["state"] == "held" and r["held"]["reason"] == "the flag was turned off" and r["held"]["by_name"] == "operator"
    turn(core, key, ramp_id, "resume", status=409)
    assert core.post(f"/v1/flags/{key}/enable", role="product_owner").status == 200
    assert ramp(core, key, ramp_id)["state"] == "held"      # who turned it on again has not said that it goes on
    assert turn(core, key, ramp_id, "resume")["state"] == "running"
    assert core.delete(f"/v1/flags/{key}", role="product_owner").status == 200
    r = ramp(core, key, ramp_id)
    assert r["state"] == "cancelled" and r["moves"][-1]["note"] == "the flag has ended"
    assert core.post(f"/v1/flags/{key}/ramps", {"steps": STEPS}, role="product_owner").status == 410


def test_a_ramped_rule_is_not_changed_by_hand(core):
    key = create(core, [ROLLOUT, {"id": "rest", "force": "off"}])
    ramp_id = start(core, key, rule="out")
    now = {**ROLLOUT, "coverage": 0.01}
    first = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"][-1]["revision"]

    def revise(rules):
        return core.post(f"/v1/flags/{key}/revisions", {"document": document(rules)}, role="product_owner")
    for rules in ([{**now, "coverage": 0.5}], [{**now, "condition": {"country": "AT"}}], [{**now, "id": "other"}], [], [now, now]):
        r = revise(rules)
        assert r.status == 409 and ramp_id in r.json["detail"] and '"out"' in r.json["detail"], r
    assert core.post(f"/v1/flags/{key}/rollback", {"revision": first}, role="product_owner").status == 409
    assert core.request("PUT", f"/v1/flags/{key}/draft", {"document": document([])}, role="product_owner").status == 200
    assert core.post(f"/v1/flags/{key}/publish", role="product_owner").status == 409
    assert revise([{"id": "staff", "force": "on", "condition": {"staff": True}}, now]).status == 201     # others may change, and its place
    assert core.post(f"/v1/flags/{key}/ramps", {"steps": STEPS, "rule": 1}, role="product_owner").status == 409
    turn(core, key, ramp_id, "cancel")
    assert revise([]).status == 201


@pytest.mark.parametrize("body, where", [
    ({}, "/steps"), ({"steps": []}, "/steps"), ({"steps": {}}, "/steps"), ({"steps": [{"coverage": 1}] * 21}, "/steps"),
    ({"steps": [1]}, "/steps/0"), ({"steps": [{"coverage": 0, "sample": 1}]}, "/steps/0/coverage"), ({"steps": [{"coverage": "1"}]}, "/steps/0/coverage"),
    ({"steps": [{"coverage": 1.01}]}, "/steps/0/coverage"), ({"steps": [{"coverage": 0.5}, {"coverage": 1}]}, "/steps/0"),
    ({"steps": [{"coverage": 0.5, "sample": 1}, {"coverage": 0.5}]}, "/steps/1/coverage"),
    ({"steps": [{"coverage": 0.5, "after_seconds": 0}, {"coverage": 1}]}, "/steps/0/after_seconds"),
    ({"steps": [{"coverage": 0.5, "after_seconds": 7776001}, {"coverage": 1}]}, "/steps/0/after_seconds"),
    ({"steps": [{"coverage": 0.5, "approval": 1}, {"coverage": 1}]}, "/steps/0/approval"),
    ({"steps": [{"coverage": 0.5, "wait": 1}]}, "/steps/0/wait"), ({"steps": [{"coverage": 1, "sample": 5}]}, "/steps/0"),
    ({"steps": [{"coverage": 0.1}]}, "/steps/0/coverage"), ({"steps": [{"coverage": 1}], "rule": "none"}, "/rule"),
    ({"steps": [{"coverage": 1}], "rule": 7}, "/rule"), ({"steps": [{"coverage": 1}], "rule": -1}, "/rule"),
    ({"steps": [{"coverage": 1}], "on_breach": "cry"}, "/on_breach"), ({"steps": [{"coverage": 1}], "planned_units": 1}, "/planned_units"),
    ({"steps": [{"coverage": 1}], "guardrails": [{"metric": "luck"}]}, "/guardrails/0/metric"),
    ({"steps": [{"coverage": 1}], "guardrails": [{"metric": "purchase", "limit": 1}]}, "/guardrails/0/limit"),
    ({"steps": [{"coverage": 1}], "guardrails": [{"metric": "purchase", "limit": 0.1, "margin": 0.1}]}, "/guardrails/0"),
    ({"steps": [{"coverage": 1}], "guardrails": [{"metric": "purchase", "limit": 0.1}]}, "/guardrails"),
])
def test_refused_with_its_place(core, ramps_of_one, body, where):
    r = core.post(f"/v1/flags/{ramps_of_one}/ramps", body, role="product_owner")
    assert r.status == 422 and pointer(r) == where, r
    assert core.get(f"/v1/flags/{ramps_of_one}/ramps", role="operator").json["data"] == []


@pytest.fixture(scope="module")
def ramps_of_one(core):
    return create(core, [{**ROLLOUT, "coverage": 0.2}])


def test_what_cannot_be_ramped(core):
    def refused(status, where=None, body=None, **more):
        key = create(core, **more)
        r = core.post(f"/v1/flags/{key}/ramps", {"steps": STEPS, **(body or {})}, role="product_owner")
        assert r.status == status and (where is None or pointer(r) == where), r
    refused(409, kind="experiment", rules=[TRIAL])
    refused(409, enabled=False)
    refused(422, "/rule", rules=[ROLLOUT, ROLLOUT])
    refused(422, "/rule", rules=[ROLLOUT, ROLLOUT], body={"rule": "out"})
    refused(422, "/rule", rules=[{"force": "on", "range": [0, 0.1]}])
    refused(422, "/rule", rules=[{**ROLLOUT, "active": False}])
    refused(422, "/guardrails/1/limit", unit="person", body={"guardrails": [{"metric": "purchase", "limit": 0.1}, {"metric": "case_opened"}]})
    refused(422, "/guardrails/0/metric", unit="organization", body={"guardrails": [{"metric": "consent_withdrawn", "limit": 0.1}]})


# -- guardrails

def batch(core, resource, records):
    """Their ids."""
    r = core.post(f"/v1/{resource}/batch", {"ops": [{"op": "create", "data": d} for d in records]})
    assert r.status == 200, r
    return [x["id"] for x in r.json["results"]]


def people(core, n, mark):
    return batch(core, "people", [{"given_name": f"{mark}-{i}"} for i in range(n)])


def complain(core, ids):
    batch(core, "cases", [{"person_id": i, "subject": "it broke"} for i in ids])


@pytest.fixture(scope="module")
def crowd(core):
    return people(core, 160, "crowd")


@pytest.mark.parametrize("on_breach", ["back", "kill"])
def test_a_broken_guardrail_holds_the_ramp(core, product, crowd, on_breach):
    key = create(core, [TRIAL], "person")
    ramp_id = start(core, key, [{"coverage": 0.1, "after_seconds": 1}, {"coverage": 0.98, "after_seconds": 3600}, {"coverage": 1}], planned_units=100,
                    guardrails=[{"metric": "purchase"}, {"metric": "case_opened", "margin": 0.01}], on_breach=on_breach)
    until(core, key, ramp_id, lambda r: r["step"] == 2)     # judged with too few, so it may go on
    served(core, key)
    got = {i: ofrep(core, key, i).json["variant"] for i in crowd}
    with_it, without = [[i for i, v in got.items() if v == x] for x in ("on", "off")]
    product.clusters.wait("core", "SELECT count(*) > 100 FROM flag.exposure WHERE flag = %s", (key,))
    r = until(core, key, ramp_id, lambda r: r["judged_at"] and [j["state"] for j in r["guardrails"][1]["judged"]] == ["too_few"])
    complain(core, with_it[:-5] + without[:2])
    r = until(core, key, ramp_id, lambda r: r["state"] == "held")
    assert "guardrail case_opened is broken" in r["held"]["reason"] and r["held"]["by"] is None, r
    judged = r["guardrails"][1]["judged"][0]
    assert judged["variation"] == "on" and judged["state"] == "broken" and judged["share"] > 0.8 and judged["against"] < 0.1
    assert judged["at_best"] < -0.01 and r["guardrails"][0]["judged"][0]["state"] == "too_few"
    assert [m for m, _ in moves(r)] == ["start", "step", "breach", "hold"] + (["back"] if on_breach == "back" else [])
    assert r["step"] == (1 if on_breach == "back" else 2)
    flag = core.get(f"/v1/flags/{key}", role="operator").json
    assert flag["enabled"] is (on_breach == "back") and flag["document"]["rules"][0]["experiment"]["coverage"] == r["coverage"]
    product.clusters.wait("core", "SELECT count(*) >= 1 FROM notice.notice WHERE kind = 'flag.ramp_held' AND subject = %s",
                          (f"flags/{key}/ramps/{ramp_id}",))
    if on_breach == "back":     # a person has looked at it: the watch begins anew
        r = turn(core, key, ramp_id, "resume")
        assert r["guarded_from"] > r["moves"][1]["at"] and r["judged_at"] is None


def test_a_rule_without_control_is_held_against_a_limit(core, product, crowd):
    key = create(core, unit="person")
    ramp_id = start(core, key, [{"coverage": 0.9, "after_seconds": 1, "approval": True}, {"coverage": 1}], planned_units=100,
                    guardrails=[{"metric": "case_opened", "limit": 0.2}, {"metric": "purchase", "limit": 0}])
    served(core, key)
    got = [i for i in crowd if ofrep(core, key, i).json["variant"] == "on"]
    until(core, key, ramp_id, lambda r: r["waits_for"] == ["approval"])
    complain(core, got[:len(got) * 3 // 4])
    r = until(core, key, ramp_id, lambda r: r["state"] == "held")
    assert [j["state"] for g in r["guardrails"] for j in g["judged"]] == ["broken", "too_few"]
    assert r["guardrails"][0]["judged"][0]["against"] == 0.2 and r["step"] == 1 and rule_of(core, key)[0]["coverage"] == 0.9


# -- schedules

def plan(core, key, status=201, **body):
    r = core.post(f"/v1/flags/{key}/schedules", body, role="product_owner")
    assert r.status == status, r
    return r.json["id"] if status == 201 else r


def hurry(product, *ids):
    """Their time is now, in this order."""
    with product.clusters.connect("core", autocommit=False) as db, db.cursor() as cur:
        for i, schedule in enumerate(ids):
            cur.execute("UPDATE flag.schedule SET at = now() - interval '1 min' + make_interval(secs => %s) WHERE id = %s", (i, schedule))
        db.commit()


def planned(core, product, key, schedule):
    product.clusters.wait("core", "SELECT state <> 'waiting' FROM flag.schedule WHERE id = %s", (schedule,))
    return next(s for s in core.get(f"/v1/flags/{key}/schedules", role="operator").json["data"] if s["id"] == schedule)


def test_schedules_act_in_their_order(core, product):
    key = create(core, enabled=False)
    tomorrow = later(days=1)
    draft = document([{**ROLLOUT, "coverage": 0.3}])
    assert core.request("PUT", f"/v1/flags/{key}/draft", {"document": draft}, role="product_owner").status == 200
    ids = [plan(core, key, at=tomorrow, action="enable", comment="the fair begins"), plan(core, key, at=tomorrow, action="publish"),
           plan(core, key, at=tomorrow, action="coverage", rule="out", coverage=0.6), plan(core, key, at=tomorrow, action="disable")]
    assert [s["id"] for s in core.get(f"/v1/flags/{key}/schedules?active=true", role="operator").json["data"]] == ids[::-1]
    # what is published is the draft as it was
    assert core.request("PUT", f"/v1/flags/{key}/draft", {"document": document([])}, role="product_owner").status == 200
    hurry(product, *ids)
    done = [planned(core, product, key, i) for i in ids]
    assert [d["state"] for d in done] == ["done"] * 4, done
    revisions = core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]
    assert [v["revision"] for v in revisions[:4]] == [d["revision"] for d in done[::-1]] and len(revisions) == 5
    assert [(v["enabled"], v["document"]["rules"][0]["coverage"]) for v in revisions] == [(False, 0.6), (True, 0.6), (True, 0.3), (True, 0), (False, 0)]
    assert revisions[3]["comment"] == f"schedule {ids[0]}: the fair begins" and revisions[0]["actor"] == NOBODY
    assert core.get(f"/v1/flags/{key}/draft", role="operator").status == 200     # another one by now, so it stays


def test_what_is_planned_moves_nobody_unless_meant(core, product):
    key = create(core, [{**TRIAL, "experiment": {**TRIAL["experiment"], "coverage": 1}}])
    served(core, key)
    for i in range(20):
        ofrep(core, key, f"m{i}")
    product.clusters.wait("core", "SELECT count(*) = 20 FROM flag.exposure WHERE flag = %s", (key,))
    moved = {**TRIAL, "experiment": {**TRIAL["experiment"], "seed": "another", "coverage": 1}}
    assert core.request("PUT", f"/v1/flags/{key}/draft", {"document": document([moved])}, role="product_owner").status == 200
    tomorrow = later(days=1)
    assert "would get another one" in plan(core, key, 409, at=tomorrow, action="publish").json["detail"]
    plan(core, key, at=tomorrow, action="publish", rebucket=True)
    assert pointer(plan(core, key, 422, at=tomorrow, action="enable", rebucket=True)) == "/rebucket"


def test_a_schedule_that_cannot_be_done_is_told(core, product):
    key = create(core)
    tomorrow = later(days=1)
    assert core.request("PUT", f"/v1/flags/{key}/draft", {"document": document([])}, role="product_owner").status == 200
    stale = plan(core, key, at=tomorrow, action="publish")
    ramped = plan(core, key, at=tomorrow, action="coverage", coverage=1)
    so = plan(core, key, at=tomorrow, action="enable")
    ramp_id = start(core, key)
    hurry(product, stale, ramped, so)
    r = planned(core, product, key, stale)
    assert r["state"] == "failed" and "have changed" in r["note"] and r["revision"] is None
    r = planned(core, product, key, ramped)
    assert r["state"] == "failed" and ramp_id in r["note"]
    r = planned(core, product, key, so)
    assert r["state"] == "done" and r["note"] == "it was so already" and r["revision"] is None
    product.clusters.wait("core", "SELECT count(*) = 2 FROM notice.notice WHERE kind = 'flag.schedule_failed' AND subject = %s",
                          (f"flags/{key}/schedules/{stale}",))
    off = plan(core, key, at=tomorrow, action="disable")
    assert core.delete(f"/v1/flags/{key}/schedules/{off}", role="product_owner").json["state"] == "cancelled"
    assert core.delete(f"/v1/flags/{key}/schedules/{off}", role="product_owner").status == 410
    assert core.delete(f"/v1/flags/{key}/schedules/{ramp_id}", role="product_owner").status == 404
    last = plan(core, key, at=tomorrow, action="disable")
    assert core.delete(f"/v1/flags/{key}", role="product_owner").status == 200
    assert planned(core, product, key, last)["note"] == "the flag has ended"
    plan(core, key, 410, at=tomorrow, action="enable")


def test_schedules_refused_with_their_place(core):
    key, tomorrow = create(core), later(days=1)
    for body, where in (({}, "/at"), ({"at": "soon"}, "/at"), ({"at": later(days=-1), "action": "enable"}, "/at"), ({"at": tomorrow}, "/action"),
                        ({"at": tomorrow, "action": "kill"}, "/action"), ({"at": later(days=31), "action": "enable"}, "/at"),
                        ({"at": tomorrow, "action": "coverage"}, "/coverage"), ({"at": tomorrow, "action": "enable", "coverage": 1}, "/coverage"),
                        ({"at": tomorrow, "action": "enable", "rule": 0}, "/rule"), ({"at": tomorrow, "action": "coverage", "coverage": 1.5}, "/coverage"),
                        ({"at": tomorrow, "action": "coverage", "coverage": 1, "rule": "none"}, "/rule")):
        assert pointer(plan(core, key, 422, **body)) == where, body
    plan(core, key, 409, at=tomorrow, action="publish")         # it has no draft
    for _ in range(16):
        plan(core, key, at=tomorrow, action="enable")
    plan(core, key, 409, at=tomorrow, action="enable")


# -- the command line

def test_command_line(core, product):
    token = product.secret("cli-ramps", core.tokens["product_owner"])

    def bimodal(*words, codes=(0,)):
        done = traced.bimodal(product, "--core", f"http://127.0.0.1:{core.port}", "--token-file", token, "flag", *words)
        assert done.returncode in codes, (words, done.stdout, done.stderr)
        return done.stdout + done.stderr

    key = create(core, [TRIAL], "person")
    assert "no ramps" in bimodal("ramp", "show", key)
    assert "has no ramp that goes on" in bimodal("ramp", "hold", key, "--reason", "x", codes=(1,))
    lines = bimodal("ramp", "start", key, "1:24h", "5.5:1h+n=500", "25:approval", "100", "--guardrails", "case_opened+1,purchase=2").splitlines()
    assert lines[2].split() == ["is", "running"] and lines[3].split() == ["waits", "for", "time,", "judgement"]
    assert lines[4].startswith(">      1 %  since 20") and lines[4].endswith("by product_owner  86400 s")
    assert lines[5].startswith("     5.5 %  not before 20") and lines[5].endswith("3600 s  500 people") and lines[6].endswith("approval")
    assert "because     a fair" in bimodal("ramp", "hold", key, "--reason", "a fair")
    assert "running" in bimodal("ramp", "resume", key) and "first step" in bimodal("ramp", "back", key, codes=(1,))
    assert "no approval" in bimodal("ramp", "approve", key, codes=(1,))
    assert "cancelled" in bimodal("ramp", "cancel", key, "--comment", "enough") and "cancelled" in bimodal("ramp", "show", key)
    for words in (["0"], ["101"], ["5:soon", "100"], ["5:n=x", "100"], ["5:", "100"], ["100", "--guardrails", "purchase=much"]):
        bimodal("ramp", "start", key, *words, codes=(2,))
    assert '"waiting"' in bimodal("schedule", "add", key, "coverage", "--in", "2h", "--percent", "10", "--rule", "trial")
    assert "coverage" in bimodal("schedule", "list", key)
    schedule = core.get(f"/v1/flags/{key}/schedules", role="operator").json["data"][0]
    assert schedule["coverage"] == 0.1 and '"cancelled"' in bimodal("schedule", "cancel", key, schedule["id"])
    bimodal("schedule", "add", key, "enable", codes=(2,))
    assert "ramp start KEY PERCENT" in bimodal("ramp", "start", "--help")
    assert "revision " in bimodal("ramp", key, "10", codes=(0, 3))    # at once, as before


# -- two persons

def test_the_ramp_of_a_protected_flag_takes_two(core):
    key = create(core)
    assert core.post(f"/v1/flags/{key}/protect", role="operator").status == 204
    first = core.get(f"/v1/flags/{key}", role="operator").json["revision"]
    ramp_id = start(core, key, [{"coverage": 0.25, "after_seconds": 1}, {"coverage": 1}])
    begun = until(core, key, ramp_id, lambda r: r["waits_for"] == ["approval"])
    assert begun["coverage"] == 0 and core.get(f"/v1/flags/{key}", role="operator").json["revision"] == first
    turn(core, key, ramp_id, "approve", {}, status=409)
    turn(core, key, ramp_id, "approve", {}, role="innovator", status=403)
    assert core.get(f"/v1/flags/{key}", role="operator").json["revision"] == first
    turn(core, key, ramp_id, "approve", {"comment": "seen"}, role="operator")
    until(core, key, ramp_id, lambda r: r["state"] == "done")
    assert ofrep(core, key, "anybody").json["variant"] == "on"
    # What one person began alone ends before the flag is protected. Back by one step would be a change by one; off needs nobody.
    other = create(core)
    alone = start(core, other)
    assert core.post(f"/v1/flags/{other}/protect", role="operator").status == 409
    turn(core, other, alone, "cancel", {})
    assert core.post(f"/v1/flags/{other}/protect", role="operator").status == 204
    by_two = start(core, other, [{"coverage": 0.5, "approval": True}, {"coverage": 1}])
    turn(core, other, by_two, "approve", {}, role="operator")
    until(core, other, by_two, lambda r: r["coverage"] == 0.5)
    turn(core, other, by_two, "back", {}, status=423)
    turn(core, other, by_two, "approve", {}, status=409)
    assert core.post(f"/v1/flags/{other}/kill", {"comment": "off"}, role="product_owner").status == 200
    assert ramp(core, other, by_two)["state"] == "held"


# -- a product owner's week

def test_a_week_with_a_flag(core):
    """From an empty rule to a flag that is gone: each day stands on the one before."""
    people = [core.post("/v1/people", {"given_name": f"Week{i}", "country": country}).json["id"] for i, country in enumerate(("week", "de") * 20)]

    def gets(key):
        return [ofrep(core, key, i).json.get("variant") for i in people]

    def served(key, good):
        deadline = time.monotonic() + 30
        while not all(good(gets(key)) for _ in range(3)):
            assert time.monotonic() < deadline, gets(key)
            time.sleep(0.05)
        return gets(key)

    def turned(key, what, body=None, status=200):
        r = core.post(f"/v1/flags/{key}/{what}", body, role="product_owner")
        assert r.status == status, r
        return r.json

    # Monday: made, on, for nobody yet.
    key = create(core, rules=(), unit="person")
    served(key, lambda got: set(got) == {"off"})
    # Tuesday: aimed at one country. Applications name the person only; the record says where the person lives.
    aimed = {"id": "out", "condition": {"country": "week"}, "force": "on", "coverage": 0.5}
    r = core.request("PUT", f"/v1/flags/{key}/draft", {"document": document([aimed], "person")}, role="product_owner")
    assert r.status == 200, r
    seen = turned(key, "preview", {"document": r.json["document"]})
    assert seen["complete"] is True and [(m["from"], m["to"]) for m in seen["moves"]] == [("off", "on")], seen
    served(key, lambda got: set(got) == {"off"})
    # Wednesday: published, as it was looked at.
    first = turned(key, "publish", {"comment": "Austria first"}, 201)["revision"]
    met = served(key, lambda got: "on" in got)
    assert {met[i] for i in range(1, 40, 2)} == {"off"} and met.count("on") == seen["moves"][0]["units"] > 0
    # Thursday: more of them, by a ramp that waits for a word; who had it keeps it.
    ramp_id = start(core, key, [{"coverage": 0.75, "approval": True}, {"coverage": 1}])
    until(core, key, ramp_id, lambda r: r["waits_for"] == ["approval"])
    turn(core, key, ramp_id, "approve", {})
    until(core, key, ramp_id, lambda r: r["state"] == "done")
    more = served(key, lambda got: got == ["on", "off"] * 20)
    assert all(b == "on" for a, b in zip(met, more) if a == "on")
    # Friday: complaints. Off with one call; a false alarm, so it is undone; then back to Wednesday's share after all.
    killed = turned(key, "kill", {"comment": "complaints"})
    assert killed["applied"]["workers"] == killed["applied"]["of"] and killed["enabled"] is False
    assert set(gets(key)) == {None}
    assert turned(key, "enable", {"comment": "it was something else"})["enabled"] is True
    served(key, lambda got: got == more)
    # That takes it from some who have it, so it has to be meant.
    refused = turned(key, "rollback", {"revision": first}, 409)
    assert refused["rebucket"]["moved"] == more.count("on") - met.count("on")
    turned(key, "rollback", {"revision": first, "comment": "the share of Wednesday", "rebucket": True}, 201)
    served(key, lambda got: got == met)
    # The end: nobody finds it any more, and every step of the week can be read.
    assert core.delete(f"/v1/flags/{key}", role="product_owner").status == 200
    assert ofrep(core, key, people[0]).status == 404
    told = [r["comment"] for r in core.get(f"/v1/flags/{key}/revisions", role="operator").json["data"]]
    assert told[0].endswith("the share of Wednesday") and told[1:3] == ["it was something else", "complaints"] and "Austria first" in told, told
