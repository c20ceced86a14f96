"""All six resources alike: written, read, listed, changed, removed; lists that stay whole while others write; keys that repeat."""
import concurrent.futures
import json
import threading
import uuid

import pytest

RESOURCES = ("organizations", "people", "consents", "interactions", "opportunities", "cases")
TABLES = {"organizations": "organization", "people": "person", "consents": "consent", "interactions": "interaction",
          "opportunities": "opportunity", "cases": "support_case"}


def sample(kind, choices, name, core):
    if name == "currency":
        return "USD"
    if name == "purpose":
        return "profiling"
    return {"text": f"t {name} ä€😀 \"\\/\b\t", "integer": 42, "decimal": 1234.5, "boolean": True, "date": "2026-02-28", "timestamp": "2026-02-28T23:59:59.123456+01:00",
            "enum": (choices or [None])[-1]}.get(kind)


@pytest.fixture(scope="module")
def registry(product):
    rows = product.clusters.rows("core", "SELECT resource, name, class, kind, required, writable, filterable, sortable, reference, choices, max_length"
                                 " FROM change.field ORDER BY resource, position")
    found = {}
    for resource, *rest in rows:
        found.setdefault(resource, []).append(dict(zip(("name", "cls", "kind", "required", "writable", "filterable", "sortable", "reference", "choices", "max"), rest)))
    return found


def full(core, registry, resource):
    """A body with every writable field."""
    refs = {"people": core.post("/v1/people", {"given_name": "Ref"}).json["id"], "organizations": core.post("/v1/organizations", {"name": "Ref"}).json["id"]}
    body = {}
    for f in registry[resource]:
        if f["writable"]:
            body[f["name"]] = refs[f["reference"]] if f["reference"] else sample(f["kind"], f["choices"], f["name"], core)
            if f["max"] and isinstance(body[f["name"]], str):
                body[f["name"]] = body[f["name"]][:f["max"]]
    if "external_id" in body:
        body["external_id"] = f"x-{uuid.uuid4()}"
    return body


def same(field, sent, got):
    if field["kind"] == "timestamp":
        return got.startswith("2026-02-28T22:59:59.123456")
    if field["kind"] == "decimal":
        return float(got) == float(sent)
    return got == sent


@pytest.mark.parametrize("resource", RESOURCES)
def test_life_of_a_record(core, product, registry, resource):
    fields = {f["name"]: f for f in registry[resource]}
    body = full(core, registry, resource)
    made = core.post(f"/v1/{resource}", body)
    assert made.status == 201 and made.headers["Location"] == f"/v1/{resource}/{made.json['id']}", made
    path = made.headers["Location"]
    shown = {n for n, f in fields.items() if f["cls"] != "secret"}
    assert set(made.json) == shown
    for name, value in body.items():
        assert same(fields[name], value, made.json[name]), (name, value, made.json[name])
    assert made.json["version"] == 1 and uuid.UUID(made.json["id"]).version == 7
    got = core.get(path)
    assert (got.status, got.body, got.etag) == (200, made.body, made.etag)
    assert core.get(path, headers={"If-None-Match": made.etag}).status == 304
    assert core.get(path, headers={"If-None-Match": f'"x", W/{made.etag}'}).body == b""
    # every field is filterable as the registry says, and finds it
    for name, f in fields.items():
        if not f["filterable"] or name == "lab_ok":
            continue
        value = made.json[name]
        r = core.request("GET", f"/v1/{resource}?id={made.json['id']}&{name}=eq." + quoted(value))
        assert r.status == 200 and [d["id"] for d in r.json["data"]] == [made.json["id"]], (name, value, r)
        r = core.request("GET", f"/v1/{resource}?id={made.json['id']}&{name}=neq." + quoted(value))
        assert r.status == 200 and r.json["data"] == [], name
        r = core.request("GET", f"/v1/{resource}?id={made.json['id']}&{name}=in.(" + quoted('"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"') + ")")
        assert r.status == 200 and len(r.json["data"]) == 1, (name, r)
    # patched field by field; null clears where it may
    clearable = [n for n in body if not fields[n]["required"] and n not in ("currency", "stage", "status", "priority", "at", "opened_at")]
    etag = made.etag
    for i, name in enumerate(clearable):
        r = core.patch(path, {name: None}, headers={"If-Match": etag})
        assert r.status == 200 and r.json[name] is None and r.json["version"] == i + 2, (name, r)
        etag = r.etag
    r = core.patch(path, {}, headers={"If-Match": etag})
    assert r.status == 200
    for name in (n for n, f in fields.items() if not f["writable"]):
        r = core.patch(path, {name: made.json.get(name, str(uuid.uuid4()))}, headers={"If-Match": "*"})
        assert r.status == 422 and r.json["errors"][0]["pointer"] == f"/{name}", (name, r)
        r = core.post(f"/v1/{resource}", {**body, name: made.json.get(name, str(uuid.uuid4()))})
        assert r.status == 422 and f"/{name}" in [e["pointer"] for e in r.json["errors"]], (name, r)
    stale = core.patch(path, {}, headers={"If-Match": '"v1"'})
    assert stale.status == 412 and stale.json["current_version"] == core.get(path).json["version"]
    assert core.patch(path, {}).status == 428 and core.delete(path).status == 428
    assert core.delete(path, headers={"If-Match": '"v1"'}).status == 412
    assert core.delete(path, headers={"If-Match": core.get(path).etag}).status == 204
    assert core.get(path).status == 404 and core.delete(path, headers={"If-Match": "*"}).status == 404
    assert product.clusters.one("core", f"SELECT count(*) FROM crm.{TABLES[resource]} WHERE id = %s", (made.json["id"],)) == 0


def quoted(value):
    from urllib.parse import quote
    if isinstance(value, bool):
        return "true" if value else "false"
    return quote(str(value), safe="")


def test_choices_and_lengths(core, registry):
    for resource, fields in registry.items():
        for f in fields:
            if not f["writable"]:
                continue
            if f["kind"] == "enum":
                r = core.post(f"/v1/{resource}", {f["name"]: "none of them"})
                said = [e for e in r.json["errors"] if e["pointer"] == f"/{f['name']}"][0]
                assert said["code"] == "not_a_choice" and all(c in said["detail"] for c in f["choices"]), said
            elif f["kind"] == "text" and f["max"]:
                r = core.post(f"/v1/{resource}", {f["name"]: "ä" * (f["max"] + 1)})
                assert f"/{f['name']}" in [e["pointer"] for e in r.json["errors"] if e["code"] == "too_long"], (resource, f["name"], r)


@pytest.mark.parametrize("char", ["a", "я", "😀"])
def test_longest_names_can_be_paged(core, char):
    """Values as long as the registry allows sort and page."""
    tag = f"long{uuid.uuid4().hex[:10]}"
    assert core.post("/v1/organizations/batch", {"ops": [{"op": "create", "data": {"name": char * 195 + str(i), "owner": tag}} for i in range(5)]}).status == 200
    seen, after = [], ""
    for _ in range(5):
        page = core.get(f"/v1/organizations?owner={tag}&sort=name&limit=1{after}")
        assert page.status == 200, page
        seen += [d["name"][-1] for d in page.json["data"]]
        after = f"&after={page.json['page']['next']}"
    assert seen == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("sort", ["id", "-id", "name", "-name", "name,-id"])
def test_list_is_whole_while_others_insert(core, sort):
    """What was there at the start comes exactly once, whatever is inserted and deleted meanwhile."""
    tag = f"live{uuid.uuid4().hex[:10]}"
    r = core.post("/v1/organizations/batch", {"ops": [{"op": "create", "data": {"name": f"n{i % 5}", "owner": tag}} for i in range(60)]})
    old = {x["id"] for x in r.json["results"]}
    ending = threading.Event()

    def disturb():
        while not ending.is_set():
            made = core.post("/v1/organizations", {"name": "n2", "owner": tag})
            core.post("/v1/organizations", {"name": "n4", "owner": tag})
            core.delete(made.headers["Location"], headers={"If-Match": "*"})

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    try:
        seen, after = [], ""
        for _ in range(400):
            page = core.get(f"/v1/organizations?owner={tag}&limit=7&sort={sort}&fields=id,name{after}")
            assert page.status == 200, page
            seen += [d["id"] for d in page.json["data"]]
            if not page.json["page"]["has_more"] or (sort == "id" and old <= set(seen)):
                break
            after = f"&after={page.json['page']['next']}"
    finally:
        ending.set()
        thread.join()
    assert len(seen) == len(set(seen)) and old <= set(seen)


def test_next_link_leads_on(core):
    tag = f"link{uuid.uuid4().hex[:10]}"
    core.post("/v1/organizations/batch", {"ops": [{"op": "create", "data": {"name": "x", "owner": tag}} for _ in range(5)]})
    path, n = f"/v1/organizations?owner=eq.{tag}&limit=2&sort=-name&fields=name", 0
    while path:
        r = core.get(path)
        n += len(r.json["data"])
        link = r.headers.get("Link")
        path = link[link.index("<") + 1:link.index(">")] if link else None
        assert (link is None) == (not r.json["page"]["has_more"])
    assert n == 5


def test_lost_update_is_impossible(core):
    """Writers that read, add one and write with If-Match: no increment is lost."""
    path = core.post("/v1/organizations", {"name": "Counter", "employees": 0}).headers["Location"]

    def add(_):
        for _ in range(200):
            r = core.get(path)
            w = core.patch(path, {"employees": r.json["employees"] + 1}, headers={"If-Match": r.etag})
            if w.status == 200:
                return True
            assert w.status in (412, 409), w
        return False

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(add, range(24)))
    last = core.get(path).json
    assert last["employees"] == 24 and last["version"] == 25


def test_same_key_at_the_same_time_writes_once(core, product):
    for resource, body in (("people", {"given_name": "Once"}), ("interactions", {"kind": "call"})):
        key = f"once-{uuid.uuid4()}"
        text = json.dumps({**body, "source" if resource == "people" else "channel": key[:40]})

        def send(_):
            return core.post(f"/v1/{resource}", text, headers={"Idempotency-Key": key})

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            got = list(pool.map(send, range(24)))
        assert {r.status for r in got} <= {201, 409}
        fine = [r for r in got if r.status == 201]
        assert len({r.body for r in fine}) == 1 and sum("Idempotency-Replayed" not in r.headers for r in fine) == 1
        assert send(0).body == fine[0].body
        column = "source" if resource == "people" else "channel"
        assert product.clusters.one("core", f"SELECT count(*) FROM crm.{TABLES[resource]} WHERE {column} = %s", (key[:40],)) == 1


def test_key_belongs_to_principal_route_and_body(core, product):
    key = f"k-{uuid.uuid4()}"
    first = core.post("/v1/organizations", {"name": "K"}, headers={"Idempotency-Key": key})
    assert first.status == 201
    for body in ({"name": "L"}, {"name": "K", "stage": "x"}):
        r = core.post("/v1/organizations", body, headers={"Idempotency-Key": key})
        assert r.status == 422 and r.json["code"] == "idempotency-key-reused" and r.json["retryable"] is False
    assert core.post("/v1/organizations", b'{"name" : "K"}', headers={"Idempotency-Key": key}).status == 422
    # A request that was refused keeps nothing: the same key may be used for the right one.
    key = f"k-{uuid.uuid4()}"
    assert core.post("/v1/organizations", {"nam": "K"}, headers={"Idempotency-Key": key}).status == 422
    assert core.post("/v1/organizations", {"name": "K"}, headers={"Idempotency-Key": key}).status == 201
    # 412 keeps nothing either.
    path, key = first.headers["Location"], f"k-{uuid.uuid4()}"
    assert core.patch(path, {"stage": "1"}, headers={"If-Match": '"v9"', "Idempotency-Key": key}).status == 412
    done = core.patch(path, {"stage": "1"}, headers={"If-Match": '"v1"', "Idempotency-Key": key})
    assert done.status == 200
    again = core.patch(path, {"stage": "1"}, headers={"If-Match": '"v1"', "Idempotency-Key": key})
    assert (again.status, again.body, again.headers["Idempotency-Replayed"]) == (200, done.body, "true")
    assert core.get(path).json["version"] == 2


def test_upsert_meets_itself(core, product):
    """Many upserts of one key at once: one record, and the last version counts them."""
    value = f"up-{uuid.uuid4()}"

    def send(i):
        r = core.post("/v1/people/batch", {"mode": "each", "ops": [{"op": "upsert", "match": "external_id", "value": value, "data": {"segment": str(i)}}]})
        assert r.status == 200, r
        return r.json["results"][0]["status"]

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        got = list(pool.map(send, range(18)))
    assert set(got) <= {200, 201, 409, 503} and got.count(201) == 1, got
    rows = product.clusters.rows("core", "SELECT version FROM crm.person WHERE external_id = %s", (value,))
    assert len(rows) == 1 and rows[0][0] == got.count(200) + 1


def test_batch_limits(core, product):
    tag = f"big{uuid.uuid4().hex[:8]}"
    ops = [{"op": "create", "data": {"kind": "web", "channel": tag}} for _ in range(1000)]
    r = core.post("/v1/interactions/batch", {"mode": "each", "ops": ops})
    assert r.status == 200 and {x["status"] for x in r.json["results"]} == {201} and len({x["id"] for x in r.json["results"]}) == 1000
    r = core.post("/v1/interactions/batch", {"ops": ops + ops[:1]})
    assert r.status in (400, 413, 422), r
    assert product.clusters.one("core", "SELECT count(*) FROM crm.interaction WHERE channel = %s", (tag,)) == 1000
    # One wrong operation among many: nothing of an atomic batch is there.
    ops[617] = {"op": "create", "data": {"kind": "web", "channel": tag, "person_id": str(uuid.uuid4())}}
    r = core.post("/v1/interactions/batch", {"mode": "atomic", "ops": ops})
    assert r.status == 422 and r.json["index"] == 617, r
    assert product.clusters.one("core", "SELECT count(*) FROM crm.interaction WHERE channel = %s", (tag,)) == 1000


def test_mass_assignment_through_every_door(core, product):
    person = core.post("/v1/people", {"given_name": "Mass"})
    p = product.clusters.one("core", "SELECT pseudonym::text FROM crm.person WHERE id = %s", (person.json["id"],))
    for name, value in (("version", 99), ("pseudonym", str(uuid.uuid4())), ("lab_ok", False), ("id", str(uuid.uuid4())), ("created_at", "2020-01-01T00:00:00Z"),
                        ("person_pseudonym", str(uuid.uuid4())), ("tableoid", 1), ("ctid", "(0,1)"), ("xmin", 5)):
        for r in (core.post("/v1/people", {name: value}), core.patch(person.headers["Location"], {name: value}, headers={"If-Match": "*"}),
                  core.post("/v1/people/batch", {"ops": [{"op": "create", "data": {name: value}}]}),
                  core.post("/v1/people/batch", {"ops": [{"op": "update", "id": person.json["id"], "if_match": "*", "data": {name: value}}]}),
                  core.post("/v1/people/batch", {"ops": [{"op": "upsert", "match": "external_id", "value": "x", "data": {name: value}}]}),
                  core.post("/v1/cases", {"person_id": person.json["id"], name: value})):
            assert r.status == 422 and name in json.dumps(r.json["errors"]), (name, r)
    for match in ("pseudonym", "id", "email", "version"):
        assert core.post("/v1/people/batch", {"ops": [{"op": "upsert", "match": match, "value": p, "data": {}}]}).status == 422, match
    assert product.clusters.rows("core", "SELECT version, lab_ok, pseudonym::text FROM crm.person WHERE id = %s", (person.json["id"],)) == [(1, True, p)]


def test_consents_belong_to_their_person(core):
    one, two = (core.post("/v1/people", {"given_name": n}).json["id"] for n in ("One", "Two"))
    made = core.post(f"/v1/people/{one}/consents", {"purpose": "marketing", "state": "granted"})
    path = made.headers["Location"]
    foreign = path.replace(one, two)
    for r in (core.get(foreign), core.patch(foreign, {"state": "withdrawn"}, headers={"If-Match": "*"}), core.delete(foreign, headers={"If-Match": "*"})):
        assert r.status == 404, r
    assert core.get(path).json["state"] == "granted"
    r = core.patch(path, {"purpose": "profiling"}, headers={"If-Match": "*"})
    assert r.status in (409, 422) and r.json["retryable"] is False, r
    r = core.post(f"/v1/people/{uuid.uuid4()}/consents", {"purpose": "marketing", "state": "granted"})
    assert r.status in (404, 422), r
    assert core.post(f"/v1/people/{one}/consents", {"purpose": "marketing", "state": "granted"}).status == 409
    assert core.delete(path, headers={"If-Match": made.etag}).status == 204
