"""The record engine through the real daemon: lists, cursors, entity tags, bodies that are wrong, idempotency, batches."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import time
import uuid

import pytest

from wire import Wire, request

MANY = 30


def unique(prefix):
    return f"{prefix}-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def org(core):
    r = core.post("/v1/organizations", {"name": unique("Org"), "revenue": 12345678901234.56})
    assert r.status == 201, r
    return r


def test_create_get_and_304(core, org):
    assert org.headers["Location"] == f"/v1/organizations/{org.json['id']}"
    assert b'"revenue":12345678901234.56' in org.body
    r = core.get(org.headers["Location"])
    assert (r.status, r.etag, r.body) == (200, org.etag, org.body)
    assert core.get(org.headers["Location"], headers={"If-None-Match": r.etag}).status == 304
    assert core.get(org.headers["Location"], headers={"If-None-Match": '"v1.00000000"'}).status == 200
    narrow = core.get(org.headers["Location"] + "?fields=name")
    assert list(narrow.json) == ["id", "name"] and narrow.etag != r.etag
    assert core.get(f"/v1/organizations/{uuid.uuid4()}").status == 404
    r = core.get("/v1/organisations")
    assert r.status in (403, 404)
    r = core.get("/v1/organisations", role="operator")
    assert r.status == 404 and "organizations" in r.json["detail"]


def test_patch_needs_the_version(core, org):
    path = org.headers["Location"]
    assert core.patch(path, {"stage": "a"}).status == 428
    r = core.patch(path, {"stage": "a", "sector": "x"}, headers={"If-Match": org.etag})
    assert r.status == 200 and r.json["version"] == 2 and r.json["stage"] == "a", r
    stale = core.patch(path, {"stage": "b"}, headers={"If-Match": org.etag})
    assert stale.status == 412 and stale.json["current_version"] == 2, stale
    r = core.patch(path, {"sector": None}, headers={"If-Match": "*"})
    assert r.status == 200 and r.json["sector"] is None and r.json["stage"] == "a"
    r = core.patch(path, {"name": None}, headers={"If-Match": "*"})
    assert r.status == 422 and r.json["errors"][0]["pointer"] == "/name"
    assert core.patch(f"/v1/organizations/{uuid.uuid4()}", {}, headers={"If-Match": "*"}).status == 404
    assert core.patch(path, {}, headers={"If-Match": "nonsense"}).status == 400
    assert core.patch(path, "{}", headers={"If-Match": "*", "Content-Type": "text/plain"}).status == 415
    assert core.delete(path).status == 428
    assert core.delete(path, headers={"If-Match": org.etag}).status == 412
    assert core.delete(path, headers={"If-Match": '"v3"'}).status == 204
    assert core.get(path).status == 404


def test_reads_of_one_turn_share_a_sync(core, org):
    """Both workers are held while many clients ask, and find all of it in one turn: fewer transactions than reads."""
    def counts():
        lines = core.get("/metrics", role=None).body.decode().splitlines()
        return [next(float(x.rsplit(" ", 1)[1]) for x in lines if x.startswith(f'{name}{{pool="core/app",lane="read"}}'))
                for name in ("postgres_query_seconds_count", "postgres_syncs_total")]

    pid = core.process.pid
    workers = [int(p) for p in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()][:-1]
    ask = request(core, "GET", org.headers["Location"])
    with contextlib.ExitStack() as open_:
        wires = [open_.enter_context(Wire(core, timeout=30)) for _ in range(16)]

        def each(do):
            for w in wires:
                do(w)

        def answered(w):
            got = b""
            while not got.endswith(b"}") and (chunk := w.socket.recv(65536)):
                got += chunk
            assert got.startswith(b"HTTP/1.1 200 "), got

        for _ in range(300):  # a connection that meets the statement for the first time prepares it, by itself
            before = counts()
            for w in workers:
                os.kill(w, signal.SIGSTOP)
            try:
                each(lambda w: w.send(ask))
            finally:
                for w in workers:
                    os.kill(w, signal.SIGCONT)
            each(answered)
            queries, syncs = (b - a for a, b in zip(before, counts()))
            if queries >= 16 and syncs <= queries / 2:
                break
        else:
            raise AssertionError((queries, syncs))


def test_all_errors_of_a_body_at_once(core):
    r = core.post("/v1/interactions", {"kind": "letter", "at": "yesterday", "amount": 1.234, "chanel": "x", "lab_ok": True,
                                       "person_id": 5})
    assert r.status == 422
    got = {e["pointer"]: e["code"] for e in r.json["errors"]}
    assert got == {"/kind": "not_a_choice", "/at": "bad_format", "/amount": "out_of_range", "/chanel": "unknown_field",
                   "/lab_ok": "read_only", "/person_id": "wrong_type"}
    assert '"channel"' in [e for e in r.json["errors"] if e["pointer"] == "/chanel"][0]["detail"]
    assert core.post("/v1/organizations", '{"name":"x"').status == 400
    assert core.post("/v1/organizations", '{"name":"a","name":"b"}').status in (400, 422)
    r = core.post("/v1/interactions", {"kind": "call", "person_id": str(uuid.uuid4())})
    assert r.status == 422


def test_secret_and_classes(core):
    person = core.post("/v1/people", {"given_name": "Ada", "email": "ada@example.org"})
    assert person.status == 201 and "pseudonym" not in person.json
    path = person.headers["Location"]
    seen = core.get(path, role="operator")
    assert seen.status == 200 and "email" not in seen.json and "owner" in seen.json
    assert core.get("/v1/people?email=ada@example.org", role="operator").status == 403
    assert core.get("/v1/people?pseudonym=is.null").status == 400
    assert core.get("/v1/people?fields=pseudonym").status == 400
    assert core.patch(path, {"given_name": "B"}, role="operator", headers={"If-Match": "*"}).status == 403


def test_list_pages_through_nulls(core):
    tag = unique("page")
    ops = [{"op": "create", "data": {"name": f"n{i % 3}", "owner": tag, "employees": None if i % 4 == 0 else i % 5}}
           for i in range(MANY)]
    r = core.post("/v1/organizations/batch", {"ops": ops})
    assert r.status == 200 and len(r.json["results"]) == MANY, r
    for sort in ("", "&sort=name", "&sort=-name", "&sort=-id", "&sort=name,-id"):
        seen, after = [], ""
        while True:
            page = core.get(f"/v1/organizations?owner=eq.{tag}&limit=7{sort}{after}")
            assert page.status == 200, page
            seen += [d["id"] for d in page.json["data"]]
            if not page.json["page"]["has_more"]:
                assert page.json["page"]["next"] is None
                break
            assert page.json["page"]["next"] in page.headers["Link"]
            after = "&after=" + page.json["page"]["next"]
        assert len(seen) == len(set(seen)) == MANY, sort
        whole = core.get(f"/v1/organizations?owner={tag}&limit=200{sort}").json["data"]
        assert [d["id"] for d in whole] == seen
    cursor = core.get(f"/v1/organizations?owner={tag}&limit=7").json["page"]["next"]
    assert core.get(f"/v1/organizations?owner={tag}&limit=5&after={cursor}").status == 200
    assert core.get(f"/v1/organizations?limit=7&after={cursor}").status == 400
    assert core.get(f"/v1/organizations?owner={tag}&sort=name&after={cursor}").status == 400
    assert core.get(f"/v1/people?after={cursor}").status == 400
    assert core.get(f"/v1/organizations?owner={tag}&after={cursor}", role="operator").status == 400
    bad = core.get(f"/v1/organizations?owner={tag}&after={cursor[:-2]}AA")
    assert bad.status == 400 and bad.json["code"] == "bad-cursor"


def test_sort_with_nulls(core):
    tag = unique("closed")
    days = [None, "2026-01-02", "2026-01-01", None, "2026-01-03"]
    core.post("/v1/opportunities/batch",
              {"ops": [{"op": "create", "data": {"owner": tag, "closed_at": d}} for d in days]})
    for sort, want in (("closed_at", ["2026-01-01", "2026-01-02", "2026-01-03", None, None]),
                       ("-closed_at", [None, None, "2026-01-03", "2026-01-02", "2026-01-01"])):
        got, after = [], ""
        for _ in range(len(days) + 1):
            page = core.get(f"/v1/opportunities?owner={tag}&sort={sort}&limit=1{after}").json
            got += [d["closed_at"] for d in page["data"]]
            after = f"&after={page['page']['next']}"
            if not page["page"]["has_more"]:
                break
        assert got == want


def test_filters(core):
    tag = unique("f")
    rows = [("won", 10), ("lost", 20), ("engaging", None)]
    core.post("/v1/opportunities/batch",
              {"ops": [{"op": "create", "data": {"owner": tag, "stage": s, "amount": a}} for s, a in rows]})

    def found(query):
        r = core.get(f"/v1/opportunities?owner={tag}&{query}")
        assert r.status == 200, r
        return sorted(d["stage"] for d in r.json["data"])

    assert found("stage=in.(won,lost)") == ["lost", "won"]
    assert found("stage=won") == ["won"]
    assert found("stage=neq.won") == ["engaging", "lost"]
    assert found("amount=gte.10&amount=lt.20") == ["won"]
    assert found("amount=is.null") == ["engaging"]
    assert found("amount=is.not_null") == ["lost", "won"]
    for query in ("stage=eq.unknown", "amount=gt.x", "stge=won", "limit=0", "limit=201", "limit=5&limit=6", "sort=amount",
                  "stage=in.won", "fields=nothing", "description=x"):
        assert core.get(f"/v1/opportunities?{query}").status == 400, query


def test_consents_below_a_person(core):
    person = core.post("/v1/people", {"given_name": "Grace"}).json["id"]
    other = core.post("/v1/people", {"given_name": "Joan"}).json["id"]
    base = f"/v1/people/{person}/consents"
    made = core.post(base, {"purpose": "analysis", "state": "granted"})
    assert made.status == 201 and made.json["person_id"] == person, made
    assert made.headers["Location"] == f"{base}/{made.json['id']}"
    assert core.post(base, {"purpose": "marketing", "state": "granted", "person_id": other}).status == 422
    assert [c["id"] for c in core.get(base).json["data"]] == [made.json["id"]]
    assert core.get(f"/v1/people/{other}/consents").json["data"] == []
    assert core.get(f"/v1/people/{other}/consents/{made.json['id']}").status == 404
    r = core.patch(f"{base}/{made.json['id']}", {"state": "withdrawn"}, headers={"If-Match": made.etag})
    assert r.status == 200, r
    assert core.get(f"/v1/people/{person}").json["lab_ok"] is False
    assert core.get(f"/v1/people/{person}/opportunities").status == 404
    assert core.post(base, {"purpose": "analysis", "state": "granted"}).status == 409


def test_idempotency(core):
    name, key = unique("Idem"), unique("key")
    body = json.dumps({"name": name, "external_id": name})
    first = core.post("/v1/organizations", body, headers={"Idempotency-Key": key})
    again = core.post("/v1/organizations", body, headers={"Idempotency-Key": key})
    assert first.status == again.status == 201 and first.body == again.body
    assert (again.etag, again.headers["Location"]) == (first.etag, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    other = core.post("/v1/organizations", {"name": unique("x")}, headers={"Idempotency-Key": key})
    assert other.status == 422 and other.json["code"] == "idempotency-key-reused"
    path, key = first.headers["Location"], unique("key")
    headers = {"If-Match": first.etag, "Idempotency-Key": key}
    once = core.patch(path, {"stage": "x"}, headers=headers)
    twice = core.patch(path, {"stage": "x"}, headers=headers)
    assert once.status == twice.status == 200 and once.body == twice.body and once.etag == twice.etag
    headers = {"If-Match": "*", "Idempotency-Key": unique("key")}
    assert [core.delete(path, headers=headers).status for _ in range(2)] == [204, 204]
    assert core.delete(path, headers={"If-Match": "*"}).status == 404
    assert core.post("/v1/organizations", body, headers={"Idempotency-Key": "k" * 256}).status == 400


def test_idempotent_requests_at_the_same_time(core):
    name, key = unique("Race"), unique("key")

    def send(_):
        return core.post("/v1/organizations", json.dumps({"name": name}), headers={"Idempotency-Key": key}).status

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        got = list(pool.map(send, range(16)))
    assert set(got) <= {201, 409} and 201 in got, got
    assert len(core.get(f"/v1/organizations?name={name}").json["data"]) == 1


def test_atomic_batch(core):
    tag = unique("batch")
    ids = [r["id"] for r in core.post("/v1/organizations/batch", {
        "mode": "atomic", "ops": [{"op": "create", "data": {"name": tag, "external_id": f"{tag}-{i}"}} for i in range(3)],
    }).json["results"]]
    mixed = {"ops": [
        {"op": "update", "id": ids[0], "if_match": "v1", "data": {"stage": "x"}},
        {"op": "delete", "id": ids[1], "if_match": "*"},
        {"op": "upsert", "match": "external_id", "value": f"{tag}-2", "data": {"name": tag, "stage": "up"}},
        {"op": "upsert", "match": "external_id", "value": f"{tag}-3", "data": {"name": tag}},
        {"op": "create", "data": {"name": tag}}]}
    r = core.post("/v1/organizations/batch", mixed)
    assert r.status == 200 and [x["status"] for x in r.json["results"]] == [200, 204, 200, 201, 201], r
    assert r.json["results"][2]["id"] == ids[2] and r.json["results"][2]["version"] == 2
    assert len(core.get(f"/v1/organizations?name={tag}").json["data"]) == 4
    again = core.post("/v1/organizations/batch", mixed)
    assert again.status == 412 and again.json["index"] == 0 and again.json["current_version"] == 2, again


def test_atomic_batch_names_the_index_and_writes_nothing(core):
    tag = unique("fail")
    taken = core.post("/v1/organizations", {"name": tag, "external_id": tag})
    assert taken.status == 201
    ops = [{"op": "create", "data": {"name": f"{tag}-n"}} for _ in range(40)]
    ops[29]["data"]["external_id"] = tag
    r = core.post("/v1/organizations/batch", {"ops": ops})
    assert r.status == 409 and r.json["index"] == 29, r
    ops[29]["data"] = {"name": tag, "parent_id": str(uuid.uuid4())}
    r = core.post("/v1/organizations/batch", {"ops": ops})
    assert r.status == 422 and r.json["index"] == 29 and "/ops/29/data/parent_id" in r.body.decode(), r
    ops[29]["data"], ops[31]["data"] = {"nme": "x"}, {"name": 5}
    r = core.post("/v1/organizations/batch", {"ops": ops})
    assert {e["pointer"] for e in r.json["errors"]} == {"/ops/29/data/nme", "/ops/29/data/name", "/ops/31/data/name"}
    assert core.get(f"/v1/organizations?name={tag}-n").json["data"] == []
    twice = [{"op": "update", "id": taken.json["id"], "if_match": "*", "data": {}}] * 2
    assert core.post("/v1/organizations/batch", {"ops": twice}).status == 409
    for bad in ({}, {"ops": []}, {"ops": [{}] * 1001}, {"ops": {}}, {"mode": "some", "ops": [{}]}, {"ops": [5]}):
        assert core.post("/v1/organizations/batch", bad).status in (400, 422), bad


def test_each_batch(core):
    tag = unique("each")
    one = core.post("/v1/organizations", {"name": tag}).json["id"]
    core.post("/v1/organizations", {"name": unique("x"), "external_id": tag})
    ops = [{"op": "create", "data": {"name": tag}}, {"op": "create", "data": {"name": tag, "external_id": tag}},
           {"op": "update", "id": one, "if_match": "v7", "data": {}}, {"op": "nothing"}, {"op": "create", "data": {"nam": 1}},
           {"op": "update", "id": one, "if_match": "v1", "data": {"stage": "1"}},
           {"op": "update", "id": one, "if_match": "v2", "data": {"stage": "2"}},
           {"op": "delete", "id": one, "if_match": "v3"}, {"op": "delete", "id": one, "if_match": "*"}]
    body = json.dumps({"mode": "each", "ops": ops + [{"op": "create", "data": {"name": tag}}] * 20})
    headers = {"Idempotency-Key": unique("key")}
    r = core.post("/v1/organizations/batch", body, headers=headers)
    assert r.status == 200, r
    got = r.json["results"]
    assert [x["index"] for x in got] == list(range(29))
    assert [x["status"] for x in got[:9]] == [201, 409, 412, 422, 422, 200, 200, 204, 404]
    assert got[4]["problem"]["errors"][0]["pointer"] == "/ops/4/data/nam"
    count = len(core.get(f"/v1/organizations?name={tag}&limit=200").json["data"])
    replay = core.post("/v1/organizations/batch", body, headers=headers).json["results"]
    assert [x["status"] for x in replay if x["status"] < 300] == [x["status"] for x in got if x["status"] < 300]
    assert [x.get("id") for x in replay] == [x.get("id") for x in got]
    assert len(core.get(f"/v1/organizations?name={tag}&limit=200").json["data"]) == count


def test_thousand_creates_are_one_statement(core):
    tag = unique("bulk")
    ops = [{"op": "create", "data": {"kind": "purchase", "channel": tag, "amount": i}} for i in range(1000)]
    began = time.monotonic()
    r = core.post("/v1/interactions/batch", {"ops": ops})
    took = time.monotonic() - began
    assert r.status == 200 and len(r.json["results"]) == 1000, r
    assert [x["index"] for x in r.json["results"]] == list(range(1000))
    assert took < 5, took


def test_events_follow_writes(core, product):
    r = core.post("/v1/organizations", {"name": unique("Ev")})
    with product.clusters.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("select op, actor, request_id, version from event.log where record_id = %s", (r.json["id"],))
        rows = cur.fetchall()
    assert len(rows) == 1 and rows[0][0] == "create" and rows[0][2] == r.headers["Request-Id"]


def test_the_copy_is_read_by_pseudonym_and_not_written(core, sandbox, product):
    tag = unique("copy")
    made = core.post("/v1/people", {"given_name": "Marked", "segment": tag})
    product.arrived("select exists (select from crm.person where segment = %s)", (tag,))
    r = sandbox.get(f"/v1/people?segment={tag}")
    assert r.status == 200 and len(r.json["data"]) == 1, r
    row = r.json["data"][0]
    assert "pseudonym" in row and "id" not in row and "given_name" not in row
    assert made.json["id"] not in r.body.decode() and "Marked" not in r.body.decode()
    one = sandbox.get(f"/v1/people/{row['pseudonym']}")
    assert one.status == 200 and one.json == row
    assert sandbox.get("/v1/people?given_name=Marked").status == 400
    assert sandbox.post("/v1/people", {"given_name": "x"}).status in (403, 405)
