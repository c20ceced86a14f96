"""Flags while core's database is away: evaluation goes on from memory, exposures wait and arrive, nothing is guessed."""
import time
import uuid

import pytest

import flag_support as flags
from product import Product


@pytest.fixture(scope="module")
def product():
    """Its own: what it does to core's PostgreSQL is not for the others to bear."""
    p = Product().start()
    yield p
    p.stop()


def test_database_away(product):
    core = product.core
    key = f"away-{uuid.uuid4().hex[:8]}"
    people = flags.create(core, key, "person")
    visitors = flags.create(core, key + "-v", "visitor")
    place = f"P{uuid.uuid4().hex[:8]}"
    here = flags.create(core, key + "-r", "person", [{"force": "treatment", "condition": {"country": place}}])
    others = flags.create(core, key + "-n", "person", [{"force": "treatment", "condition": {"country": {"$ne": place}}},
                                                       {"force": "treatment", "condition": {"plan": "pro"}}])
    person = core.post("/v1/people", {"given_name": "Ann", "family_name": "Away", "country": place}).json["id"]
    pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
    before = flags.ofrep(core, people, person)
    assert before.json["reason"] == "SPLIT"
    stays = flags.create(core, key + "-k", "visitor", [{"experiment": {**flags.HALVES["experiment"], "sticky": {"version": 1}}}])
    kept = flags.ofrep(core, stays, "u1")
    assert "record" not in kept.json["metadata"]
    known = flags.ofrep(core, here, person)
    assert known.json["value"] is True and flags.ofrep(core, others, person).json["value"] is False
    product.clusters.down("core")
    try:
        time.sleep(0.3)
        for i in range(40):
            assert flags.ofrep(core, visitors, f"u{i}").json["reason"] == "SPLIT"
        assert flags.ofrep(core, people, pseudonym).json["variant"] == before.json["variant"]
        r = flags.ofrep(core, people, person)  # never another key in the place of the one that cannot be looked up
        assert r.status == 500 and r.json["errorCode"] == "GENERAL" and r.json["key"] == people and "variant" not in r.json, r
        # What the record would say is unknown: no rule that asks for it holds, turned round neither, and the answer says so.
        for unit in (person, pseudonym):
            for flag in (here, others):
                r = flags.ofrep(core, flag, unit)
                assert r.status == 200 and r.json["value"] is False and r.json["metadata"]["record"] == "unavailable", r
            said = core.post(f"/ofrep/v1/evaluate/flags/{here}", {"context": {"targetingKey": unit, "country": place}})
            assert said.json["value"] is True and "record" not in said.json["metadata"], said
            said = core.post(f"/ofrep/v1/evaluate/flags/{others}", {"context": {"targetingKey": unit, "plan": "pro"}})
            assert said.json["value"] is True and said.json["metadata"]["record"] == "unavailable", said
        r = flags.ofrep(core, stays, "u1")      # by the hash, which says the same as long as the rules do
        assert r.status == 200 and r.json["variant"] == kept.json["variant"] and r.json["metadata"]["record"] == "unavailable", r
        for unit, code in ((person, "GENERAL"), (pseudonym, None)):     # all at once: only those that need the person fail
            found = {f["key"]: f for f in core.post("/ofrep/v1/evaluate/flags", {"context": {"targetingKey": unit}}).json["flags"]}
            assert found[here]["metadata"]["record"] == "unavailable" and "record" not in found[visitors]["metadata"], found
            assert found[people].get("errorCode") == code and found[visitors]["reason"] == "SPLIT", found
        assert core.post(f"/v1/flags/{people}/kill", role="product_owner").status == 503
    finally:
        product.clusters.up("core")
    product.clusters.wait("core", "select count(*) = 40 from flag.exposure where flag = %s", (visitors,), 20)
    assert core.metric("bimodal_flag_exposures_lost_total") == 0
    deadline = time.monotonic() + 20
    answered = 0  # in a row: the connections of two workers come back each in their own time
    while answered < 20:
        assert time.monotonic() < deadline
        r = flags.ofrep(core, people, person)
        if r.status == 200:
            assert r.json == before.json and flags.ofrep(core, here, pseudonym).status == 200
            answered += 1
        else:
            assert r.json["errorCode"] == "GENERAL" and "variant" not in r.json, r
            answered = 0
            time.sleep(0.1)
    while flags.ofrep(core, here, person).json != known.json:
        assert time.monotonic() < deadline + 20
        time.sleep(0.1)
    while (r := core.post(f"/v1/flags/{people}/kill", role="product_owner")).status == 503:
        assert time.monotonic() < deadline + 20
        time.sleep(0.1)
    assert r.status == 200 and r.json["applied"]["workers"] == 2, r
