"""The seven laws of the house, as far as they are in force: each has its named tests, on real servers that are really broken."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time
import uuid

import psycopg2
import pytest
from load import Load
from product import ROLES, Product

SLOT_WAL_MB = 32
SEGMENT_MB = 16


@pytest.fixture(scope="module")
def broken():
    """A product of its own, whose parts are stopped here."""
    p = Product(slot_wal=f"{SLOT_WAL_MB}MB", settings=("max_wal_size = 64MB", "min_wal_size = 32MB", "wal_sender_timeout = 5s",
                                                       "wal_receiver_timeout = 5s"))
    p.overrides["core"] = "drift: { period: 2s }\n"
    p.start()
    yield p
    p.stop()


def children(pid):
    """All processes below a process, itself first."""
    found = [pid]
    for p in found:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(c) for c in pathlib.Path(f"/proc/{p}/task/{p}/children").read_text().split()]
    return found


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def send(pids, sig):
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, sig)


def postmaster(product, name):
    return int((product.clusters.cluster[name].data / "postmaster.pid").read_text().splitlines()[0])


def feed_heals(product, seconds=30.0):
    """A record written now is seen in the sandbox; the seconds it took."""
    mark = f"heal-{uuid.uuid4().hex[:10]}"
    r = product.core.post("/v1/organizations", {"name": "feed", "stage": mark})
    assert r.status == 201, r
    return product.arrived("SELECT EXISTS (SELECT FROM crm.organization WHERE stage = %s)", (mark,), seconds)


def same_rows(product):
    """The copy holds exactly what core would publish now."""
    for table, key in (("person", "pseudonym"), ("interaction", "id"), ("organization", "id")):
        where = "" if table == "organization" else " WHERE lab_ok"
        want = product.clusters.one("core", f"SELECT md5(coalesce(string_agg({key}::text || version, ',' ORDER BY {key}), '')) FROM crm.{table}{where}")
        product.arrived(f"SELECT md5(coalesce(string_agg({key}::text || version, ',' ORDER BY {key}), '')) = %s FROM crm.{table}", (want,), 20)


# ---- law 1: core never needs the sandbox

def test_law_1_core_does_not_feel_the_sandbox_or_the_airlock(broken):
    core, sandbox, clusters = broken.core, broken.sandbox, broken.clusters
    feed_heals(broken)
    with Load(core, pause=0.03) as load:
        assert load.during(1.0) > 20
        # killed, and started again
        family = children(sandbox.process.pid)
        assert len(family) >= 4
        sandbox.process.kill()
        sandbox.process.wait()
        assert load.during(1.0) > 20
        assert not [p for p in family if alive(p)], "workers outlive their parent"
        sandbox.start(wait=False)
        # frozen
        sandbox.ready()
        family = children(sandbox.process.pid)
        send(family, signal.SIGSTOP)
        frozen = load.during(1.5)
        send(family, signal.SIGCONT)
        assert frozen > 20
        # its PostgreSQL stopped
        clusters.down("sandbox", "fast")
        assert load.during(1.5) > 20
        assert core.get("/readyz", role=None).status == 200
        clusters.up("sandbox")
        # the airlock's PostgreSQL crashed
        clusters.down("airlock", "immediate")
        assert load.during(2.0) > 20
        assert core.get("/readyz", role=None).status == 200
        clusters.up("airlock")
        # the airlock's PostgreSQL frozen: its connections stay open and say nothing
        family = children(postmaster(broken, "airlock"))
        send(family, signal.SIGSTOP)
        frozen = load.during(2.5)
        send(family, signal.SIGCONT)
        assert frozen > 20
        load.during(0.5)
    assert load.failed == [], load.failed[:5]
    assert load.count > 200
    assert load.slowest < 5, load.slowest
    sandbox.ready()
    feed_heals(broken)
    same_rows(broken)
    reply = sandbox.get("/v1/people?limit=1", role="innovator")
    assert reply.status == 200 and len(reply.json["data"]) == 1


def test_law_1_every_part_survives_a_restart(broken):
    core, sandbox, clusters = broken.core, broken.sandbox, broken.clusters
    made = core.post("/v1/people", {"given_name": "Restart", "country": "RS"}, headers={"Idempotency-Key": "restart-1"})
    assert made.status == 201
    # the daemons, gracefully
    assert core.stop() == 0
    assert sandbox.get("/v1/people?limit=1", role="innovator").status == 200
    core.start()
    again = core.post("/v1/people", {"given_name": "Restart", "country": "RS"}, headers={"Idempotency-Key": "restart-1"})
    assert again.status == 201 and again.body == made.body and again.headers["Idempotency-Replayed"] == "true"
    assert sandbox.stop() == 0
    sandbox.start()
    # a worker and the jobs child of core die
    family = children(core.process.pid)
    assert len(family) == 1 + broken.workers + 1
    for victim in family[1:]:
        os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while len(now := children(core.process.pid)) < len(family) or set(now) & set(family[1:]):  # a dead one may not be reaped yet
        assert time.monotonic() < deadline and core.process.poll() is None, now
        time.sleep(0.05)
    core.ready()
    at = clusters.one("core", "SELECT max(at) FROM crm.feed_control")
    clusters.wait("core", "SELECT max(at) > %s FROM crm.feed_control", (at,), 10)
    # core's PostgreSQL goes: refused with a problem, no crash, and back without help
    clusters.down("core", "immediate")
    r = core.get("/v1/people?limit=1")
    assert r.status in (503, 504) and r.headers["Content-Type"] == "application/problem+json", r
    assert core.get("/healthz", role=None).status == 200
    assert core.get("/readyz", role=None).status == 503
    clusters.up("core")
    core.ready(20)
    deadline = time.monotonic() + 10
    while (r := core.post("/v1/people", {"given_name": "After"})).status != 201:
        assert time.monotonic() < deadline and r.status in (503, 504), r
        time.sleep(0.1)
    # the sandbox's PostgreSQL goes
    clusters.down("sandbox", "immediate")
    assert sandbox.get("/v1/people?limit=1", role="innovator").status in (503, 504)
    clusters.up("sandbox")
    sandbox.ready(20)
    feed_heals(broken)
    same_rows(broken)
    assert core.post("/v1/people", {"given_name": "Sealed"}).status == 201
    clusters.wait("core", "SELECT max(b.last_seq) = (SELECT max(l.seq) FROM event.log l) FROM event.block b", None, 30)
    assert clusters.one("core", "SELECT event.verify()") is None


def test_law_1_a_dead_subscriber_does_not_fill_the_disk(broken):
    """Last of this product: the slots are lost here."""
    core, clusters = broken.core, broken.clusters
    clusters.down("airlock", "immediate")
    pg_wal = clusters.cluster["core"].data / "pg_wal"
    with Load(core, threads=2) as load:
        begin = clusters.one("core", "SELECT pg_current_wal_lsn()")
        for _ in range(24):
            clusters.one("core", "SELECT pg_logical_emit_message(false, 'fill', 'x')")
            clusters.one("core", "SELECT pg_switch_wal()")
            time.sleep(0.02)
        written = clusters.one("core", "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s)", (begin,))
        assert written > 300 * 1024 * 1024
        for _ in range(2):
            clusters.rows("core", "CHECKPOINT")
        slots = clusters.rows("core", "SELECT slot_name, active, wal_status, coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)"
                              " FROM pg_replication_slots WHERE slot_name LIKE 'airlock%%'")
        kept = sum(f.stat().st_size for f in pg_wal.iterdir() if f.is_file())
    assert load.failed == [], load.failed[:5]
    assert len(slots) == 2
    for name, active, status, behind in slots:
        assert not active and (status == "lost" or behind <= (SLOT_WAL_MB + 2 * SEGMENT_MB) * 1024 * 1024), (name, status, behind)
    # The limit of the slots, what checkpoints may keep, and a segment or two that are being filled.
    assert kept <= (SLOT_WAL_MB + 64 + 3 * SEGMENT_MB) * 1024 * 1024, kept
    r = core.get("/v1/feed", role="operator")
    assert r.status == 200
    hop = {h["hop"]: h["state"] for h in r.json["hops"]}["core-airlock"]
    assert hop["airlock_reached"] is False
    deadline = time.monotonic() + 10
    while {s["wal_status"] for s in hop["slots"]} != {"lost"}:
        assert time.monotonic() < deadline, hop
        time.sleep(0.2)
        hop = {h["hop"]: h["state"] for h in core.get("/v1/feed", role="operator").json["hops"]}["core-airlock"]
    clusters.up("airlock")


# ---- law 2: the sandbox cannot write core

def test_law_2_the_sandboxes_roles_cannot_write_the_copy(product):
    tables = [r[0] for r in product.clusters.rows("sandbox", "SELECT tablename FROM pg_tables WHERE schemaname = 'crm'")]
    assert {"person", "organization", "interaction", "opportunity", "support_case", "consent"} <= set(tables)
    for role in ("bimodal_app", "bimodal_deployer"):
        db = product.clusters.connect("sandbox", role)
        with db.cursor() as cur:
            for table in tables:
                for sql in (f"DELETE FROM crm.{table}", f"TRUNCATE crm.{table}", f"INSERT INTO crm.{table} DEFAULT VALUES",
                            f"DROP TABLE crm.{table}", f"ALTER TABLE crm.{table} DISABLE TRIGGER ALL"):
                    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                        cur.execute(sql)
            for sql in ("UPDATE crm.person SET country = 'XX'", "SELECT subconninfo FROM pg_subscription", "SELECT passwd FROM pg_shadow",
                        "SELECT pg_read_file('postgresql.conf')", "COPY crm.person TO PROGRAM 'cat'", "CREATE EXTENSION dblink", "CREATE EXTENSION postgres_fdw",
                        "ALTER SUBSCRIPTION sandbox_crm DISABLE"):
                with pytest.raises(psycopg2.Error):
                    cur.execute(sql)
        db.close()
    db = product.clusters.connect("sandbox", "bimodal_app")
    with db.cursor() as cur:
        for role in ("bimodal_owner", "bimodal_apply", "bimodal_deployer", "postgres"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cur.execute(f"SET ROLE {role}")
    db.close()


def test_law_2_no_credential_of_the_sandbox_opens_cores_server(product):
    clusters = product.clusters
    core = clusters.cluster["core"]
    found = dict(clusters.cluster["sandbox"].passwords)
    # What the sandbox's server and the sandbox's daemon keep about others.
    for (conninfo,) in clusters.rows("sandbox", "SELECT subconninfo FROM pg_subscription"):
        parts = dict(re.findall(r"(\w+)=(\S+)", conninfo))
        assert int(parts["port"]) == clusters.cluster["airlock"].port
        found[parts["user"]] = parts["password"]
    config = product.sandbox.config.read_text()
    assert str(core.port) not in re.sub(r"url: \"[^\"]*\"", "", config)
    for path in re.findall(r'"(/[^"]+)"', config):
        if os.path.isfile(path) and not path.endswith(".pid"):
            found[f"file {path}"] = pathlib.Path(path).read_text().strip()
    assert len(found) >= 6
    roles = [r[0] for r in clusters.rows("core", "SELECT rolname FROM pg_roles WHERE rolcanlogin")] + ["bimodal_hop", "bimodal_deployer"]
    for where, secret in found.items():
        for role in roles:
            for more in ({}, {"replication": "database"}):
                with pytest.raises(psycopg2.OperationalError):
                    psycopg2.connect(host="127.0.0.1", port=core.port, user=role, password=secret, dbname="bimodal", connect_timeout=5, **more).close()
    # The control: the right password does open it, so that the refusals above mean something.
    psycopg2.connect(host="127.0.0.1", port=core.port, user="bimodal_app", password=core.passwords["bimodal_app"], dbname="bimodal").close()
    # Nor does the airlock let anything but the replication login in, and that one reads open columns only.
    for role in ("bimodal_app", "bimodal_deployer", "bimodal_executor", "bimodal_owner", "postgres"):
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(host="127.0.0.1", port=clusters.cluster["airlock"].port, user=role, dbname="bimodal",
                             password=clusters.cluster["sandbox"].passwords.get(role, "x"), connect_timeout=5).close()


def test_law_2_a_token_opens_one_daemon_only(product):
    core, sandbox = product.core, product.sandbox
    for role in ROLES:
        for daemon, other in ((core, sandbox), (sandbox, core)):
            for path in ("/v1/people", "/v1/feed", "/v1/me"):
                r = daemon.get(path, token=other.tokens[role])
                assert r.status == 401 and r.json["reason"] == "other-daemon", (daemon.name, role, path, r)
            r = daemon.post("/v1/people", {"given_name": "x"}, token=other.tokens[role])
            assert r.status in (401, 405), r
    # The token the sandbox holds for core is an ordinary one: no record is read or written with it.
    own = (product.dir / "secrets" / "agent-token").read_text().strip()
    some = uuid.uuid4()
    for resource in ("organizations", "people", "consents", "interactions", "opportunities", "cases"):
        assert core.get(f"/v1/{resource}", token=own).status == 403
        assert core.get(f"/v1/{resource}/{some}", token=own).status == 403
        assert core.post(f"/v1/{resource}", {}, token=own).status == 403
        assert core.post(f"/v1/{resource}/batch", {"ops": []}, token=own).status == 403
        assert core.patch(f"/v1/{resource}/{some}", {}, token=own, headers={"If-Match": "*"}).status == 403
        assert core.delete(f"/v1/{resource}/{some}", token=own, headers={"If-Match": "*"}).status == 403
    # The sandbox serves no way to write a record.
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        for path in ("/v1/people", f"/v1/people/{some}"):
            for role in ROLES:
                assert sandbox.request(method, path, {}, role=role).status in (403, 405), (method, path, role)


# ---- law 3: personal data does not leave operations' hands

def found_in(directories, needles):
    """The needles that stand as bytes in any file below the directories."""
    pattern = "\n".join(needles) + "\n"
    done = subprocess.run(["grep", "-raohF", "-f", "-", *map(str, directories)], input=pattern.encode(), capture_output=True, timeout=120, check=False)
    assert done.returncode in (0, 1) or b"No such file" in done.stderr, done.stderr
    return {line.decode() for line in done.stdout.splitlines()}


def test_law_3_no_personal_value_is_found_beyond_core(product):
    clusters, core = product.clusters, product.core
    rows = clusters.rows("core", "SELECT resource, name, class, kind, max_length FROM change.field"
                         " WHERE writable AND class IN ('personal', 'internal') AND kind = 'text' ORDER BY resource, position")
    assert len(rows) >= 20
    secret, count = [], 0

    def mark(max_length):
        nonlocal count
        count += 1
        text = f"zQ{count:03d}{uuid.uuid4().hex}"[:max_length or 60]
        secret.append(text)
        return text

    def values(resource):
        return {name: mark(limit) for r, name, _, _, limit in rows if r == resource}

    given = {"organizations": {}, "people": {"birth_date": "1907-03-29"}, "interactions": {"kind": "call"}, "opportunities": {}, "cases": {}}
    control = f"open{uuid.uuid4().hex}"
    person = core.post("/v1/people", {"given_name": mark(60)}).json["id"]
    secret.append(person)
    # Every field of every resource: created, changed, replaced in a batch, repeated with a key, and some of it deleted.
    for resource, more in given.items():
        link = {"person_id": person} if resource in ("interactions", "opportunities", "cases") else {}
        made = core.post(f"/v1/{resource}", {**more, **link, **values(resource)}, headers={"Idempotency-Key": f"law3-{resource}"})
        assert made.status == 201, made
        changed = core.patch(made.headers["Location"], values(resource), headers={"If-Match": made.etag})
        assert changed.status == 200, changed
        assert core.patch(made.headers["Location"], values(resource), headers={"If-Match": made.etag}).status == 412
        ops = [{"op": "create", "data": {**more, **link, **values(resource)}},
               {"op": "update", "id": made.json["id"], "if_match": "*", "data": values(resource)}]
        assert core.post(f"/v1/{resource}/batch", {"mode": "each", "ops": ops}).status == 200
        assert core.post(f"/v1/{resource}/batch", {"ops": ops}).status in (200, 409)
        if resource in ("people", "organizations"):
            assert core.delete(made.headers["Location"], headers={"If-Match": "*"}).status == 204
        if resource == "people":
            secret.append(made.json["id"])
    # Side doors: texts that are not records, and requests that fail.
    core.get(f"/v1/people?email=eq.{mark(60)}")
    core.get(f"/v1/{mark(30)}")
    core.post("/v1/people", {"given_name": mark(60), "nonsense": mark(60)})
    core.post("/v1/interactions", {"kind": mark(30), "subject": mark(60)})
    key = mark(40)
    core.post("/v1/people", {"email": mark(60)}, headers={"Idempotency-Key": key})
    clusters.rows("core", "INSERT INTO access.principal (name, kind) VALUES (%s, 'user')", (mark(60),))
    consents = f"/v1/people/{person}/consents"
    for state in ("withdrawn", "granted"):
        r = core.post(consents, {"purpose": "analysis", "state": state}) if state == "withdrawn" else \
            core.patch(r.headers["Location"], {"state": state}, headers={"If-Match": "*"})
        assert r.status in (200, 201), r
    assert core.patch(f"/v1/people/{person}", {"stage": control[:50]}, headers={"If-Match": "*"}).status == 200
    product.arrived("SELECT EXISTS (SELECT FROM crm.person WHERE stage = %s)", (control[:50],))
    time.sleep(0.2)
    for name in clusters.names:
        clusters.rows(name, "CHECKPOINT")
    beyond = [clusters.cluster["airlock"].data, clusters.cluster["airlock"].log, clusters.cluster["sandbox"].data, clusters.cluster["sandbox"].log,
              product.sandbox.log, product.sandbox.config]
    # The control: the search finds the open value in all three, and the personal ones in core.
    for name in clusters.names:
        assert control[:50] in found_in([clusters.cluster[name].data], [control[:50]]), name
    in_core = found_in([clusters.cluster["core"].data], secret)
    assert len(in_core) >= 80, (len(in_core), len(secret))
    leaked = found_in(beyond, secret + ["1907-03-29"])
    assert not leaked, f"{len(leaked)} of {len(secret)} marked values left core: {sorted(leaked)[:5]}"
    # No personal value in the log of core either: logs are copied about.
    logged = found_in([product.core.log], [s for s in secret if s != person and s.startswith("zQ")])
    assert not logged, f"in core's own log: {sorted(logged)[:5]}"


# ---- law 4: no schema change without a change

DDL = ["CREATE TABLE crm.x (a int)", "CREATE TABLE public.x (a int)", "CREATE TEMP TABLE x (a int)", "CREATE SCHEMA x", "DROP TABLE crm.consent",
       "ALTER TABLE crm.person ADD COLUMN x int", "ALTER TABLE crm.person DISABLE TRIGGER ALL", "ALTER TABLE crm.person DISABLE ROW LEVEL SECURITY",
       "CREATE INDEX ON crm.person (city)", "DROP INDEX crm.person_email", "CREATE VIEW public.x AS SELECT 1", "CREATE FUNCTION public.x() RETURNS int LANGUAGE sql AS 'SELECT 1'",
       "CREATE FUNCTION pg_temp.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE TYPE public.x AS (a int)", "CREATE SEQUENCE crm.x", "CREATE ROLE x", "ALTER ROLE bimodal_app SUPERUSER",
       "CREATE PUBLICATION x FOR ALL TABLES", "ALTER PUBLICATION bimodal_crm ADD TABLE crm.person", "CREATE EXTENSION dblink", "DO $$ BEGIN EXECUTE 'CREATE TABLE crm.x (a int)'; END $$",
       "SELECT lo_create(0)", "SELECT lo_from_bytea(0, 'x')", "CREATE RULE x AS ON INSERT TO crm.person DO NOTHING", "TRUNCATE crm.consent", "TRUNCATE event.log", "GRANT bimodal_owner TO bimodal_app",
       "GRANT SELECT ON crm.person TO PUBLIC", "COMMENT ON TABLE crm.person IS 'x'", "SET ROLE bimodal_owner", "SET ROLE bimodal_executor", "SET session_replication_role = replica",
       "DROP EVENT TRIGGER bimodal_guard", "ALTER EVENT TRIGGER bimodal_guard DISABLE", "REINDEX TABLE crm.person", "CLUSTER crm.person USING person_pkey", "SELECT crm.partition_ensure(now(), 1)",
       "UPDATE change.field SET class = 'open'", "DELETE FROM change.resource", "INSERT INTO event.log (actor, request_id, op) VALUES ('x', 'x', 'create')", "DELETE FROM change.ledger",
       "UPDATE event.block SET n = 1", "CREATE STATISTICS crm.x ON city, country FROM crm.person", "CREATE DOMAIN public.x AS int", "IMPORT FOREIGN SCHEMA x FROM SERVER y INTO crm",
       "SELECT * INTO crm.x FROM crm.consent", "CREATE TABLE crm.x AS SELECT 1", "CREATE MATERIALIZED VIEW crm.x AS SELECT 1", "CREATE OPERATOR public.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq)"]


@pytest.mark.parametrize("ddl", DDL)
def test_law_4_the_app_role_changes_no_schema(product, ddl):
    for change in ("", "pretended"):
        db = product.clusters.connect("core", "bimodal_app")
        try:
            with db.cursor() as cur:
                cur.execute("SELECT set_config('bimodal.change', %s, false), set_config('bimodal.actor', 'x', false)", (change,))
                with pytest.raises(psycopg2.Error) as e:
                    cur.execute(ddl)
                assert e.value.pgcode in ("42501", "CR003", "CR002", "42602", "0A000"), (ddl, e.value.pgcode, str(e.value))
        finally:
            db.close()


def test_law_4_the_executor_changes_nothing_outside_a_change(product):
    db = product.clusters.connect("core", "bimodal_executor")
    with db.cursor() as cur:
        for sql in ("CREATE TABLE crm.x (a int)", "ALTER TABLE crm.person ADD COLUMN x int", "DROP TABLE crm.consent"):
            with pytest.raises(psycopg2.Error):
                cur.execute(sql)
        cur.execute("SET ROLE bimodal_owner")
        for sql in ("CREATE TABLE crm.x (a int)", "ALTER TABLE crm.person ADD COLUMN x int", "DROP TABLE crm.consent"):
            with pytest.raises(psycopg2.Error) as e:
                cur.execute(sql)
            assert e.value.pgcode == "CR003"
    db.close()


def test_law_4_the_ledger_is_whole_and_tells_every_change(product):
    core = product.clusters
    assert core.rows("core", "SELECT * FROM change.ledger_broken") == []
    refs = [r[0] for r in core.rows("core", "SELECT ref FROM change.ledger WHERE kind LIKE 'change%' OR kind LIKE 'base%' ORDER BY seq")]
    from clusters import changes
    assert [c for c in changes("core") if not any(c in r for r in refs)] == [], refs
    for sql in ("UPDATE change.ledger SET actor = 'x'", "DELETE FROM change.ledger", "TRUNCATE change.ledger"):
        for role in ("bimodal_app", "bimodal_executor"):
            with pytest.raises(psycopg2.Error):
                core.rows("core", sql, role=role)


def test_law_4_a_table_made_by_hand_is_reported_as_drift(broken):
    """By a superuser past the guard, in the one place where only the fingerprint can see it."""
    core, clusters = broken.core, broken.clusters

    def drift():
        r = core.get("/v1/drift", role="operator")
        assert r.status == 200, r
        return r.body.decode()

    assert "made_by_hand" not in drift()
    db = clusters.connect("core")
    try:
        with db.cursor() as cur:
            cur.execute("SET session_replication_role = replica")
            cur.execute("CREATE TABLE crm.made_by_hand (a int)")
            deadline = time.monotonic() + 15
            while "made_by_hand" not in drift():
                assert time.monotonic() < deadline, drift()
                time.sleep(0.2)
            cur.execute("DROP TABLE crm.made_by_hand")
            deadline = time.monotonic() + 15
            while "made_by_hand" in drift():
                assert time.monotonic() < deadline, drift()
                time.sleep(0.2)
    finally:
        db.close()
