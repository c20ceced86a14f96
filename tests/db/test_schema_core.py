"""Core's base schema: what applies, what is refused, what is logged, what is found when it is tampered with."""
import hashlib
import pathlib
import sys
import threading
import time
import uuid

import psycopg2
import psycopg2.errors
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from clusters import SQL, Clusters, changes  # noqa: E402
from schema_fixtures import children, insert, pair, person, session, unique  # noqa: E402


@pytest.fixture(scope="module")
def core():
    c = Clusters(names=("core",))
    try:
        c.start(loaded=("core",))
        yield c
    finally:
        c.stop()


@pytest.fixture
def app(core):
    with session(core, "core", "bimodal_app") as cur:
        yield cur


@pytest.fixture
def executor(core):
    with session(core, "core", "bimodal_executor", actor="system:jobs") as cur:
        yield cur


def refused(cur, sql, sqlstate, args=None):
    with pytest.raises(psycopg2.Error) as e:
        cur.execute(sql, args)
    assert e.value.pgcode == sqlstate, e.value
    return e.value


def fingerprint(core):
    return core.one("core", "SELECT change.fingerprint()", role="bimodal_executor")


# -- changes

@pytest.mark.parametrize("change", changes("core"))
def test_verify_passes(core, change):
    assert core.verify("core", change) == []


@pytest.mark.parametrize("setting, same", [("bimodal.note = 'x'", True), ("work_mem = '8MB'", False)])
def test_settings_of_the_database_count_but_for_our_own_notes(core, setting, same):
    before = fingerprint(core)
    core.rows("core", f"ALTER DATABASE bimodal SET {setting}")
    changed = fingerprint(core)
    core.rows("core", f"ALTER DATABASE bimodal RESET {setting.split()[0]}")
    assert (changed == before) is same


def test_change_0_may_run_again(core):
    before = fingerprint(core)
    core.rows("core", "SET bimodal.change = 'genesis';" + (SQL / "core" / "genesis" / "up.sql").read_text())
    assert fingerprint(core) == before


def test_down_then_up_gives_the_same_fingerprint():
    """From the last change to the first. What a down leaves is what the up of the change before it gives, which is looked at next; but the down
    of 0010, which cannot be changed any more, takes back a right that 0004 had given already."""
    c = Clusters(names=("core",))
    try:
        c.start(loaded=("core",))
        for name in reversed(changes("core")):
            before = dict(((k, i), d) for k, i, d in c.rows("core", "SELECT * FROM change.fingerprint_lines()"))
            c.apply("core", name, "down")
            c.apply("core", name)
            after = dict(((k, i), d) for k, i, d in c.rows("core", "SELECT * FROM change.fingerprint_lines()"))
            known = {("function", "change.published_columns()")} if name == "0004_crm" else set()
            assert {k for k in before.keys() | after.keys() if before.get(k) != after.get(k)} == known, name
            c.apply("core", name, "down")
    finally:
        c.stop()


def test_a_hand_made_table_changes_the_fingerprint(core):
    before = fingerprint(core)
    core.rows("core", "SET bimodal.change = 'by hand'; CREATE TABLE crm.by_hand (id int)")
    try:
        assert fingerprint(core) != before
        assert core.rows("core", "SELECT id FROM change.fingerprint_lines() WHERE class = 'relation'"
                         " AND id = 'crm.by_hand'") == [("crm.by_hand",)]
    finally:
        core.rows("core", "SET bimodal.change = 'by hand'; DROP TABLE crm.by_hand")
    assert fingerprint(core) == before


@pytest.mark.parametrize("do, undo", [
    ("ALTER TABLE crm.person ALTER stage SET DEFAULT 'x'", "ALTER TABLE crm.person ALTER stage DROP DEFAULT"),
    ("CREATE INDEX by_hand ON crm.person (segment)", "DROP INDEX crm.by_hand"),
    ("GRANT TRUNCATE ON crm.person TO bimodal_app", "REVOKE TRUNCATE ON crm.person FROM bimodal_app"),
    ("ALTER ROLE bimodal_app BYPASSRLS", "ALTER ROLE bimodal_app NOBYPASSRLS"),
    ("ALTER TABLE crm.person DISABLE TRIGGER record", "ALTER TABLE crm.person ENABLE TRIGGER record"),
    ("ALTER PUBLICATION bimodal_registry SET (publish = 'insert')",
     "ALTER PUBLICATION bimodal_registry SET (publish = 'insert, update, delete')"),
])
def test_drift_shows(core, do, undo):
    before = fingerprint(core)
    core.rows("core", f"SET bimodal.change = 'by hand'; {do}")
    changed = fingerprint(core)
    core.rows("core", f"SET bimodal.change = 'by hand'; {undo}")
    assert changed != before
    assert fingerprint(core) == before


def test_new_partitions_do_not_change_the_fingerprint_but_an_altered_one_does(core, executor):
    before = fingerprint(core)
    executor.execute("SELECT crm.partition_ensure('2031-01-01', 2)")
    assert executor.fetchone()[0] == 2
    executor.execute("SELECT crm.partition_ensure('2031-01-01', 2)")
    assert executor.fetchone()[0] == 0
    assert fingerprint(core) == before
    core.rows("core", "SET bimodal.change = 'by hand';"
              " CREATE INDEX by_hand ON crm.interaction_2031_01 (kind)")
    assert fingerprint(core) != before
    core.rows("core", "SET bimodal.change = 'by hand'; DROP INDEX crm.by_hand")
    assert fingerprint(core) == before


def test_closure_hash_sees_only_what_the_change_touches(core):
    def closure(*objects):
        return core.one("core", "SELECT change.closure_hash(%s)", (list(objects),), "bimodal_executor")

    person_before, case_before = closure("crm.person"), closure("crm.support_case")
    absent = closure("feature_x")
    core.rows("core", "SET bimodal.change = 'x'; CREATE VIEW crm.dependant AS SELECT id FROM crm.person;"
              " CREATE SCHEMA feature_x")
    assert closure("crm.person") != person_before
    assert closure("crm.support_case") == case_before
    assert closure("feature_x") != absent
    core.rows("core", "SET bimodal.change = 'x'; DROP VIEW crm.dependant; DROP SCHEMA feature_x")
    assert closure("crm.person") == person_before
    assert closure("feature_x") == absent


# -- law 4 and the app role

@pytest.mark.parametrize("sql", [
    "CREATE TABLE crm.x (id int)", "CREATE TABLE public.x (id int)", "CREATE SCHEMA x",
    "ALTER TABLE crm.person ADD COLUMN x int", "DROP TABLE crm.person", "CREATE TEMP TABLE x (id int)",
    "CREATE FUNCTION crm.x() RETURNS int LANGUAGE sql AS 'SELECT 1'", "DROP PUBLICATION bimodal_crm",
    "ALTER TABLE crm.person DISABLE TRIGGER ALL",
])
def test_the_app_role_has_no_ddl(app, sql):
    refused(app, sql, "CR003")
    app.execute("SET bimodal.change = 'forged'")
    refused(app, sql, "CR003")


@pytest.mark.parametrize("sql", [
    "TRUNCATE crm.person", "SET ROLE bimodal_owner", "CREATE ROLE x", "ALTER SYSTEM SET work_mem = '1GB'",
    "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_put(1, 0, 'x')",
    "SELECT pg_read_file('/etc/passwd')", "SET session_replication_role = replica",
    "INSERT INTO event.log (actor, request_id, op) VALUES ('x', 'x', 'create')", "UPDATE event.log SET actor = 'x'",
    "DELETE FROM event.log", "INSERT INTO event.block SELECT", "SELECT event.seal(1)",
    "UPDATE change.ledger SET actor = 'x'", "DELETE FROM access.token_published",
    "SELECT pg_create_logical_replication_slot('x', 'test_decoding')", "UPDATE change.state SET fingerprint = 'x'",
])
def test_the_app_role_may_not(app, sql):
    assert refused(app, sql, "42501")


def test_the_executor_needs_a_change(core):
    with session(core, "core", "bimodal_executor", actor=None) as cur:
        cur.execute("SET ROLE bimodal_owner")
        refused(cur, "CREATE TABLE crm.x (id int)", "CR003")
    with pytest.raises(psycopg2.Error) as e:
        core.rows("core", "CREATE TABLE crm.x (id int)")
    assert e.value.pgcode == "CR003"


def test_a_feature_login_cannot_change_settings_or_read_personal_columns(core):
    core.rows("core", "CREATE ROLE feature_probe LOGIN PASSWORD 'probe'; GRANT bimodal_feature TO feature_probe")
    core.cluster["core"].passwords["feature_probe"] = "probe"
    try:
        with session(core, "core", "feature_probe", actor=None) as cur:
            refused(cur, "SELECT set_config('statement_timeout', '0', false)", "42501")
            refused(cur, "SELECT email FROM crm.person", "42501")
            refused(cur, "SELECT id FROM crm.person", "42501")
            refused(cur, "SELECT * FROM event.log", "42501")
            cur.execute("SELECT pseudonym, country FROM crm.person LIMIT 1")
    finally:
        core.rows("core", "DROP ROLE feature_probe")


# -- the event log

def test_a_write_without_an_actor_is_refused(core):
    with session(core, "core", "bimodal_app", actor=None) as cur:
        refused(cur, "INSERT INTO crm.person (email) VALUES ('a@example.org')", "CR001")
    assert core.rows("core", "SELECT 1 FROM crm.person WHERE email = 'a@example.org'") == []


def test_events_have_both_images_and_no_secret_field(core, app):
    pid, pseudonym = person(app, email="b@example.org")
    app.execute("UPDATE crm.person SET city = 'Wien' WHERE id = %s", (pid,))
    kids = children(app, pid)
    app.execute("DELETE FROM crm.person WHERE id = %s", (pid,))
    app.execute("SELECT op, version, before, after, actor, request_id, salt FROM event.log"
                " WHERE resource = 'people' AND record_id = %s ORDER BY seq", (pid,))
    create, update, delete = app.fetchall()
    assert (create[0], create[1], create[2], create[3]["email"]) == ("create", 1, None, "b@example.org")
    assert (update[0], update[1], update[2]["city"], update[3]["city"]) == ("update", 2, None, "Wien")
    assert (delete[0], delete[2]["city"], delete[3]) == ("delete", "Wien", None)
    assert {(r[4], r[5]) for r in (create, update, delete)} == {("user:test", "req-1")}
    assert all(len(bytes(r[6])) == 16 for r in (create, update, delete))
    app.execute("SELECT count(*) FROM event.log WHERE before::text LIKE %s OR after::text LIKE %s",
                (f"%{pseudonym}%",) * 2)
    assert app.fetchone()[0] == 0
    # The cascade deleted the children under the same actor.
    app.execute("SELECT resource, actor FROM event.log WHERE op = 'delete' AND record_id = ANY (%s)",
                (list(kids.values()),))
    assert sorted(app.fetchall()) == [(r, "user:test") for r in ("cases", "consents", "interactions")]


def test_a_note_is_logged_and_cannot_pose_as_a_write(app):
    rid = uuid.uuid4()
    app.execute("SELECT event.note('people', %s, 'resolve', '{\"why\": \"call\"}')", (rid,))
    app.execute("SELECT op, actor FROM event.log WHERE record_id = %s", (rid,))
    assert app.fetchall() == [("resolve", "user:test")]
    refused(app, "SELECT event.note('people', gen_random_uuid(), 'update', NULL)", "CR002")


def seal_all(cur):
    total = 0
    while True:
        cur.execute("SELECT event.seal(1000)")
        n = cur.fetchone()[0]
        if n == 0:
            return total
        total += n


def test_seal_verify_erase_tamper(core, app, executor):
    pid, _ = person(app, email="c@example.org")
    app.execute("UPDATE crm.person SET email = 'd@example.org' WHERE id = %s", (pid,))
    other, _ = person(app, email="e@example.org")
    assert seal_all(executor) >= 3
    app.execute("SELECT event.verify()")
    assert app.fetchone()[0] is None

    app.execute("SELECT event.erase('people', %s)", (pid,))
    assert app.fetchone()[0] == 2
    app.execute("SELECT before, after, salt FROM event.log WHERE record_id = %s AND op <> 'erase'", (pid,))
    assert app.fetchall() == [(None, None, None)] * 2
    seal_all(executor)
    app.execute("SELECT event.verify()")
    assert app.fetchone()[0] is None

    # Even the owner cannot edit; whoever switches the trigger off is found.
    def tamper(sql):
        db = core.connect("core", autocommit=False)
        with db.cursor() as cur:
            cur.execute("SET session_replication_role = replica")
            cur.execute(sql, (other,))
            cur.execute("SELECT event.verify()")
            found = cur.fetchone()[0]
        db.rollback()
        db.close()
        return found

    with pytest.raises(psycopg2.Error) as e:
        core.rows("core", "UPDATE event.log SET actor = 'nobody' WHERE record_id = %s", (other,))
    assert e.value.pgcode == "CR002"
    assert tamper("UPDATE event.log SET actor = 'nobody' WHERE record_id = %s") is not None
    assert tamper("UPDATE event.log SET after = after || '{\"email\": \"x\"}' WHERE record_id = %s") is not None
    assert tamper("DELETE FROM event.log WHERE record_id = %s") is not None
    # Taking the payload away without an erasure in the log is tampering too.
    assert tamper("UPDATE event.log SET before = NULL, after = NULL, salt = NULL WHERE record_id = %s") is not None
    app.execute("SELECT event.verify()")
    assert app.fetchone()[0] is None


def test_seal_waits_for_older_transactions(core, app, executor):
    seal_all(executor)
    db = core.connect("core", "bimodal_app", autocommit=False)
    with db.cursor() as cur:
        cur.execute("SELECT set_config('bimodal.actor', 'user:slow', true)")
        slow, _ = person(cur)
        fast, _ = person(app)
        assert seal_all(executor) == 0
        db.commit()
    assert seal_all(executor) == 2
    db.close()
    app.execute("SELECT record_id FROM event.log WHERE record_id IN (%s, %s) ORDER BY xid, seq", (slow, fast))
    assert [r[0] for r in app.fetchall()] == [slow, fast]


# -- the ledger and requests

def test_the_ledger_is_append_only_and_tampering_is_found(core, app):
    app.execute("SELECT change.ledger_append('user:test', 'test.kind', 'ref-1', '{\"a\": 1}')")
    seq = app.fetchone()[0]
    for sql in ("UPDATE change.ledger SET body = '{}' WHERE seq = %s", "DELETE FROM change.ledger WHERE seq = %s"):
        with pytest.raises(psycopg2.Error) as e:
            core.rows("core", sql, (seq,))
        assert e.value.pgcode == "CR002"
    with pytest.raises(psycopg2.Error) as e:
        core.rows("core", "TRUNCATE change.ledger")
    assert e.value.pgcode == "CR002"
    assert core.rows("core", "SELECT seq FROM change.ledger_broken") == []
    for sql in ("UPDATE change.ledger SET body = '{\"a\": 2}' WHERE seq = %s",
                "UPDATE change.ledger SET actor = 'user:other' WHERE seq = %s",
                "UPDATE change.ledger SET ref = 'ref-2' WHERE seq = %s"):
        db = core.connect("core", autocommit=False)
        with db.cursor() as cur:
            cur.execute("SET session_replication_role = replica")
            cur.execute(sql, (seq,))
            cur.execute("SELECT seq FROM change.ledger_broken")
            assert cur.fetchall() == [(seq,)]
        db.rollback()
        db.close()
    db = core.connect("core", autocommit=False)
    with db.cursor() as cur:
        cur.execute("SET session_replication_role = replica")
        cur.execute("DELETE FROM change.ledger WHERE seq = 2")
        cur.execute("SELECT count(*) > 0 FROM change.ledger_broken")
        assert cur.fetchone()[0]
    db.rollback()
    db.close()


def test_the_genesis_is_the_hash_of_change_0(core):
    assert bytes(core.one("core", "SELECT prev FROM change.ledger WHERE seq = 1")).hex() == core.genesis_hash


def test_an_approval_is_of_the_bytes_shown_and_never_the_authors(app, executor):
    author, sender, other = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    names = unique("b"), unique("t")
    for name in names:
        insert(executor, "access.principal", name=name, kind="user")
    app.execute("SELECT change.request_file(%s, %s, 'schema', 't', '', '', '', %s, %s, 'SELECT 1', 'SELECT 2', '', NULL, NULL, NULL)",
                (sender, author, *names))
    rid = app.fetchone()[0]
    app.execute("SELECT sha256 FROM change.request WHERE id = %s", (rid,))
    sha = app.fetchone()[0]
    texts = "bimodal-change 1\nup 8\nSELECT 1\ndown 8\nSELECT 2\nverify 0\n\n"
    assert sha == hashlib.sha256(texts.encode()).hexdigest()
    approve = "SELECT change.request_approve(%s, %s, %s, '')"
    refused(app, approve, "CR005", (rid, other, sha))  # not rehearsed yet
    refused(app, "SELECT change.request_intend(%s, %s, 'apply')", "CR409", (rid, other))
    executor.execute("SELECT intent FROM change.run_take()")
    intent = executor.fetchone()[0]
    executor.execute("SELECT change.run_rehearsed(%s, %s, NULL, '{}', '{crm.person}', 'f', 'g')", (intent, sha))
    refused(app, approve, "CR005", (rid, author, sha))
    refused(app, approve, "CR005", (rid, sender, sha))
    refused(app, approve, "CR005", (rid, other, "b" * 64))
    app.execute(approve, (rid, other, sha))
    refused(app, "UPDATE change.request SET state = 'applied' WHERE id = %s", "42501", (rid,))
    refused(app, "INSERT INTO change.approval (request, principal, sha256, closure_hash) VALUES (%s, %s, %s, '')", "42501",
            (rid, uuid.uuid4(), sha))
    refused(app, "SELECT change.request_edit(%s, %s, NULL, NULL, NULL, NULL, NULL, NULL, 'SELECT 3', NULL, NULL)", "CR403", (rid, other))
    app.execute("SELECT change.request_edit(%s, %s, NULL, NULL, NULL, NULL, NULL, NULL, 'SELECT 3', NULL, NULL)", (rid, author))
    app.execute("SELECT state, sha256 <> %s, (SELECT count(*) FROM change.approval WHERE request = %s) FROM change.request WHERE id = %s",
                (sha, rid, rid))
    assert app.fetchone() == ("checked", True, 0)


# -- crm

def test_versions_and_fixed_fields(app):
    pid, _ = person(app)
    app.execute("UPDATE crm.person SET city = 'Graz', version = 77 WHERE id = %s RETURNING version", (pid,))
    assert app.fetchone()[0] == 2
    refused(app, "UPDATE crm.person SET id = gen_random_uuid() WHERE id = %s", "CR004", (pid,))
    kids = children(app, pid)
    refused(app, "UPDATE crm.consent SET purpose = 'marketing' WHERE id = %s", "CR422", (kids["consent"],))


def test_children_follow_the_person(app):
    pid, pseudonym = person(app)
    kids = children(app, pid)

    def state():
        got = []
        for table, rid in kids.items():
            app.execute(f"SELECT person_pseudonym, lab_ok FROM crm.{table} WHERE id = %s", (rid,))
            got.append(app.fetchone())
        return set(got)

    assert state() == {(pseudonym, True)}
    app.execute("UPDATE crm.consent SET state = 'withdrawn' WHERE id = %s", (kids["consent"],))
    assert state() == {(pseudonym, False)}
    # Nobody puts a child back by hand, and a new one is hidden from birth.
    app.execute("UPDATE crm.interaction SET lab_ok = true WHERE id = %s", (kids["interaction"],))
    late = insert(app, "crm.interaction", person_id=pid, kind="call")
    app.execute("SELECT lab_ok FROM crm.interaction WHERE id IN (%s, %s)", (kids["interaction"], late))
    assert app.fetchall() == [(False,), (False,)]
    app.execute("UPDATE crm.consent SET state = 'granted' WHERE id = %s", (kids["consent"],))
    assert state() == {(pseudonym, True)}
    # What a deleted person leaves behind stays hidden if it was.
    app.execute("UPDATE crm.consent SET state = 'withdrawn' WHERE id = %s", (kids["consent"],))
    app.execute("DELETE FROM crm.person WHERE id = %s", (pid,))
    app.execute("SELECT person_id, person_pseudonym, lab_ok FROM crm.opportunity WHERE id = %s",
                (kids["opportunity"],))
    assert app.fetchone() == (None, None, False)
    refused(app, "INSERT INTO crm.interaction (person_id, kind) VALUES (gen_random_uuid(), 'call')", "23503")


@pytest.mark.parametrize("first", ["child", "withdrawal"])
def test_no_child_slips_past_a_concurrent_withdrawal(core, app, first):
    pid, _ = person(app)
    kids = children(app, pid)

    def child(cur):
        insert(cur, "crm.interaction", person_id=pid, kind="call")

    def withdrawal(cur):
        cur.execute("UPDATE crm.consent SET state = 'withdrawn' WHERE id = %s", (kids["consent"],))

    def later(step):
        with session(core, "core", "bimodal_app") as other:
            step(other)

    steps = (child, withdrawal) if first == "child" else (withdrawal, child)
    db = core.connect("core", "bimodal_app", autocommit=False)
    with db.cursor() as cur:
        cur.execute("SELECT set_config('bimodal.actor', 'user:slow', true)")
        steps[0](cur)
        thread = threading.Thread(target=later, args=(steps[1],))
        thread.start()
        time.sleep(0.3)
        assert thread.is_alive()
        db.commit()
        thread.join(10)
    db.close()
    app.execute("SELECT lab_ok, count(*) FROM crm.interaction WHERE person_id = %s GROUP BY 1", (pid,))
    assert app.fetchall() == [(False, 2)]


def test_uuid_v7_is_of_its_time_and_lands_in_its_partition(core, app):
    app.execute("SELECT crm.uuid_v7(), extract(epoch FROM clock_timestamp()) * 1000")
    got, now = app.fetchone()
    assert got.version == 7 and got.variant == uuid.RFC_4122
    assert abs((got.int >> 80) - now) < 1000
    rid = insert(app, "crm.interaction", kind="web")
    assert core.one("core", "SELECT tableoid::regclass = ('crm.interaction_' || to_char(now() AT TIME ZONE 'UTC',"
                    " 'YYYY_MM'))::regclass FROM crm.interaction WHERE id = %s", (rid,))
    refused(app, "INSERT INTO crm.interaction (id, kind) VALUES (gen_random_uuid(), 'web')", "23514")
    app.execute("EXPLAIN SELECT * FROM crm.interaction WHERE id = %s", (rid,))
    assert sum("Index Scan" in r[0] for r in app.fetchall()) == 1


# -- access and flags

def notices(db, count):
    for _ in range(100):
        db.poll()
        if len(db.notifies) >= count:
            break
        time.sleep(0.02)
    return [(n.channel, n.payload) for n in db.notifies]


def test_tokens_of_the_sandbox_are_published_without_names(core, executor):
    db = core.connect("core", "bimodal_app")
    db.cursor().execute("LISTEN bimodal_generation")
    name = unique("person")
    pid = insert(executor, "access.principal", name=name, kind="user")
    executor.execute("INSERT INTO access.role_grant VALUES (%s, 'innovator'), (%s, 'agent')", (pid, pid))
    sql = ("INSERT INTO access.token (principal, audience, hash, prefix, expires_at)"
           " VALUES (%s, %s, %s, 'bm_x', now() + interval '1 day')")
    mine, theirs = uuid.uuid4().bytes * 2, uuid.uuid4().bytes * 2
    executor.execute(sql, (pid, "sandbox", mine))
    executor.execute(sql, (pid, "core", theirs))
    executor.execute("SELECT principal, roles FROM access.token_published WHERE hash = %s", (mine,))
    assert executor.fetchall() == [(pid, ["agent", "innovator"])]
    executor.execute("SELECT 1 FROM access.token_published WHERE hash = %s", (theirs,))
    assert executor.fetchall() == []
    executor.execute("SELECT generation FROM access.state")
    generation = executor.fetchone()[0]
    assert notices(db, 4)[-1] == ("bimodal_generation", f"access {generation}")
    executor.execute("UPDATE access.token SET last_used_at = now() WHERE hash = %s", (mine,))
    executor.execute("SELECT generation FROM access.state")
    assert executor.fetchone()[0] == generation
    executor.execute("UPDATE access.token SET revoked_at = now() WHERE hash = %s", (mine,))
    executor.execute("SELECT 1 FROM access.token_published WHERE hash = %s", (mine,))
    assert executor.fetchall() == []
    executor.execute("UPDATE access.principal SET disabled_at = now() WHERE id = %s", (pid,))
    executor.execute("SELECT 1 FROM access.snapshot() WHERE principal = %s", (pid,))
    assert executor.fetchall() == []
    db.close()


def test_a_service_approves_nothing(core, executor):
    robot, ada = (insert(executor, "access.principal", name=unique("p"), kind=k) for k in ("service", "user"))
    with core.connect("core", autocommit=False) as db, db.cursor() as cur:
        cur.execute("SELECT set_config('bimodal.actor', 'x', true)")
        cur.execute("INSERT INTO change.request (kind, title, author, business_owner, technical_owner, up, sha256, state, closure_hash) VALUES"
                    " ('schema', 't', gen_random_uuid(), %s, %s, 'SELECT 1', repeat('0', 64), 'rehearsed', 'c') RETURNING id, sha256", pair(core))
        request, sha = cur.fetchone()
        sql = "INSERT INTO change.approval (request, principal, sha256, closure_hash) VALUES (%s, %s, %s, 'c')"
        cur.execute(sql, (request, ada, sha))
        refused(cur, sql, "CR005", (request, robot, sha))
        db.rollback()


def test_every_table_with_owners_is_found_by_hand_over(core):
    """A column of that name is a pair: known to hand-over, two people by foreign key, checked by the trigger."""
    tables = core.rows("core", "SELECT DISTINCT a.attrelid::regclass::text FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
                       " WHERE a.attname IN ('business_owner', 'technical_owner') AND c.relkind IN ('r', 'p') AND NOT a.attisdropped")
    assert {t for t, in tables} == {"access.principal", "flag.flag", "flag.segment", "change.request", "change.feature"}
    assert set(core.rows("core", "SELECT relation FROM access.owned WHERE holds = 'id' AND technical IS NOT NULL")) == set(tables)
    for table, in tables:
        assert core.one("core", "SELECT count(*) FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'f'"
                        " AND confrelid = 'access.principal'::regclass AND conname LIKE '%%_owner_fkey'", (table,)) == 2
        assert core.one("core", "SELECT count(*) FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = 'owner_pair'", (table,)) == 1
        assert core.one("core", "SELECT count(*) FROM pg_attribute WHERE attrelid = %s::regclass AND attname LIKE '%%_owner' AND attnotnull",
                        (table,)) == (0 if table == "access.principal" else 2)  # people have none


def test_what_is_owned_is_found_by_every_hand_over(core, executor):
    """A later table needs its two columns and one call: pairs are checked, and a leaver's rows go to his successor."""
    core.owner("core", "CREATE TABLE crm.idea (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), business_owner uuid NOT NULL,"
               " technical_owner uuid NOT NULL); SELECT access.own('crm.idea', 'ideas');"
               " UPDATE access.owned SET recorded = false WHERE relation = 'crm.idea';"
               " CREATE TABLE crm.view (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner uuid REFERENCES access.principal);"
               " INSERT INTO access.owned (relation, resource, business, technical, recorded) VALUES ('crm.view', 'views', 'owner', NULL, false);"
               " CREATE TABLE crm.visit (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), who uuid, over_at timestamptz);"
               " INSERT INTO access.ending VALUES ('crm.visit', 'visits', 'who', 'over_at')")
    try:
        ada, bob, eve = (insert(executor, "access.principal", name=unique("p"), kind="user") for _ in range(3))
        rows = lambda sql, *args: core.rows("core", sql, args)  # noqa: E731
        pair = "INSERT INTO crm.idea (business_owner, technical_owner) VALUES (%s, %s) RETURNING id"
        with session(core, "core", "postgres") as cur:
            refused(cur, pair, "CR422", (ada, ada))
            refused(cur, pair, "CR422", (ada, uuid.uuid4()))
        idea, other = rows(pair, ada, bob)[0][0], rows(pair, eve, ada)[0][0]
        rows("INSERT INTO crm.view (owner) VALUES (%s)", ada)
        rows("INSERT INTO crm.visit (who) VALUES (%s)", ada)
        give = "SELECT access.hand_over(%s, 'r', %s, %s, 'leaves', %s)"
        look = rows(give, bob, ada, eve, True)[0][0]
        assert (look["owned"]["ideas"], look["owned"]["views"], look["ended"]["visits"]) == (2, 1, 1)
        assert look["one_person_twice"] == [{"resource": "ideas", "record": str(other)}]
        with session(core, "core", "postgres") as cur:
            assert str(other) in str(refused(cur, give, "CR409", (bob, ada, eve, False)))
        assert rows("SELECT count(*) FROM crm.visit WHERE over_at IS NOT NULL")[0][0] == 0
        rows("UPDATE crm.idea SET business_owner = %s WHERE id = %s", bob, other)
        rows(give, bob, ada, eve, False)
        assert rows("SELECT business_owner, technical_owner FROM crm.idea WHERE id = %s", idea) == [(eve, bob)]
        assert rows("SELECT business_owner, technical_owner FROM crm.idea WHERE id = %s", other) == [(bob, eve)]
        assert rows("SELECT owner FROM crm.view") == [(eve,)] and rows("SELECT over_at IS NOT NULL FROM crm.visit") == [(True,)]
        assert rows("SELECT count(*) FROM event.log WHERE op = 'owner.move' AND resource IN ('ideas', 'views')")[0][0] == 3
    finally:
        core.owner("core", "DROP TABLE crm.idea, crm.view, crm.visit; DELETE FROM access.owned WHERE relation LIKE 'crm.%';"
                   " DELETE FROM access.ending WHERE relation = 'crm.visit'")


OWNERS_OF_BEFORE = {  # key: (business, technical, archived): who they are after the change; the oldest operator stands in for nobody
    "both-named": (("ada", "bob", False), ("ada", "bob")),
    "one-named": (("sales", "bob", False), ("maker", "bob")),
    "none-named": (("", "crm-team", False), ("maker", "op")),
    "one-twice": (("ada", "ada", False), ("ada", "maker")),
    "crossed": (("nobody", "maker", False), ("op", "maker")),
    "left": (("gone", "ada", False), ("maker", "ada")),
    "left-and-over": (("gone", "ada", True), ("gone", "ada")),
}


def test_texts_become_pairs_and_are_not_lost():
    """An installation of before: names are matched, anything else falls back to people who are here, and the log keeps the texts."""
    c = Clusters(names=("core",))
    try:
        c.start(loaded=("core",))
        for change in reversed([n for n in changes("core") if n >= "0019"]):
            c.apply("core", change, "down")
        who = {}
        for i, name in enumerate(("op", "ada", "bob", "maker", "gone")):
            who[name] = c.one("core", "INSERT INTO access.principal (name, kind, created_at, disabled_at) VALUES (%s, 'user', now() + %s * interval '1 s',"
                              " CASE WHEN %s = 'gone' THEN now() END) RETURNING id", (name, i, name))
        c.rows("core", "INSERT INTO access.role_grant VALUES (%s, 'operator')", (who["op"],))
        for key, ((business, technical, archived), _) in OWNERS_OF_BEFORE.items():
            c.rows("core", "INSERT INTO flag.flag (key, kind, business_owner, technical_owner, expires_at, created_by, archived_at) VALUES"
                   " (%s, 'release', %s, %s, now(), %s, CASE WHEN %s THEN now() END)", (key, business, technical, who["maker"], archived))
        number = c.one("core", "INSERT INTO change.request (kind, title, business_owner, technical_owner, author, up, sha256) VALUES"
                       " ('schema', 't', 'bob', 'ada', %s, 'SELECT 1', '') RETURNING number", (who["maker"],))
        before = c.rows("core", "SELECT updated_at, sha256 FROM change.request")
        c.apply("core", "0019_owners")
        assert c.verify("core", "0019_owners") == []
        name = {v: k for k, v in who.items()}
        assert {k: (name[b], name[t]) for k, b, t in c.rows("core", "SELECT key, business_owner, technical_owner FROM flag.flag")} \
            == {k: want for k, (_, want) in OWNERS_OF_BEFORE.items()}
        assert c.rows("core", "SELECT business_owner, technical_owner FROM change.request") == [(who["bob"], who["ada"])]
        assert c.rows("core", "SELECT updated_at, sha256 FROM change.request") == before
        told = {d["key"]: (d["business_owner"], d["technical_owner"]) for (d,) in
                c.rows("core", "SELECT after FROM event.log WHERE op = 'owner.name'")}
        assert told == {**{k: (b, t) for k, ((b, t, _), _) in OWNERS_OF_BEFORE.items()}, number: ("bob", "ada")}
        c.apply("core", "0019_owners", "down")
        assert c.rows("core", "SELECT business_owner, technical_owner FROM flag.flag WHERE key = 'left'") == [("maker", "ada")]
    finally:
        c.stop()


def test_a_revision_becomes_current_and_stays_as_written(core, app):
    db = core.connect("core", "bimodal_app")
    db.cursor().execute("LISTEN bimodal_generation")
    key = unique("flag")
    app.execute("INSERT INTO flag.flag (key, kind, business_owner, technical_owner, expires_at, created_by) VALUES (%s, 'release',"
                " %s, %s, now() + interval '1 day', gen_random_uuid())", (key, *pair(core)))
    app.execute("INSERT INTO flag.revision (key, document, enabled, actor) VALUES (%s, '{}', true,"
                " gen_random_uuid()) RETURNING revision", (key,))
    revision = app.fetchone()[0]
    app.execute("SELECT enabled, revision FROM flag.snapshot() WHERE key = %s", (key,))
    assert app.fetchall() == [(True, revision)]
    app.execute("SELECT generation FROM flag.state")
    assert notices(db, 2)[-1] == ("bimodal_generation", f"flag {app.fetchone()[0]}")
    refused(app, "UPDATE flag.revision SET enabled = false WHERE revision = %s", "42501", (revision,))
    with pytest.raises(psycopg2.Error) as e:
        core.rows("core", "DELETE FROM flag.revision WHERE revision = %s", (revision,))
    assert e.value.pgcode == "CR002"
    db.close()


# -- publications

def test_the_canary_passes_now_and_finds_a_publication_that_would_stop_writes(core):
    db = core.connect("core", autocommit=False)
    with db.cursor() as cur:
        cur.execute("SET LOCAL bimodal.change = 'x'")
        cur.execute("SELECT * FROM change.canary()")
        assert cur.fetchall() == []
        for sql, table in (
                ("ALTER PUBLICATION bimodal_crm SET TABLE crm.person (pseudonym, lab_ok, country)"
                 " WHERE (country = 'AT')", "crm.person"),
                ("ALTER PUBLICATION bimodal_crm SET TABLE crm.person (pseudonym)", "crm.person"),
                ("ALTER PUBLICATION bimodal_crm SET TABLE crm.interaction (id, kind)", "crm.interaction"),
                ("ALTER TABLE crm.person REPLICA IDENTITY NOTHING", "crm.person")):
            cur.execute("SAVEPOINT s")
            cur.execute(sql)
            cur.execute("SELECT table_name FROM change.canary()")
            assert any(r[0].startswith(table) for r in cur.fetchall()), sql
            cur.execute("ROLLBACK TO s")
    db.rollback()
    db.close()


def test_every_partition_has_the_replica_identity(core):
    assert core.rows("core", "SELECT c.relname FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid"
                     " WHERE h.inhparent = 'crm.interaction'::regclass AND c.relreplident <> 'i'") == []


def test_the_feed_role_reads_the_published_columns_only(core):
    assert core.verify("core", "0006_feed") == []
    with session(core, "core", "bimodal_feed", actor=None) as cur:
        for column in ("email", "given_name", "id", "note", "birth_date", "owner", "external_id"):
            refused(cur, f"SELECT {column} FROM crm.person", "42501")
        for sql in ("SELECT person_id FROM crm.interaction", "SELECT body FROM crm.interaction",
                    "SELECT body FROM change.ledger", "SELECT actor FROM change.ledger",
                    "SELECT name FROM access.principal", "SELECT hash FROM access.token",
                    "SELECT comment FROM flag.revision", "SELECT * FROM event.log"):
            refused(cur, sql, "42501")
        cur.execute("SELECT pseudonym, lab_ok, country FROM crm.person LIMIT 1")


def test_a_new_open_field_is_published_after_publish(core):
    core.owner("core", "ALTER TABLE crm.person ADD COLUMN tier text; INSERT INTO change.field (resource, name,"
               " position, type, class, kind, writable) VALUES ('people', 'tier', 90, 'text', 'open', 'text', true);"
               " SELECT change.publish()")
    listed = "SELECT 'tier' = ANY (attnames) FROM pg_publication_tables WHERE tablename = 'person'"
    try:
        assert core.one("core", listed)
        assert core.one("core", "SELECT has_column_privilege('bimodal_feed', 'crm.person', 'tier', 'SELECT')")
    finally:
        core.owner("core", "DELETE FROM change.field WHERE name = 'tier'; SELECT change.publish();"
                   " ALTER TABLE crm.person DROP COLUMN tier")
    assert not core.one("core", listed)
