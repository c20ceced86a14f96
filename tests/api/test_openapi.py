"""The description of the API: it is valid, it is what is served, and it shows each caller what he may use and nothing else. That every
reply fits it is looked at with every request of every scenario test (tests/support/described.py)."""
import json
import random
import re
import subprocess
import time

import described
import documents
import pytest
import rights
import shapes
import traced
from clusters import ROOT
from product import BUILD, ROLES

DAEMONS = ("core", "sandbox")
NODE = ROOT / "shared" / "console" / "node_modules"
FIELDS = ("SELECT r.name, f.name, f.class FROM change.field f JOIN change.resource r ON r.name = f.resource")
SYSTEM = {"id", "version", "created_at", "updated_at", "pseudonym", "person_pseudonym"}
# Everybody may do this to himself, nobody else but an operator to others: the table tells of others.
TO_HIMSELF = {("DELETE", "/v1/users/{id}/sessions")}


def document(daemon, role, **kw):
    r = daemon.get("/v1/openapi.json", role=role, **kw)
    assert r.status == 200, r
    return r.json


def resource_of(path):
    return (path.split("/") + [""])[2]


def operations(doc):
    return {(method.upper(), path) for path, item in doc["paths"].items() for method in item}


def described_by(daemon, role, wanted, seconds=30):
    """Every worker describes it so."""
    deadline, good = time.monotonic() + seconds, 0
    while good < 6 * daemon.product.workers:
        good = good + 1 if wanted(document(daemon, role)) else 0
        assert time.monotonic() < deadline, f"{role} is not shown the schema as it is now"


def node(*argv, **kw):
    return subprocess.run(["node", *map(str, argv)], cwd=ROOT, capture_output=True, text=True, timeout=120, **kw)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_documents_of_the_tree_are_current(product, daemon):
    said = getattr(product, daemon).command("--print-openapi")
    assert said == documents.path_of(daemon).read_text(), "run: make openapi"


def test_every_document_is_valid(product, tmp_path):
    """The whole ones, and masked ones: what was left out leaves no reference behind. And the linter finds what is wrong."""
    files = [documents.path_of(d) for d in DAEMONS]
    for daemon, role in (("core", "service"), ("sandbox", "agent")):
        files.append(tmp_path / f"{daemon}-{role}.json")
        files[-1].write_bytes(getattr(product, daemon).get("/v1/openapi.json", role=role).body)
    broken = json.loads(files[-1].read_text())
    broken["paths"]["/v1/me"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"] += "-not"
    files.append(tmp_path / "broken.json")
    files[-1].write_text(json.dumps(broken))
    done = node("tests/lint/openapi.mjs", *files)
    *found, total = done.stdout.splitlines()
    assert done.returncode == 1 and total.startswith("5 document(s), "), done.stdout + done.stderr
    assert [f for f in found if "broken.json" not in f] == [], done.stdout
    assert any("no-unresolved-refs" in f for f in found)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_everything_served_is_described_and_nothing_else(daemon):
    whole = json.loads(documents.path_of(daemon).read_text())
    table = {(key[1], described_path(key)) for key in dict(rights.wanted()) if key[0] == daemon}
    assert operations(whole) == table
    described_names = set()
    for file in [*ROOT.glob("shared/*/api.json"), *ROOT.glob(f"{daemon}/*/api.json")]:
        described_names |= set(json.loads(file.read_text()).get("operations", ()))
    assert described_names == {r["name"] for r in rights.routes(daemon)}, "an api.json describes a route that is not served"
    ids = [o["operationId"] for item in whole["paths"].values() for o in item.values()]
    assert len(ids) == len(set(ids))


def described_path(key):
    pattern, resource = key[2], key[3] if len(key) > 3 else None
    if resource is not None:
        pattern = pattern.replace("{resource:slug}", resource).replace("{parent:slug}", "people")
    return re.sub(r":\w+\}", "}", pattern)


@pytest.mark.parametrize("daemon", DAEMONS)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_the_routes_it_may_use(product, daemon, role):
    """The same table that says who gets through (rights.table) says what the document shows."""
    shown = operations(document(getattr(product, daemon), role))
    may = {(key[1], described_path(key)) for key, who in rights.table().items() if key[0] == daemon and who & {role, "anybody"}}
    assert may - shown == set(), "may be used, but is not shown"
    assert shown - may <= TO_HIMSELF, "is shown, but may not be used"


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_the_fields_of_its_classes(core, product, role):
    _, read, write = rights.MATRIX[role]
    doc = document(core, role)
    shown = {name.split(".")[0]: set(s["properties"]) for name, s in doc["components"].get("schemas", {}).items() if name.endswith(".Record")}
    taken = {name.split(".")[0]: set(s["properties"]) for name, s in doc["components"].get("schemas", {}).items() if name.endswith(".Create")}
    if role == "service":
        assert shown == {} and "Record" not in json.dumps(doc)
        return
    assert set(shown) == set(rights.RESOURCES)
    assert set(taken) == (set(rights.RESOURCES) if role == "agent" else set())
    rows = product.clusters.rows("core", FIELDS)
    for resource in shown:
        fields = {f: cls for r, f, cls in rows if r == resource}
        assert shown[resource] - SYSTEM == {f for f, cls in fields.items() if cls in read} - SYSTEM
        filters = {p["name"] for p in doc["paths"][f"/v1/{resource}"]["get"]["parameters"] if "name" in p} - {"sort", "fields"}
        assert filters - SYSTEM <= {f for f, cls in fields.items() if cls in read}
        assert not taken.get(resource, set()) - {f for f, cls in fields.items() if cls in write}
    hidden = {f for _, f, cls in rows if cls not in read} - {f for _, f, cls in rows if cls in read} - SYSTEM
    records = {"paths": {p: item for p, item in doc["paths"].items() if resource_of(p) in rights.RESOURCES},
               "schemas": {n: s for n, s in doc["components"]["schemas"].items() if "." in n}}
    assert names(records) & (hidden | {f"-{f}" for f in hidden}) == set(), "fields that this role may not see are named"


def names(thing):
    """Every property, parameter and field to choose from that is named in it."""
    found = set()
    if isinstance(thing, dict):
        found |= set(thing.get("properties", ())) | {v for v in [thing.get("name")] if isinstance(v, str)}
        if thing.get("in") == "query" and thing["schema"]["type"] == "array":
            found |= set(thing["schema"]["items"]["enum"])
        thing = list(thing.values())
    for part in thing if isinstance(thing, list) else ():
        found |= names(part)
    return found


def test_a_narrow_token_sees_a_narrow_document(core):
    made = core.post("/v1/tokens", {"audience": "core", "expires_at": "2099-01-01T00:00:00Z", "scopes": ["me.read", "people.read"]}, role="agent")
    if made.status == 422:      # a token ends at the latest when the configuration says
        latest = re.search(r"\d{4}-[^ \"]+Z", made.json["detail"])[0]
        made = core.post("/v1/tokens", {"audience": "core", "expires_at": latest, "scopes": ["me.read", "people.read"]}, role="agent")
    # Workers learn of it one by one.
    deadline, r = time.monotonic() + 30, None
    while r is None or r.status != 200:
        assert time.monotonic() < deadline, f"no worker knows the token: {r}"
        r = core.get("/v1/openapi.json", token=made.json["token"])
    doc = r.json
    records = {p for p in doc["paths"] if resource_of(p) in rights.RESOURCES}
    assert records == {"/v1/people", "/v1/people/{id}", "/v1/people/{id}/history", "/v1/people/{id}/360"}
    assert {m for p in records for m in doc["paths"][p]} == {"get"}
    text = json.dumps(doc["components"])
    for other in set(rights.RESOURCES) - {"people"}:
        assert f"{other}." not in text, f"{other} is named, and may not be read"
    assert set(doc["components"]["schemas"]["PersonWhole"]["properties"]) == {"profile", "values"}


def test_nobody_and_who_asks_again(core, sandbox):
    for daemon in (core, sandbox):
        assert daemon.get("/v1/openapi.json", role=None).status == 401
        first = daemon.get("/v1/openapi.json", role="agent")
        again = daemon.get("/v1/openapi.json", role="agent", headers={"If-None-Match": first.etag})
        assert again.status == 304 and again.body == b"" and again.etag == first.etag
        other = daemon.get("/v1/openapi.json", role="operator", headers={"If-None-Match": first.etag})
        assert other.status == 200 and other.etag != first.etag
        assert first.headers["Cache-Control"] == "private, no-cache"


def test_the_description_follows_the_schema(core, product):
    """A field that a change adds is there with the next generation, for those who may see its class."""
    c = product.clusters
    before = core.get("/v1/openapi.json", role="operator").etag
    c.owner("core", "alter table crm.organization add column openapi_probe text; insert into change.field (resource, name, position, type, class, kind, required,"
            " writable, filterable, sortable) values ('organizations', 'openapi_probe', 900, 'text', 'internal', 'text', false, true, false, false);"
            " update change.state set schema_generation = schema_generation + 1")
    try:
        described_by(core, "operator", lambda d: "openapi_probe" in d["components"]["schemas"]["organizations.Record"]["properties"])
        described_by(core, "innovator", lambda d: "openapi_probe" not in json.dumps(d))
        assert core.get("/v1/openapi.json", role="operator").etag != before
    finally:
        c.owner("core", "delete from change.field where name = 'openapi_probe'; alter table crm.organization drop column openapi_probe;"
                " update change.state set schema_generation = schema_generation + 1")
        described_by(core, "operator", lambda d: "openapi_probe" not in json.dumps(d))


def test_the_validator_can_fail():
    """A reply that does not fit is refused, whatever is wrong with it."""
    doc = described.of_tree("core")
    good = {"status": "ok", "version": "1"}
    head = {"Content-Type": "application/json", "Request-Id": "01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f"}
    doc.check("GET", "/healthz", 200, head, json.dumps(good).encode())
    for status, headers, body in ((200, head, {"status": "ok"}), (200, head, {**good, "more": 1}), (200, head, {**good, "version": 1}), (202, head, good),
                                  (200, {**head, "Content-Type": "text/html"}, good), (200, {"Content-Type": "application/json"}, good), (404, head, good)):
        with pytest.raises(AssertionError):
            doc.check("GET", "/healthz", status, headers, json.dumps(body).encode())
    with pytest.raises(AssertionError):
        doc.check("GET", "/v1/nothing/like/this/at/all", 200, head, b"{}")


def unfit(rnd, value):
    """The value with something in it changed."""
    if isinstance(value, dict) and value and rnd.random() < 0.8:
        name = rnd.choice(sorted(value))
        changed = {**value, name: unfit(rnd, value[name])}
        return rnd.choice([changed, changed, {k: v for k, v in value.items() if k != name}, {**value, "more": 1}])
    if isinstance(value, list) and value and rnd.random() < 0.8:
        return [unfit(rnd, value[0]), *value[1:]]
    return rnd.choice([None, True, 0, 1.0, 1.5, -1, "", "x", "2026-01-01", "2026-01-01T00:00:00Z", [], {}, [1], {"a": 1}, value])


def sample(rnd, schema, whole):
    """A value that may well fit the schema."""
    if schema is True:
        return rnd.choice([1, "x", None])
    if "$ref" in schema:
        return sample(rnd, shapes.target(whole, schema["$ref"]), whole)
    if "anyOf" in schema:
        return sample(rnd, rnd.choice(schema["anyOf"]), whole)
    if "enum" in schema or "const" in schema:
        return rnd.choice(schema.get("enum") or [schema["const"]])
    kind = schema.get("type", "object")
    kind = rnd.choice(kind) if isinstance(kind, list) else kind
    if kind == "object":
        made = {name: sample(rnd, s, whole) for name, s in schema.get("properties", {}).items() if name in schema.get("required", ()) or rnd.random() < 0.7}
        more = schema.get("additionalProperties")
        return {**made, "another": sample(rnd, more, whole)} if isinstance(more, dict) else made
    if kind == "array":
        return [sample(rnd, schema.get("items", True), whole) for _ in range(rnd.randrange(3))]
    texts = {"uuid": "01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f", "date-time": "2026-01-01T10:00:00.5+01:00", "date": "2026-01-01"}
    return {"string": texts.get(schema.get("format"), "text"), "integer": 3, "number": 3.5, "boolean": True, "null": None}[kind]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_the_quick_validator_judges_as_the_library_does(daemon):
    """tests/support/shapes.py against jsonschema, on values that fit and on values that nearly do."""
    doc, rnd, verdicts = described.of_tree(daemon), random.Random(8), {True: 0, False: 0}
    for name, schema in doc.whole["components"]["schemas"].items():
        judge, quick = described.library(schema, doc.whole), doc.shapes.shape(schema)
        for _ in range(6):
            value = sample(rnd, schema, doc.whole)
            for v in (value, unfit(rnd, value), unfit(rnd, unfit(rnd, value))):
                assert quick(v) is judge.is_valid(v), f"{name}: {json.dumps(v)}"
                verdicts[quick(v)] += 1
    assert min(verdicts.values()) > 100, verdicts


# ---- what the command line was told

def test_the_command_line_traces(product, core, sandbox, tmp_path):
    token, trace = tmp_path / "token", tmp_path / "trace"
    token.write_text(core.tokens["operator"])

    def bimodal(*words, address=f"http://127.0.0.1:{core.port}", **kw):
        return subprocess.run([BUILD / "bimodal", "--trace", trace, "--var", tmp_path / "var", "--core", address, *words], capture_output=True, text=True,
                              timeout=60, **kw)
    done = bimodal("--token-file", token, "user", "list", "limit=1")
    assert done.returncode == 0 and trace.stat().st_mode & 0o777 == 0o600, done
    (line,) = map(json.loads, trace.read_text().splitlines())
    assert {k: line[k] for k in ("daemon", "method", "target", "status")} == {"daemon": "core", "method": "GET", "target": "/v1/users?limit=1", "status": 200}
    assert json.loads(line["body"])["data"] and line["bytes"] == len(line["body"].encode()) and 0 < line["ms"] < 60000
    assert ["Request-Id", line["request_id"]] in line["headers"] and re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", line["at"])
    # No credential is written, neither those of the request nor what is shown once.
    name, password = f"trace-{time.monotonic_ns()}", "a quiet harbour at 6 in the morning"
    assert bimodal("--token-file", token, "user", "add", name, "--roles", "agent").returncode == 0
    secret = bimodal("--token-file", token, "--quiet", "password", "reset", name).stdout.strip()
    assert bimodal("password", "set", input=f"{secret}\n{password}\n").returncode == 0
    assert bimodal("sign-in", name, input=f"{password}\n").returncode == 0
    made = bimodal("--token-file", token, "--quiet", "token", "create", "--days", "1").stdout.strip()
    kept = [p.read_text().strip() for p in (tmp_path / "var" / "tokens").iterdir()]
    text = trace.read_text()
    assert len(kept) == 2 and re.fullmatch(r"bm_core_[\w-]{43}", made)
    for hidden in (core.tokens["operator"], secret, password, made, *kept):
        assert hidden not in text
    assert "Authorization" not in text and re.search(r"bm_(core|sandbox)_[\w-]{43}", text) is None
    assert re.findall(r'"Set-Cookie","([^"]*)"', text)[0].startswith("bimodal=…; ") and text.count('\\"token\\":\\"…\\"') == 3
    # Without a reply, too.
    assert bimodal("--token-file", token, "user", "list", address="http://127.0.0.1:1").returncode == 1
    line = json.loads(trace.read_text().splitlines()[-1])
    assert line["status"] == 0 and "onnect" in line["error"]
    assert traced.judge((core, sandbox), trace.read_text()) == len(trace.read_text().splitlines()) > 8
    # What others may read, or what is not there, is refused before anything is asked.
    before = trace.read_text()
    trace.chmod(0o640)
    done = bimodal("--token-file", token, "user", "list")
    assert done.returncode == 2 and "chmod 0600" in done.stderr and trace.read_text() == before
    done = subprocess.run([BUILD / "bimodal", "doctor"], env={"BIMODAL_TRACE": f"{tmp_path}/none/trace"}, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "--trace" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("daemon", DAEMONS)
def test_secrets_are_described_as_such(daemon):
    """What the trace leaves out by its name (shared/cli/trace.c) is what the description calls a password."""
    schemas = json.loads(documents.path_of(daemon).read_text())["components"]["schemas"]
    texts = [(name, s) for schema in schemas.values() for name, s in schema.get("properties", {}).items() if s.get("type") == "string"]
    by_name = {name for name, _ in texts if name.endswith(("token", "secret", "password"))}
    assert all(s.get("format") == "password" for name, s in texts if name in by_name)
    # The two of a change of password are sent, never answered.
    assert {name for name, s in texts if s.get("format") == "password"} - {"old", "new"} == by_name


def test_the_client_compiles_and_talks(core, tmp_path):
    """The types that are made of the document, strictly: what is wrong in tests/console/client.ts must not compile; then it runs."""
    out = tmp_path / "client"
    done = node(NODE / "typescript" / "bin" / "tsc", "-p", ROOT / "tests" / "console" / "tsconfig.json", "--outDir", out)
    assert done.returncode == 0, done.stdout + done.stderr
    done = node(out / "tests" / "console" / "client.js", f"http://127.0.0.1:{core.port}", core.tokens["agent"])
    assert done.returncode == 0 and done.stdout.startswith("good "), done.stdout + done.stderr
    assert traced.judge((core,), done.stderr) == 6
