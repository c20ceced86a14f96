"""OFREP 0.3 on both daemons: all flags at once, entity tags, event streams, other origins; and the published clients themselves.

One product with small limits. A trap is something at which another server or a client has gone wrong."""
import datetime
import http.client
import json
import re
import threading
import time
import uuid

import described
import pytest
from openfeature_clients import Clients, Refused
from product import Product
from streams import LIMIT, Stream

ALL = "/ofrep/v1/evaluate/flags"
EVENTS = "/ofrep/v1/events"
SHOP, BLOG = "https://shop.example.org", "http://127.0.0.1:3000"
EACH, STREAMS = 8, 11           # streams a worker: of one principal, of all
QUOTA = 12                      # requests of an innovator
BOOL = [{"key": "control", "value": False}, {"key": "treatment", "value": True}]
SPLIT = {"experiment": {"variations": ["control", "treatment"]}}
EXPIRES = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).isoformat()


@pytest.fixture(scope="module")
def product():
    p = Product()
    for name in ("core", "sandbox"):
        p.overrides[name] = (f'limits: {{ innovator: {QUOTA}, window: 10s }}\n'
                             f'ofrep: {{ origins: "{SHOP} {BLOG}", streams: {STREAMS}, per_principal: {EACH}, heartbeat: 1s,'
                             + (" wait: 4s, ticket_lifetime: 1d }\n" if name == "core" else " wait: 200ms, ticket_lifetime: 2s }\n"))
    p.start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


@pytest.fixture(scope="module")
def sandbox(product):
    return product.sandbox


def document(rules=(), unit="visitor", variations=None, default="control"):
    return {"unit": unit, "variations": variations or BOOL, "rules": list(rules), "default": default}


def create(core, prefix="w", **kw):
    """A live flag; its key and the generation of which it is there."""
    body = {"key": f"{prefix}-{uuid.uuid4().hex[:8]}", "kind": "release", "purpose": "a test", "business_owner": "product_owner",
            "technical_owner": "innovator", "expires_at": EXPIRES, "document": document(), "enabled": True, **kw}
    r = core.post("/v1/flags", body, role="product_owner")
    assert r.status == 201, r
    settled(core, body["key"])
    return body["key"], r.json["generation"]


def turn(core, key, how, body=None):
    r = core.post(f"/v1/flags/{key}/{how}", body, role="product_owner")
    assert r.status in (200, 201), r
    settled(core, key)
    return r.json["generation"]


def settled(core, key, where="applied"):
    """Both workers serve the newest flags."""
    eventually(lambda: (a := core.get(f"/v1/flags/{key}", role="operator").json[where])["workers"] == a["of"] == 2)


def bulk(daemon, context=None, etag=None, query="", body=None, **kw):
    headers = kw.pop("headers", {}) | ({"If-None-Match": etag} if etag else {})
    if body is None:
        body = {} if context is None else {"context": context}
    return daemon.request("POST", ALL + query, body, headers=headers, **kw)


def single(daemon, key, context=None, **kw):
    return daemon.request("POST", f"{ALL}/{key}", {} if context is None else {"context": context}, **kw)


def of_all(answer, key):
    return next(f for f in answer["flags"] if f["key"] == key)


def of(r, key):
    assert r.status == 200, r
    return of_all(r.json, key)


def requested(r):
    return r.json["eventStreams"][0]["endpoint"]["requestUri"]


def unlike(daemon, key):
    """Two units that the flag divides."""
    seen = {}
    for i in range(200):
        seen.setdefault(single(daemon, key, {"targetingKey": f"u{i}"}).json["variant"], f"u{i}")
        if len(seen) == 2:
            return seen["control"], seen["treatment"]
    raise AssertionError(seen)


def raw(core):
    """All flags; the form of the first answer alone is looked at."""
    c = http.client.HTTPConnection("127.0.0.1", core.port, timeout=LIMIT)       # a new one: any worker
    c.request("POST", ALL, '{"context":{"targetingKey":"u"}}', {"Authorization": f"Bearer {core.tokens['agent']}"})
    r = c.getresponse()
    body = r.read()
    c.close()
    described.glance(core, "POST", ALL, r.status, r.headers, body)
    assert r.status == 200, body
    return body


def ask_all(core, stop, answers):
    """Evaluates all flags again and again, as fast as one client can, and keeps each answer that is another than the one before."""
    last = None
    while not stop.is_set():
        body = raw(core)
        if body != last:
            answers.append(json.loads(body))
        last = body


def eventually(look, seconds=LIMIT):
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, look
        time.sleep(0.05)
    return found


def streams_end(daemon):
    eventually(lambda: daemon.metric("bimodal_flag_streams") == 0)


# -- all flags at once

def test_all_flags_of_one_generation(core):
    keys = [create(core, document=d)[0] for d in (document(), document([SPLIT]), document([{"force": "treatment"}]))]
    off, _ = create(core, enabled=False)
    gone, _ = create(core)
    core.delete(f"/v1/flags/{gone}", role="product_owner")
    r = bulk(core, {"targetingKey": "u1"})
    assert r.headers["Content-Type"] == "application/json" and re.fullmatch(r'"[0-9a-f]{32}"', r.etag)
    assert [of(r, k)["reason"] for k in keys] == ["STATIC", "SPLIT", "TARGETING_MATCH"]
    assert of(r, off) == {"key": off, "reason": "DISABLED", "metadata": of(r, off)["metadata"]}
    listed = [f["key"] for f in r.json["flags"]]
    assert gone not in listed and listed == sorted(listed)
    for key in keys:    # the same as each by itself
        assert single(core, key, {"targetingKey": "u1"}).json == of(r, key)
    generation = turn(core, off, "enable")
    assert bulk(core, {"targetingKey": "u1"}).json["metadata"]["generation"] == generation


def test_both_daemons_answer_alike(core, sandbox):
    key, generation = create(core, document=document([SPLIT]))
    settled(core, key, "sandbox")
    there = bulk(sandbox, {"targetingKey": "u7"}).json
    assert there["metadata"]["generation"] == generation and there["flags"] == bulk(core, {"targetingKey": "u7"}).json["flags"]


def test_persons(core, sandbox, product):
    """A person's id and pseudonym are one unit; where a person cannot be found, only the flags that divide persons fail."""
    people, _ = create(core, "p", document=document([SPLIT], "person"))
    visitors, _ = create(core, "v", document=document([SPLIT]))
    plain, _ = create(core, "s", document=document(unit="person"))
    person = core.post("/v1/people", {"given_name": "Ann"}).json["id"]
    pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))
    by_id, by_pseudonym = bulk(core, {"targetingKey": person}), bulk(core, {"targetingKey": pseudonym})
    assert of(by_id, people) == of(by_pseudonym, people) == single(core, people, {"targetingKey": person}).json
    assert pseudonym not in by_id.body.decode()
    r = bulk(core, {"targetingKey": str(uuid.UUID(int=7 << 76 | 2 << 62))})
    assert of(r, people)["errorCode"] == "INVALID_CONTEXT" and of(r, visitors)["reason"] == "SPLIT" and of(r, plain)["reason"] == "STATIC"
    settled(core, plain, "sandbox")
    r = bulk(sandbox, {"targetingKey": person})
    assert of(r, people)["errorCode"] == "INVALID_CONTEXT" and of(r, visitors)["reason"] == "SPLIT"
    assert of(bulk(sandbox, {"targetingKey": pseudonym}), people) == of(by_id, people)


def test_the_record_says_what_the_context_does_not(core, sandbox, product):
    """A person named by id or pseudonym alone has the attributes that the rules ask for; what the caller says goes first."""
    def when(**condition):
        return [{"force": "treatment", "condition": condition}]
    place, name = f"P{uuid.uuid4().hex[:8]}", f"N{uuid.uuid4().hex[:8]}"
    here, _ = create(core, "r-a", document=document(when(country=place), "person"))
    named, _ = create(core, "r-b", document=document(when(family_name=name), "person"))
    asks, _ = create(core, "r-c", document=document([{"prerequisites": [{"flag": here, "condition": {"value": True}}], "force": "treatment"}],
                                                    "person"))
    by_place, _ = create(core, "r-d", document=document([{"experiment": {"variations": ["control", "treatment"], "hashAttribute": "country"}}],
                                                        "person"))
    firm, _ = create(core, "r-e", document=document(when(sector=place), "organization"))
    passer, _ = create(core, "r-f", document=document(when(country=place)))
    person = core.post("/v1/people", {"given_name": "Ann", "family_name": name, "country": place}).json["id"]
    company = core.post("/v1/organizations", {"name": "Firm", "sector": place}).json["id"]
    pseudonym = product.clusters.one("core", "select pseudonym::text from crm.person where id = %s", (person,))

    def all_of(daemon, **context):
        found = {f["key"]: f for f in bulk(daemon, context).json["flags"]}
        for key in (here, named, asks, by_place, firm, passer):     # each by itself is answered alike
            assert (found.get(key, {"errorCode": 0}) if "errorCode" in found.get(key, {"errorCode": 0}) else
                    single(daemon, key, context).json == found[key]), (key, found)
        assert not any("record" in f.get("metadata", {}) for f in found.values())
        return [found[k].get("value", found[k].get("errorCode")) for k in (here, named, asks, firm, passer) if k in found], found[by_place]
    split = all_of(core, targetingKey=person, country=place)[1]
    for key in (person, person.upper(), pseudonym, pseudonym.upper()):
        assert all_of(core, targetingKey=key) == ([True, True, True, False, False], split)
    assert all_of(core, targetingKey=pseudonym, country="elsewhere")[0] == [False, True, False, False, False]
    assert all_of(core, targetingKey=pseudonym, country=None)[0] == [False, True, False, False, False]
    assert all_of(core, targetingKey=company)[0][3:] == [True, False]
    assert all_of(core, targetingKey=str(uuid.uuid4()))[0] == [False, False, False, False, False]
    assert all_of(core, targetingKey="somebody", country=place)[0] == [True, False, True, False, True]
    assert pseudonym not in str(bulk(core, {"targetingKey": person}).json)
    # The tag is that of the result, also where the record alone made it another one.
    before = bulk(core, {"targetingKey": person})
    assert bulk(core, {"targetingKey": person}, before.etag).status == 304
    moved = core.patch(f"/v1/people/{person}", {"country": "elsewhere"}, headers={"If-Match": "*"})
    assert moved.status == 200, moved
    after = bulk(core, {"targetingKey": person}, before.etag)
    assert after.status == 200 and of(after, here)["value"] is False and of(after, asks)["value"] is False and of(after, named)["value"] is True
    # The sandbox knows open fields of the copy; a rule about any other is not there, so nothing tells what such a field holds.
    settled(core, passer, "sandbox")
    eventually(lambda: single(sandbox, firm, {"targetingKey": company}).json.get("value"))
    eventually(lambda: single(sandbox, by_place, {"targetingKey": pseudonym}).json == of(after, by_place))
    x = bulk(sandbox, {"targetingKey": pseudonym})
    assert named not in [f["key"] for f in x.json["flags"]] and name not in str(x.json) and place not in str(x.json)
    assert single(sandbox, named, {"targetingKey": pseudonym}).json["errorCode"] == "FLAG_NOT_FOUND"


def test_who_has_a_variation_keeps_it(core, sandbox, product):
    """An assignment stays when weights and conditions change, in both daemons, by itself and among all; it ends with person and flag."""
    def stays(weights, version=1, **more):
        return {"experiment": {"variations": ["control", "treatment"], "weights": weights, "sticky": {"version": version}} | more}
    place = f"P{uuid.uuid4().hex[:8]}"
    rows = "select count(*)::int from flag.sticky where flag = %s"
    people, _ = create(core, "k-p", document=document([stays([1, 0])], "person"))
    seen, _ = create(core, "k-v", document=document([stays([1, 0])]))
    by_place, _ = create(core, "k-c", document=document([stays([1, 0], hashAttribute="country")], "person"))
    person, other = (core.post("/v1/people", {"given_name": "Ann", "country": place}).json["id"] for _ in range(2))
    units = dict(product.clusters.rows("core", "select id::text, pseudonym::text from crm.person where id in (%s, %s)", (person, other)))
    assert single(core, people, {"targetingKey": person}).json["variant"] == "control"
    assert of(bulk(core, {"targetingKey": "visitor \"1\""}), seen)["variant"] == "control"        # who asks for all keeps what he is told, too
    assert single(core, by_place, {"targetingKey": units[person]}).json["variant"] == "control"
    for key in (people, seen, by_place):
        product.clusters.wait("core", f"select ({rows}) > 0", (key,), LIMIT)
    for key, unit, more in ((people, "person", {}), (seen, "visitor", {}), (by_place, "person", {"hashAttribute": "country"})):
        turn(core, key, "revisions", {"rebucket": True, "document": document([stays([0, 1], **more) | {"condition": {"nobody": 1}}], unit)})
    for key, unit in ((people, person), (people, units[person].upper()), (seen, "visitor \"1\""), (by_place, person), (by_place, other)):
        assert single(core, key, {"targetingKey": unit}).json["reason"] == "SPLIT", (key, unit)
        assert of(bulk(core, {"targetingKey": unit}), key)["variant"] == "control", (key, unit)
    assert single(core, people, {"targetingKey": other}).json["reason"] == "DEFAULT"
    assert single(core, seen, {"targetingKey": "visitor 2"}).json["reason"] == "DEFAULT"
    x = core.post(f"/v1/flags/{people}/explain", {"context": {"targetingKey": person}}, role="product_owner")
    assert x.json["rule"]["kept"] is True and x.json["variation"] == "control", x
    # Neither a value nor a unit is readable where it is kept.
    kept = product.clusters.rows("core", "select s::text from flag.sticky s where flag in (%s, %s)", (seen, by_place))
    assert "visitor" not in str(kept) and place not in str(kept)
    # A new version starts over, in the database too.
    turn(core, seen, "revisions", {"rebucket": True, "document": document([stays([0, 1], 2)])})
    assert single(core, seen, {"targetingKey": "visitor \"1\""}).json["variant"] == "treatment"
    product.clusters.wait("core", f"select ({rows}) = 2", (seen,), LIMIT)
    # The sandbox keeps its own; who is no longer in the copy leaves nothing there, nor in core who is no longer in the record.
    turn(core, people, "revisions", {"rebucket": True, "document": document([stays([0, 1])], "person")})
    settled(core, people, "sandbox")
    assert eventually(lambda: single(sandbox, people, {"targetingKey": units[other]}).json.get("variant")) == "treatment"
    product.clusters.wait("sandbox", "select count(*) = 1 from lab.sticky where person = %s::uuid", (units[other],), LIMIT)
    assert core.delete(f"/v1/people/{other}", headers={"If-Match": "*"}).status == 204
    product.clusters.wait("sandbox", "select count(*) = 0 from lab.sticky where person = %s::uuid", (units[other],), LIMIT)
    assert core.delete(f"/v1/people/{person}", headers={"If-Match": "*"}).status == 204
    product.clusters.wait("core", "select count(*) = 0 from flag.sticky where person = %s::uuid", (units[person],), LIMIT)
    # What was kept for a flag ends with it.
    core.delete(f"/v1/flags/{seen}", role="product_owner")
    product.clusters.wait("core", f"select ({rows}) = 0", (seen,), LIMIT)


def test_only_one_flag_by_itself_counts_as_exposure(core, product):
    key, _ = create(core, document=document([SPLIT]))
    bulk(core, {"targetingKey": "seen-in-bulk"})
    single(core, key, {"targetingKey": "seen-alone"})
    product.clusters.wait("core", "select count(*) = 1 from flag.exposure where flag = %s", (key,), LIMIT)
    assert product.clusters.one("core", "select unit from flag.exposure where flag = %s", (key,)) == "seen-alone"


def test_thousands_of_flags(core, product):
    """More than one step's share, and still those of one generation, while they change."""
    made = ("with f as (insert into flag.flag (key, kind, purpose, business_owner, technical_owner, expires_at, created_by)"
            " select 'many-' || n, 'release', 'many', o.id, t.id, now() + interval '1 day', o.id from generate_series(1, 3000) n,"
            " access.principal o, access.principal t where o.name = 'product_owner' and t.name = 'innovator' returning key, created_by)"
            " insert into flag.revision (key, document, enabled, actor, comment) select key, %s::jsonb, true, created_by, '' from f")
    product.clusters.rows("core", made, (json.dumps(document([SPLIT])),))
    try:
        eventually(lambda: raw(core).count(b'"key":"many-') == 3000)
        key, generation = create(core)
        stop, answers = threading.Event(), []
        asker = threading.Thread(target=ask_all, args=(core, stop, answers))
        asker.start()
        generations = [generation] + [turn(core, key, ("disable", "enable")[i % 2]) for i in range(5)]
        stop.set()
        asker.join()
        for r in answers:
            assert sum(f["key"].startswith("many-") for f in r["flags"]) == 3000
            shown = of_all(r, key)
            assert (shown["reason"] == "DISABLED") == bool(generations.index(r["metadata"]["generation"]) % 2)
    finally:
        product.clusters.rows("core", "update flag.flag set archived_at = now() where key like 'many-%'")
    settled(core, create(core)[0])


# -- traps (design: flags, section 1.3)

def test_trap_1_the_tag_is_of_the_result(core):
    key, _ = create(core, document=document([SPLIT]))
    a, b = unlike(core, key)
    first = bulk(core, {"targetingKey": a})
    for etag in (first.etag, f"W/{first.etag}", f'"x", {first.etag}', "*"):
        r = bulk(core, {"targetingKey": a}, etag)
        assert r.status == 304 and r.body == b"" and r.etag == first.etag
    assert bulk(core, {"targetingKey": a}, '"x"').status == 200
    # Another result for another context is never "not modified" …
    r = bulk(core, {"targetingKey": b}, first.etag)
    assert r.status == 200 and of(r, key)["variant"] == "treatment" and r.etag != first.etag
    # … nor is another value under the same variant.
    named, _ = create(core, document=document(variations=[{"key": "control", "value": "old"}]))
    before = bulk(core, {"targetingKey": a})
    turn(core, named, "revisions", {"document": document(variations=[{"key": "control", "value": "new"}])})
    after = bulk(core, {"targetingKey": a}, before.etag)
    assert of(before, named)["variant"] == of(after, named)["variant"] == "control" and of(after, named)["value"] == "new"


def test_trap_1_an_attribute_alone_makes_another_result(core):
    """The web provider keeps its tag while only another attribute than the targeting key changes."""
    key, _ = create(core, document=document([{"force": "treatment", "condition": {"plan": "pro"}}]))
    free = bulk(core, {"targetingKey": "u", "plan": "free"})
    pro = bulk(core, {"targetingKey": "u", "plan": "pro"}, free.etag)
    assert of(free, key)["value"] is False and of(pro, key)["value"] is True
    assert bulk(core, {"targetingKey": "u", "plan": "free", "seat": 4}, free.etag).status == 304


def test_trap_2_told_of_other_flags_is_never_answered_by_older_ones(core, sandbox):
    """The client was told of a generation that this worker has not: it waits, and 304 is not said even where the tag is known."""
    key, generation = create(core)
    known = bulk(core)
    assert bulk(core, etag=known.etag, query=f"?flagConfigEtag=%22g{generation}%22").status == 304      # what we hold is what it was told of
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(bulk(core, etag=known.etag, query=f"?flagConfigEtag=%22g{generation + 1}%22")))
    waiting.start()
    time.sleep(0.1)     # it waits by now; if it does not, it comes too late to fail
    later = turn(core, key, "disable")
    waiting.join(LIMIT)
    assert answers[0].status == 200 and answers[0].json["metadata"]["generation"] >= generation + 1 == later
    assert of(answers[0], key)["reason"] == "DISABLED"
    # It does not come: no old answer in its place.
    r = bulk(sandbox, query=f"?flagConfigEtag=g{later + 1000}")
    assert r.status == 500 and r.json["errorCode"] == "GENERAL" and "flags" not in r.json


def test_trap_2_another_tag_than_ours_is_not_downgraded_to_304(core):
    key, generation = create(core)
    known = bulk(core)
    assert bulk(core, etag=known.etag).status == 304
    for query in ("?flagConfigEtag=550e8400-e29b-41d4-a716-446655440000", f"?flagConfigEtag=g{generation - 1}", "?flagConfigEtag=%22gx%22",
                  f"?flagConfigLastModified={int(time.time()) + 1000}", "?flagConfigLastModified=2999-01-01T00:00:00Z"):
        r = bulk(core, etag=known.etag, query=query)
        assert r.status == 200 and of(r, key), query
    for query in (f"?flagConfigEtag=W/%22g{generation}%22", "?flagConfigLastModified=0", "?flagConfigLastModified=2001-01-01T00:00:00Z",
                  f"?flagConfigEtag=g{generation}&flagConfigLastModified={int(time.time()) + 1000}", "?flagConfigEtag=&other=1"):
        assert bulk(core, etag=known.etag, query=query).status == 304, query
    for query in ("?flagConfigLastModified=soon", "?flagConfigLastModified=-1", f"?flagConfigEtag={'x' * 201}"):
        r = bulk(core, query=query)
        assert r.status == 400 and r.json["errorCode"] == "PARSE_ERROR" and "key" not in r.json, query


def test_trap_3_retry_after_is_whole_seconds(core):
    key, _ = create(core)
    for ask in (lambda: bulk(core, role="innovator"), lambda: single(core, key, role="innovator"), lambda: core.get(EVENTS, role="innovator")):
        refused = next(r for _ in range(10 * QUOTA) if (r := ask()).status == 429)
        assert re.fullmatch(r"[1-9][0-9]*", refused.headers["Retry-After"]) and int(refused.headers["Retry-After"]) <= 10


def test_trap_4_bodies_that_clients_understand(core):
    off, _ = create(core, enabled=False)
    r = bulk(core)
    assert re.search(r"application/[^+]*[+]?(json)", r.headers["Content-Type"]) and isinstance(r.json["flags"], list)
    assert set(of(r, off)) == {"key", "reason", "metadata"} and of(r, off)["reason"] == "DISABLED"
    assert all(isinstance(v, (bool, str, int, float)) for f in r.json["flags"] for v in f.get("metadata", {}).values())
    for body, code in ((b"{", "PARSE_ERROR"), (b"\xff", "PARSE_ERROR"), (b"[]", "PARSE_ERROR"), ({"context": []}, "INVALID_CONTEXT"),
                       ({"context": {"targetingKey": 7}}, "INVALID_CONTEXT"), ({"context": {"targetingKey": "x" * 201}}, "INVALID_CONTEXT"),
                       (b'{"context":{"a":1,"a":2}}', "INVALID_CONTEXT")):
        r = bulk(core, body=body)
        assert r.status == 400 and r.headers["Content-Type"] == "application/json" and set(r.json) == {"errorCode", "errorDetails"}, r
        assert r.json["errorCode"] in (code, "INVALID_CONTEXT" if body == b"[]" else code), r
        one = core.request("POST", f"{ALL}/{off}", body)
        assert one.status == 400 and one.json == {"key": off, **r.json}
    r = single(core, "nothing-here")
    assert r.status == 404 and r.json["errorCode"] == "FLAG_NOT_FOUND" and r.json["key"] == "nothing-here"


def test_trap_5_both_encodings_of_a_key(core):
    key, _ = create(core, "dot.ted_key")
    for path in (key, key.replace(".", "%2E").replace("_", "%5F")):
        assert single(core, path).json["key"] == key
    for path in ("my%2Fflag%20x", "my/flag%20x"):
        r = single(core, path)
        assert r.status == 404 and r.json["key"] == "my/flag x"


def test_trap_6_numbers_stay_as_they_were_written(core):
    for text in ("1", "1.0", "-0.50", "9007199254740993", '{"i": 2, "n": 2.0}'):
        key, _ = create(core, document=document(variations=[{"key": "control", "value": 0 if text[0] != "{" else {}}]))
        raw = json.dumps({"document": document(variations=[{"key": "control", "value": "HERE"}])}).replace('"HERE"', text)
        r = core.request("POST", f"/v1/flags/{key}/revisions", raw, role="product_owner")
        assert r.status == 201, r
        for body in (single(core, key).body, bulk(core).body):
            assert f'"value":{text},"metadata"'.encode() in body, body


def test_trap_7_a_key_is_needed_only_where_a_rule_divides(core):
    plain, _ = create(core)
    split, _ = create(core, document=document([SPLIT]))
    for body in ({}, b"", {"context": {}}, {"context": None}, {"context": {"targetingKey": ""}}, {"context": {"plan": "pro"}}):
        r = bulk(core, body=body)
        assert of(r, plain)["reason"] == "STATIC" and of(r, split)["errorCode"] == "TARGETING_KEY_MISSING", r
        one = core.request("POST", f"{ALL}/{split}", body)
        assert one.status == 400 and one.json == of(r, split)


# -- who asks, and from where

def test_key_in_x_api_key(core):
    token = core.tokens["agent"]
    assert bulk(core, role=None).status == 401
    assert bulk(core, role=None, headers={"X-API-Key": token}).status == 200
    assert bulk(core, role=None, headers={"x-api-key": f" {token} "}).status == 200
    assert bulk(core, role=None, headers={"X-API-Key": token + "x"}).status == 401
    assert bulk(core, role=None, headers={"X-API-Key": core.tokens["operator"]}).status == 403
    # Authorization is what counts where it is there.
    assert bulk(core, role=None, headers={"X-API-Key": token, "Authorization": "Basic eDp5"}).status == 401
    assert bulk(core, role="operator", headers={"X-API-Key": token}).status == 403


@pytest.mark.parametrize("name", ["core", "sandbox"])
def test_pages_of_other_origins(product, name):
    daemon = getattr(product, name)
    asked = {"Origin": SHOP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    for path in (ALL, f"{ALL}/some", f"{ALL}/my%2Fflag"):
        r = daemon.request("OPTIONS", path, role=None, headers=asked)
        assert r.status == 204 and r.headers["Access-Control-Allow-Origin"] == SHOP and r.headers["Vary"] == "Origin"
        assert "POST" in r.headers["Access-Control-Allow-Methods"]
        allowed = {h.strip().lower() for h in r.headers["Access-Control-Allow-Headers"].split(",")}
        assert {"content-type", "authorization", "if-none-match", "x-api-key"} <= allowed
    for origin in (SHOP, BLOG):
        for r in (bulk(daemon, headers={"Origin": origin}), bulk(daemon, role=None, headers={"Origin": origin}),
                  single(daemon, "nothing-here", headers={"Origin": origin}), daemon.get(EVENTS, headers={"Origin": origin})):
            assert r.headers["Access-Control-Allow-Origin"] == origin and "Access-Control-Allow-Credentials" not in r.headers
            exposed = {h.strip() for h in r.headers["Access-Control-Expose-Headers"].split(",")}
            assert {"ETag", "Retry-After"} <= exposed
    for headers in ({"Origin": SHOP + ":444"}, {"Origin": "null"}, {"Origin": f"{SHOP} {BLOG}"}, {}):
        r = bulk(daemon, headers=headers)
        assert r.status == 200 and "Access-Control-Allow-Origin" not in r.headers and r.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Origin" not in daemon.get("/v1/me", headers={"Origin": SHOP}).headers
    assert "Access-Control-Allow-Origin" not in daemon.request("OPTIONS", "/v1/me", role=None, headers=asked).headers
    streams_end(daemon)


# -- event streams

def listen(daemon, r=None, **kw):
    """The stream that an evaluation has named, opened as a browser does: without a header of ours. The sandbox's tickets are soon over."""
    s = eventually(lambda: (s := Stream(daemon, requested(r or bulk(daemon)), role=None, **kw)).status != 401 and s)
    assert s.status == 200, s.head + str(s.bytes)
    return s


def told(s, generation):
    """The event of this generation, or of a later one."""
    while True:
        e = s.next()
        assert e.name == "message" and e.data["type"] == "refetchEvaluation" and e.data["etag"] == f'"g{e.id}"', e
        assert abs(e.data["lastModified"] - time.time()) < LIMIT
        if int(e.id) >= generation:
            return e


def quiet(*streams):
    """Nothing but comments until the next one of each."""
    for s in streams:
        n = s.comments
        while s.comments == n:
            assert s.more(), "the stream has ended"
            s.parse()
        assert s.events == [], s.events


def test_every_worker_tells(core, sandbox):
    """As many streams as make it sure that all workers hold some; each hears of each change, in order, once."""
    key, _ = create(core)
    settled(core, key, "sandbox")
    streams = [listen(daemon) for daemon in (core, sandbox) for _ in range(EACH - 2)]
    for s in streams:
        assert "text/event-stream" in s.head and "no-store" in s.head
    generations = [turn(core, key, how) for how in ("disable", "enable", "kill")]
    for s in streams:
        e = told(s, generations[-1])
        assert int(e.id) == generations[-1] == int(s.last) and s.retry >= 1000
    quiet(streams[0], streams[-1])
    for daemon in (core, sandbox):
        assert of(bulk(daemon, query=f"?flagConfigEtag=%22g{generations[-1]}%22"), key)["reason"] == "DISABLED"
    for s in streams:
        s.close()
    streams_end(core)
    streams_end(sandbox)


def test_who_comes_back_hears_what_was_missed(core):
    key, generation = create(core)
    before = bulk(core)
    first = [listen(core, before), listen(core, last=str(generation))]      # nothing was missed
    quiet(*first)
    assert all(int(s.last) == generation for s in first)
    newest = turn(core, key, "disable")
    assert all(int(told(s, newest).id) == newest for s in first)
    again = [listen(core, before)]                                          # changed between the evaluation and the stream
    again += [listen(core, last=last) for last in (str(generation), "nonsense", str(newest + 1000))]
    assert all(int(told(s, newest).id) == newest for s in again)
    for s in first:
        s.close()
    again.append(listen(core, before, last=str(newest)))                    # the header is newer than the address
    quiet(*again)
    for s in again:
        s.close()
    streams_end(core)


def test_tickets(core, sandbox):
    r = bulk(core)
    uri = requested(r)
    assert uri.startswith(f"{EVENTS}?after=") and requested(bulk(core)) == uri      # the same as long as nothing changes
    assert requested(bulk(core, role="product_owner")) != uri
    stranger = re.sub("ticket=.", lambda m: "ticket=" + ("A" if m[0][-1] != "A" else "B"), uri)
    for path in (EVENTS, f"{EVENTS}?ticket=", stranger, uri + "x", uri[:-4], f"{EVENTS}?ticket={core.tokens['agent']}"):
        refused = core.get(path, role=None)
        assert refused.status == 401 and refused.json["code"] == "unauthorized", path
    assert sandbox.get(uri, role=None).status == 401                    # each daemon has its own
    assert core.get(uri + "&more=1", role=None).status == 400
    assert core.request("HEAD", uri, role=None).status == 405
    assert core.get(EVENTS, role="operator").status == 403
    with Stream(core, EVENTS, role="agent") as s:                       # a token does as well
        assert s.status == 200
    with Stream(core, EVENTS, role=None, headers=[f"X-API-Key: {core.tokens['agent']}"]) as s:
        assert s.status == 200
    assert core.get("/v1/me", role=None, headers={"Authorization": "Bearer " + uri.split("ticket=")[1]}).status == 401
    streams_end(core)


def test_a_ticket_that_is_over_is_replaced(sandbox):
    """A client that has its address from long ago must not be told "not modified" for ever, because 304 brings no other address."""
    first = bulk(sandbox)
    stream = listen(sandbox)
    eventually(lambda: sandbox.get(requested(first), role=None).status == 401)
    again = bulk(sandbox, etag=first.etag)
    assert again.status == 200 and requested(again) != requested(first)
    quiet(stream)       # one that is open stays open
    stream.close()
    streams_end(sandbox)


def test_limits_of_streams(core):
    with_ticket, refused = [], []
    while len(refused) < 4:
        s = Stream(core, requested(bulk(core)), role=None)
        (with_ticket if s.status == 200 else refused).append(s)
    assert EACH <= len(with_ticket) <= 2 * EACH and {s.status for s in refused} == {429}
    assert all(re.search(r"\r\nRetry-After: \d+\r\n", s.head) for s in refused)
    others = [Stream(core, EVENTS, role=role) for role in ("product_owner", "service") for _ in range(3 * EACH)]
    assert {s.status for s in others} <= {200, 429, 503} and 503 in {s.status for s in others}
    assert sum(s.status == 200 for s in others) + len(with_ticket) <= 2 * STREAMS
    for s in with_ticket + refused + others:
        s.close()
    streams_end(core)


def test_a_stream_ends_with_its_token(core, product):
    name = f"gone-{uuid.uuid4().hex[:6]}"
    token = core.command("--create-token", f"{name}:agent:core").strip()
    found = eventually(lambda: (r := bulk(core, token=token)).status == 200 and r)
    streams = [listen(core, found) for _ in range(3)] if eventually(
        lambda: all(core.get("/v1/me", token=token).status == 200 for _ in range(12))) else []
    product.clusters.rows("core", "update access.token set revoked_at = now() where principal = (select id from access.principal where name = %s)", (name,))
    for s in streams:
        s.ended()
    eventually(lambda: all(core.get(requested(found), role=None).status == 401 for _ in range(12)))
    streams_end(core)


# -- storms

def test_every_answer_belongs_to_one_generation(core):
    """Flags are turned as fast as they can be, while others evaluate them all: no answer mixes two states."""
    keys = [create(core, "storm")[0] for _ in range(4)]
    start = bulk(core).json
    turns, answers, stop = {key: [of_all(start, key)["metadata"]["revision"]] for key in keys}, [], threading.Event()

    def storm(key):
        for i in range(12):
            r = core.post(f"/v1/flags/{key}/{('disable', 'enable')[i % 2]}", role="product_owner")
            assert r.status == 200, r
            turns[key].append(r.json["revision"])

    askers = [threading.Thread(target=ask_all, args=(core, stop, answers)) for _ in range(2)]
    turners = [threading.Thread(target=storm, args=(key,)) for key in keys]
    for t in askers + turners:
        t.start()
    for t in turners:
        t.join()
    stop.set()
    for t in askers:
        t.join()
    # Each turn raises the generation by the same, so an answer's generation says how many turns it must show, over all flags.
    began, ended = start["metadata"]["generation"], bulk(core).json["metadata"]["generation"]
    each = (ended - began) // sum(len(t) - 1 for t in turns.values())
    assert each * sum(len(t) - 1 for t in turns.values()) == ended - began and len(answers) > 4
    for r in answers:
        shown = {key: turns[key].index(of_all(r, key)["metadata"]["revision"]) for key in keys}
        assert began + each * sum(shown.values()) == r["metadata"]["generation"], (shown, r["metadata"])
        assert all((of_all(r, key)["reason"] == "DISABLED") == bool(shown[key] % 2) for key in keys)


# -- the published clients

@pytest.fixture(scope="module")
def clients(core, sandbox):
    c = Clients(core, sandbox)
    yield c
    c.stop()
    assert c.judged > 0


def at(daemon, port=None):
    return {"url": f"http://127.0.0.1:{port or daemon.port}", "token": daemon.tokens["agent"]}


TYPES = {"boolean": True, "string": "blue", "number": 2.5, "object": {"size": 4, "names": ["a", "b"]}}
OTHERWISE = {"boolean": False, "string": "none", "number": 0, "object": {}}


@pytest.fixture(scope="module")
def typed(core, sandbox):
    """A flag of each type on both daemons, one that divides, one that is off."""
    flags = {kind: create(core, kind, document=document(variations=[{"key": "control", "value": value}]))[0] for kind, value in TYPES.items()}
    flags["split"], _ = create(core, "split", document=document([SPLIT]))
    flags["off"], _ = create(core, "off", enabled=False)
    settled(core, flags["off"], "sandbox")
    return flags


@pytest.mark.parametrize("name", ["core", "sandbox"])
def test_server_client(product, clients, typed, name):
    daemon = getattr(product, name)
    clients.call("server", name=f"server-{name}", **at(daemon))
    for kind, value in TYPES.items():
        got = clients.call("server_get", name=f"server-{name}", flag=typed[kind], otherwise=OTHERWISE[kind], context={"targetingKey": "u1"})
        assert (got["value"], got["variant"], got["reason"]) == (value, "control", "STATIC") and got["flagMetadata"]["revision"] > 0, got
        got = clients.call("server_get", name=f"server-{name}", flag=typed[kind], otherwise=OTHERWISE["string" if kind != "string" else "boolean"], context={})
        assert got["errorCode"] == "TYPE_MISMATCH"
    ask = {"name": f"server-{name}", "otherwise": False}
    got = clients.call("server_get", flag=typed["split"], context={"targetingKey": "u1", "seats": 4, "since": "2026-01-01T00:00:00Z"}, **ask)
    assert got["reason"] == "SPLIT" and got["variant"] == single(daemon, typed["split"], {"targetingKey": "u1"}).json["variant"]
    assert clients.call("server_get", flag=typed["split"], context={}, **ask)["errorCode"] == "TARGETING_KEY_MISSING"
    assert clients.call("server_get", flag="my/flag x", context={}, **ask)["errorCode"] == "FLAG_NOT_FOUND"
    assert clients.call("server_get", flag=typed["off"], context={}, **ask)["value"] is False
    # The newer core of the clients, which encodes keys as RFC 3986 does, and a key in X-API-Key.
    key = {"url": at(daemon)["url"], "key": daemon.tokens["agent"]}
    assert clients.call("single", flag=typed["number"], **key) == {"status": 200, "value": single(daemon, typed["number"]).json}
    assert clients.call("single", flag="my/flag x", **key)["value"]["key"] == "my/flag x"
    assert clients.call("single", flag=typed["off"], context={}, **key)["value"].keys() == {"key", "reason", "metadata"}
    with pytest.raises(Refused) as refused:
        clients.call("single", flag=typed["off"], url=key["url"], token="nobody's")
    assert refused.value.name == "OFREPApiUnauthorizedError"


@pytest.mark.parametrize("name", ["core", "sandbox"])
def test_web_client(product, core, clients, typed, name):
    """Starts, evaluates every type, hears of a change, asks again, and asks anew when its context changes."""
    daemon, web = getattr(product, name), f"web-{name}"
    switch, _ = create(core, "switch", document=document([{"force": "treatment", "condition": {"plan": "pro"}}]))
    settled(core, switch, "sandbox")
    before = clients.settle()
    clients.call("web", name=web, context={"targetingKey": "u1", "plan": "free"}, **at(daemon))
    clients.hears(lambda s: s["event"] == "stream" and s["name"] == "open", before)
    for kind, value in TYPES.items():
        got = clients.call("web_get", name=web, flag=typed[kind], otherwise=OTHERWISE[kind])
        assert (got["value"], got["variant"], got["reason"]) == (value, "control", "STATIC"), got
    off = clients.call("web_get", name=web, flag=typed["off"], otherwise=True)
    assert (off["value"], off["reason"]) == (True, "DISABLED") and "errorCode" not in off
    assert clients.call("web_get", name=web, flag="nothing-here", otherwise="x")["errorCode"] == "FLAG_NOT_FOUND"
    assert clients.call("web_get", name=web, flag=switch, otherwise=True)["value"] is False
    # Another attribute than the targeting key, and so its old tag along with it: the new result all the same.
    before = clients.settle()
    clients.call("web_context", name=web, context={"targetingKey": "u1", "plan": "pro"})
    assert clients.hears(lambda s: s["event"] == "request", before)["none_match"] is not None
    assert clients.call("web_get", name=web, flag=switch, otherwise=False)["value"] is True
    before = clients.settle()
    clients.call("web_context", name=web, context={"targetingKey": "u1", "plan": "pro", "seat": 4})
    assert clients.hears(lambda s: s["event"] == "request", before)["status"] == 304
    # A change is heard of and fetched, with what the event said.
    before = clients.settle()
    generation = turn(core, switch, "disable")
    clients.hears(lambda s: s["event"] == "stream" and s["name"] == "message" and int(s["id"]) >= generation, before)
    fetched = clients.hears(lambda s: s["event"] == "request" and f"flagConfigEtag=%22g{generation}%22" in s["url"], before)
    assert fetched["status"] == 200 and "flagConfigLastModified=" in fetched["url"]
    changed = clients.hears(lambda s: s["event"] == "provider" and s["name"] == "PROVIDER_CONFIGURATION_CHANGED" and switch in s["flags"], before)
    assert changed["flags"] == [switch]
    got = clients.call("web_get", name=web, flag=switch, otherwise=True)
    assert (got["value"], got["reason"]) == (True, "DISABLED")
    clients.call("web_close", name=web)
    streams_end(daemon)


def test_clients_wait_as_they_are_told(core, clients, typed):
    """A quota that is used up: the clients' own reading of Retry-After is a time that is soon."""
    asked = {"url": at(core)["url"], "token": core.tokens["innovator"]}
    for call, args in (("bulk", {"context": {}}), ("single", {"context": {}, "flag": typed["boolean"]})):
        with pytest.raises(Refused) as refused:
            for _ in range(10 * QUOTA):
                clients.call(call, **args, **asked)
        assert refused.value.name == "OFREPApiTooManyRequestsError" and 1000 <= refused.value.retry <= 10000, refused.value


def test_one_client_before_and_after_the_sandbox_died(product, core, sandbox, clients):
    """An application has one address, core's, and nothing about it changes while an experiment runs, and while the sandbox is dead."""
    key, _ = create(core, "life", kind="experiment")
    clients.call("server", name="life", **at(core))
    clients.call("web", name="life", context={"targetingKey": "u1"}, **at(core))

    def both():
        one = clients.call("server_get", name="life", flag=key, otherwise=False, context={"targetingKey": "u1"})
        web = clients.call("web_get", name="life", flag=key, otherwise=False)
        return [(g["value"], g.get("variant"), g["reason"]) for g in (one, web)]

    def heard(generation, before):
        clients.hears(lambda s: s["event"] == "request" and f"flagConfigEtag=%22g{generation}%22" in s["url"], before)
        return eventually(lambda: (b := both())[0] == b[1] and b)

    assert both() == [(False, "control", "STATIC")] * 2
    before = clients.settle()
    during = heard(turn(core, key, "revisions", {"document": document([SPLIT])}), before)
    assert during[0][2] == "SPLIT"
    sandbox.stop()
    try:
        assert both() == during
        before = clients.settle()
        after = heard(turn(core, key, "revisions", {"document": document([{"force": "treatment"}])}), before)
        assert after == [(True, "treatment", "TARGETING_MATCH")] * 2
    finally:
        sandbox.start()
    assert both() == after
    clients.call("web_close", name="life")
    streams_end(core)
