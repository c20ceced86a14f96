"""The feed core -> airlock -> sandbox: what arrives, how fast, and what never leaves core."""
import pathlib
import sys
import uuid

import psycopg2
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from clusters import NAMES, Clusters, changes  # noqa: E402
from schema_fixtures import children, insert, pair, person, session, unique  # noqa: E402

# Marked values put into every personal and internal door before the first copy and after it.
MARK = "zqxjkvbpyg"
BEFORE = 5


@pytest.fixture(scope="module")
def feed():
    c = Clusters()
    try:
        c.start(loaded=NAMES)
        with session(c, "core", "bimodal_app") as cur:
            c.early = [fill(cur, f"{MARK}-early-{i}") for i in range(BEFORE)]
        c.feed_setup()
        yield c
    finally:
        c.stop()


def fill(cur, mark):
    """A person with every personal column filled, an organization, children; (person, pseudonym, organization)."""
    organization = insert(cur, "crm.organization", name=f"{mark} org", website=f"{mark}.example",
                          owner=mark, external_id=f"{mark}-org", sector="software")
    pid, pseudonym = person(cur, given_name=mark, family_name=mark, email=f"{mark}@example.org", phone=mark,
                            street=mark, city=mark, postcode=mark[:20], note=mark, external_id=mark, owner=mark,
                            birth_date="1970-01-02", organization_id=organization)
    insert(cur, "crm.consent", person_id=pid, purpose="analysis", state="granted")
    insert(cur, "crm.interaction", person_id=pid, organization_id=organization, kind="purchase", amount="12.50",
           subject=mark, body=mark)
    insert(cur, "crm.opportunity", person_id=pid, organization_id=organization, name=mark, owner=mark,
           external_id=f"{mark}-opp", stage="won", close_value="100.00")
    insert(cur, "crm.support_case", person_id=pid, organization_id=organization, subject=mark, description=mark,
           owner=mark)
    return pid, pseudonym, organization


@pytest.fixture
def app(feed):
    with session(feed, "core", "bimodal_app") as cur:
        yield cur


PRESENT = ("SELECT (SELECT count(*) FROM crm.person WHERE pseudonym = %(p)s)"
           " + (SELECT count(*) FROM crm.consent WHERE person_pseudonym = %(p)s)"
           " + (SELECT count(*) FROM crm.interaction WHERE person_pseudonym = %(p)s)"
           " + (SELECT count(*) FROM crm.opportunity WHERE person_pseudonym = %(p)s)"
           " + (SELECT count(*) FROM crm.support_case WHERE person_pseudonym = %(p)s) = %(n)s")


def arrived(feed, pseudonym, n, name="sandbox", seconds=5):
    return feed.wait(name, PRESENT, {"p": pseudonym, "n": n}, seconds)


@pytest.mark.parametrize("name", ["airlock", "sandbox"])
def test_verify_passes(feed, name):
    for change in changes(name):
        assert feed.verify(name, change) == []


@pytest.mark.parametrize("name", ["airlock", "sandbox"])
def test_down_then_up_gives_the_same_fingerprint(name):
    c = Clusters(names=(name,))
    try:
        c.start(loaded=(name,))
        before = c.one(name, "SELECT change.fingerprint()")
        names = changes(name)
        for change in reversed(names):
            c.apply(name, change, "down")
        for change in names:
            c.apply(name, change)
        assert c.one(name, "SELECT change.fingerprint()") == before
    finally:
        c.stop()


def test_the_first_copy_is_marked_and_what_follows_is_live(feed, app):
    for _, pseudonym, _ in feed.early:
        arrived(feed, pseudonym, 5)
    kinds = feed.rows("sandbox", "SELECT DISTINCT kind FROM lab.outbox WHERE unit = ANY (%s)",
                      ([e[1] for e in feed.early],))
    assert kinds == [("copy",)]
    assert feed.one("sandbox", "SELECT count(*) FROM lab.outbox WHERE kind = 'copy'") == BEFORE * 6
    pid, pseudonym, _ = fill(app, f"{MARK}-live")
    arrived(feed, pseudonym, 5)
    assert feed.rows("sandbox", "SELECT tab, op, kind, row_id IS NULL FROM lab.outbox WHERE unit = %s ORDER BY id",
                     (pseudonym,)) == [("person", "insert", "live", True), ("consent", "insert", "live", False),
                                       ("interaction", "insert", "live", False),
                                       ("opportunity", "insert", "live", False),
                                       ("support_case", "insert", "live", False)]
    app.execute("UPDATE crm.person SET segment = 'gold' WHERE id = %s", (pid,))
    feed.wait("sandbox", "SELECT segment = 'gold' AND version = 2 FROM crm.person WHERE pseudonym = %s", (pseudonym,), 5)


def test_a_withdrawal_is_a_delete_of_the_person_and_every_child(feed, app):
    pid, pseudonym = person(app)
    kids = children(app, pid)
    app.execute("SELECT count(*) FROM crm.consent WHERE person_id = %s", (pid,))
    arrived(feed, pseudonym, 1 + len(kids))
    app.execute("UPDATE crm.consent SET state = 'withdrawn' WHERE person_id = %s AND purpose = 'analysis'", (pid,))
    seconds = arrived(feed, pseudonym, 0)
    print(f"withdrawal: gone from the sandbox after {seconds * 1000:.1f} ms")
    assert seconds < 1
    arrived(feed, pseudonym, 0, "airlock")
    feed.wait("sandbox", "SELECT count(*) = 5 FROM lab.outbox WHERE unit = %s AND op = 'delete'", (pseudonym,), 5)
    # What is written about a withdrawn person stays in core; core keeps everything.
    late = insert(app, "crm.interaction", person_id=pid, kind="call")
    app.execute("SELECT count(*) FROM crm.interaction WHERE person_id = %s", (pid,))
    assert app.fetchone()[0] == 2
    barrier(feed)
    assert feed.rows("sandbox", "SELECT 1 FROM crm.interaction WHERE id = %s", (late,)) == []
    # A marketing opt-out is an outcome and stays; consent given again brings all back.
    app.execute("UPDATE crm.consent SET state = 'granted' WHERE person_id = %s AND purpose = 'analysis'", (pid,))
    insert(app, "crm.consent", person_id=pid, purpose="marketing", state="withdrawn")
    arrived(feed, pseudonym, 7)


def test_deletes_and_partition_rows_travel(feed, app):
    pid, pseudonym, _ = fill(app, f"{MARK}-delete")
    arrived(feed, pseudonym, 5)
    app.execute("UPDATE crm.interaction SET channel = 'shop' WHERE person_id = %s", (pid,))
    feed.wait("sandbox", "SELECT channel = 'shop' FROM crm.interaction WHERE person_pseudonym = %s",
              (pseudonym,), 5)
    app.execute("DELETE FROM crm.person WHERE id = %s", (pid,))
    arrived(feed, pseudonym, 0)


def barrier(feed):
    """Writes a marker in core and waits until it is in the sandbox."""
    change = uuid.uuid4()
    feed.rows("core", "SELECT crm.feed_mark('marker', %s)", (change,), "bimodal_executor")
    return feed.wait("sandbox", "SELECT count(*) = 1 FROM crm.feed_control WHERE change_id = %s", (change,), 5)


def test_heartbeats_move_the_position(feed, app):
    for _ in range(3):
        before = feed.one("sandbox", "SELECT at FROM lab.position")
        feed.rows("core", "SELECT crm.feed_heartbeat()", role="bimodal_executor")
        feed.wait("sandbox", "SELECT at IS NOT NULL AND (%s::timestamptz IS NULL OR at > %s) FROM lab.position",
                  (before, before), 5)
    assert feed.one("core", "SELECT count(*) FROM crm.feed_control WHERE kind = 'heartbeat'") == 1
    _, pseudonym = person(app)
    barrier(feed)
    assert feed.one("sandbox", "SELECT count(*) FROM crm.person WHERE pseudonym = %s", (pseudonym,)) == 1
    assert feed.one("sandbox", "SELECT (SELECT lsn FROM lab.position) = (SELECT lsn FROM crm.feed_control"
                    " ORDER BY at DESC LIMIT 1)")


@pytest.mark.parametrize("name", ["airlock", "sandbox"])
def test_only_published_columns_exist(feed, name):
    allowed = set(feed.rows("core", "SELECT table_name, name, type FROM change.published_columns()"))
    there = set(feed.rows(name, "SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod)"
                          " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
                          " WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'r' AND a.attnum > 0"
                          " AND NOT a.attisdropped AND c.relname <> 'feed_control'"))
    assert there == allowed
    closed = {r[0] for r in feed.rows("core", "SELECT DISTINCT table_name || '.' || f.name FROM change.field f JOIN"
                                      " change.resource r ON r.name = f.resource WHERE class IN ('personal', 'internal')")}
    assert not closed & {f"{t}.{c}" for t, c, _ in there}
    # Nothing but the key is required there.
    assert feed.rows(name, "SELECT 1 FROM pg_constraint WHERE contype <> 'p' AND connamespace = 'crm'::regnamespace") == []


@pytest.mark.parametrize("name", ["airlock", "sandbox"])
def test_no_personal_value_is_in_the_data_directory(feed, app, name):
    key = unique("flag")
    app.execute("INSERT INTO flag.flag (key, kind, purpose, business_owner, technical_owner, expires_at, created_by)"
                " VALUES (%s, 'release', %s, %s, %s, now() + interval '1 day', gen_random_uuid())", (key, MARK, *pair(feed, MARK)))
    app.execute("INSERT INTO flag.revision (key, document, enabled, core_only, actor, comment) VALUES"
                " (%s, %s, true, true, gen_random_uuid(), %s)", (key, f'{{"email": "{MARK}"}}', MARK))
    app.execute("SELECT change.ledger_append(%s, 'test.kind', 'ref', %s)", (MARK, f'{{"text": "{MARK}"}}'))
    with session(feed, "core", "bimodal_executor") as executor:
        insert(executor, "access.principal", name=f"{MARK}-{uuid.uuid4()}", kind="user",
               email=f"{uuid.uuid4().hex}@{MARK}.example", display_name=MARK)
    pid, pseudonym, _ = fill(app, f"{MARK}-{uuid.uuid4().hex[:6]}")
    app.execute("UPDATE crm.person SET note = %s WHERE id = %s", (f"{MARK} again", pid))
    arrived(feed, pseudonym, 5)
    barrier(feed)
    feed.rows(name, "CHECKPOINT")
    assert hits(feed, "core") != []
    assert hits(feed, name) == []


def hits(feed, name):
    return [str(p) for p in feed.cluster[name].data.rglob("*")
            if p.is_file() and MARK.encode() in p.read_bytes()]


def test_registry_ledger_flags_and_tokens_arrive(feed, app):
    key, hidden = unique("flag"), unique("hidden")
    owners = pair(feed)
    for k, core_only in ((key, False), (hidden, True)):
        app.execute("INSERT INTO flag.flag (key, kind, business_owner, technical_owner, expires_at, created_by) VALUES (%s, 'experiment',"
                    " %s, %s, now() + interval '1 day', gen_random_uuid())", (k, *owners))
        app.execute("INSERT INTO flag.revision (key, document, enabled, core_only, actor)"
                    " VALUES (%s, '{\"rule\": 1}', true, %s, gen_random_uuid())", (k, core_only))
    token = uuid.uuid4().bytes * 2
    with session(feed, "core", "bimodal_executor") as executor:
        principal = insert(executor, "access.principal", name=unique("p"), kind="service")
        executor.execute("INSERT INTO access.token (principal, audience, hash, prefix, expires_at, scopes)"
                         " VALUES (%s, 'sandbox', %s, 'bm_x', now() + interval '1 day', %s)", (principal, token, ["me.read", "*.read"]))
    app.execute("SELECT change.ledger_append('user:test', 'test.kind', 'ref', '{}')")
    seq = app.fetchone()[0]
    with session(feed, "sandbox", "bimodal_app", actor=None) as cur:
        feed.wait("sandbox", "SELECT count(*) = 1 FROM change.ledger WHERE seq = %s", (seq,), 5, "bimodal_app")
        cur.execute("SELECT key, document FROM flag.snapshot() WHERE key IN (%s, %s)", (key, hidden))
        assert cur.fetchall() == [(key, {"rule": 1})]
        cur.execute("SELECT business_owner, technical_owner FROM flag.flag WHERE key = %s", (key,))
        assert cur.fetchall() == [tuple(owners)]
        cur.execute("SELECT principal, name, audience, scopes FROM access.snapshot() WHERE hash = %s", (token,))
        assert [(str(r[0]), *r[1:]) for r in cur.fetchall()] == [(str(principal), "", "sandbox", ["me.read", "*.read"])]
        cur.execute("SELECT count(*) FROM change.ledger_broken")
        assert cur.fetchone()[0] == 0
    assert feed.rows("core", "SELECT seq, hash FROM change.ledger ORDER BY seq") \
        == feed.rows("sandbox", "SELECT seq, hash FROM change.ledger ORDER BY seq")
    assert feed.rows("core", "SELECT resource, name, type, class FROM change.field ORDER BY 1, 2") \
        == feed.rows("sandbox", "SELECT resource, name, type, class FROM change.field ORDER BY 1, 2")
    feed.rows("core", "UPDATE access.token SET revoked_at = now() WHERE hash = %s", (token,))
    feed.wait("sandbox", "SELECT count(*) = 0 FROM access.token_published WHERE hash = %s", (token,), 5)


@pytest.mark.parametrize("role", ["bimodal_app", "bimodal_deployer"])
@pytest.mark.parametrize("sql", [
    "INSERT INTO crm.person (pseudonym) VALUES (gen_random_uuid())", "UPDATE crm.person SET country = 'x'",
    "DELETE FROM crm.interaction", "TRUNCATE crm.person", "UPDATE flag.state SET generation = 1",
    "DELETE FROM access.token_published", "UPDATE change.ledger SET kind = 'x'", "UPDATE lab.position SET at = now()",
])
def test_the_sandbox_logins_cannot_write_the_copy(feed, role, sql):
    with session(feed, "sandbox", role, actor=None) as cur:
        with pytest.raises(psycopg2.Error) as e:
            cur.execute(sql)
        assert e.value.pgcode == "42501"


def test_the_hop_role_reads_and_does_not_write(feed):
    with session(feed, "airlock", "bimodal_hop", actor=None) as cur:
        cur.execute("SELECT count(*) FROM crm.person")
        for sql in ("DELETE FROM crm.person", "CREATE TABLE crm.x (id int)", "SET ROLE bimodal_owner"):
            with pytest.raises(psycopg2.Error) as e:
                cur.execute(sql)
            assert e.value.pgcode == "42501"


@pytest.mark.parametrize("name", ["airlock", "sandbox"])
def test_subscriptions_are_not_of_a_superuser_and_try_again_on_an_error(feed, name):
    assert feed.rows(name, "SELECT subname, rolname, rolsuper, subdisableonerr, subenabled FROM pg_subscription"
                     " JOIN pg_roles r ON r.oid = subowner ORDER BY subname") \
        == [(f"{name}_crm", "bimodal_apply", False, False, True),
            (f"{name}_registry", "bimodal_apply", False, False, True)]


@pytest.mark.parametrize("name, slots", [("core", ["airlock_crm", "airlock_registry"]),
                                         ("airlock", ["sandbox_crm", "sandbox_registry"])])
def test_every_slot_has_a_wal_limit(feed, name, slots):
    assert [r[0] for r in feed.rows(name, "SELECT slot_name FROM pg_replication_slots ORDER BY 1")] == slots
    assert feed.one(name, "SHOW max_slot_wal_keep_size") == "64MB"
    assert feed.rows(name, "SELECT slot_name FROM pg_replication_slots WHERE safe_wal_size IS NULL") == []


def test_the_sandbox_catches_up_after_it_was_away(feed, app):
    feed.down("sandbox", "immediate")
    _, pseudonym, _ = fill(app, f"{MARK}-away")
    feed.up("sandbox")
    arrived(feed, pseudonym, 5, seconds=20)
    assert feed.rows("sandbox", "SELECT DISTINCT kind FROM lab.outbox WHERE unit = %s", (pseudonym,)) == [("live",)]


def test_a_column_is_added_and_dropped_without_stopping_the_feed(feed, app):
    pid, pseudonym = person(app)
    arrived(feed, pseudonym, 1)
    # Add: core, airlock, sandbox, then the list.
    feed.owner("core", "ALTER TABLE crm.person ADD COLUMN tier text; INSERT INTO change.field (resource, name, position,"
               " type, class, kind, writable) VALUES ('people', 'tier', 90, 'text', 'open', 'text', true)")
    for name in ("airlock", "sandbox"):
        feed.wait(name, "SELECT count(*) = 1 FROM change.field WHERE name = 'tier'", seconds=5)
        feed.owner(name, "SELECT change.projection_apply()")
        assert feed.rows(name, "SELECT * FROM change.projection_sql() WHERE sql ~ 'CREATE TABLE|COLUMN|DROP'") == []
    feed.owner("core", "SELECT change.publish()")
    app.execute("UPDATE crm.person SET tier = 'gold' WHERE id = %s", (pid,))
    feed.wait("sandbox", "SELECT tier = 'gold' FROM crm.person WHERE pseudonym = %s", (pseudonym,), 5)
    # Drop: the reverse.
    feed.owner("core", "DELETE FROM change.field WHERE name = 'tier'; SELECT change.publish()")
    barrier(feed)
    feed.owner("core", "ALTER TABLE crm.person DROP COLUMN tier")
    for name in ("sandbox", "airlock"):
        feed.wait(name, "SELECT count(*) = 0 FROM change.field WHERE name = 'tier'", seconds=5)
    feed.owner("sandbox", "SELECT change.projection_apply()")
    feed.owner("airlock", "SELECT change.projection_apply()")
    app.execute("UPDATE crm.person SET segment = 'x' WHERE id = %s", (pid,))
    feed.wait("sandbox", "SELECT segment = 'x' FROM crm.person WHERE pseudonym = %s", (pseudonym,), 5)
    assert feed.one("sandbox", "SELECT count(*) FROM pg_attribute WHERE attrelid = 'crm.person'::regclass"
                    " AND attname = 'tier'") == 0


def test_a_lost_slot_is_healed_without_superuser(feed, app):
    pid, pseudonym, _ = fill(app, f"{MARK}-lost")
    stays, kept, _ = fill(app, f"{MARK}-kept")
    arrived(feed, kept, 5)
    arrived(feed, pseudonym, 5)
    db = feed.connect("airlock", "bimodal_executor")
    with db.cursor() as cur, session(feed, "core", "bimodal_feed", actor=None) as slot:
        cur.execute("SET ROLE bimodal_apply")
        cur.execute("ALTER SUBSCRIPTION airlock_crm DISABLE")
        feed.wait("core", "SELECT NOT active FROM pg_replication_slots WHERE slot_name = 'airlock_crm'", seconds=10)
        slot.execute("SELECT pg_drop_replication_slot('airlock_crm')")
        # Lost with the slot: a withdrawal and a new person.
        app.execute("UPDATE crm.consent SET state = 'withdrawn' WHERE person_id = %s", (pid,))
        _, born, _ = fill(app, f"{MARK}-born")
        slot.execute("SELECT pg_create_logical_replication_slot('airlock_crm', 'pgoutput')")
        cur.execute("RESET ROLE")
        cur.execute("SELECT crm.feed_mark('resync-begin')")
        cur.execute("SET ROLE bimodal_apply")
        cur.execute("ALTER SUBSCRIPTION airlock_crm SET PUBLICATION bimodal_nothing WITH (refresh = false)")
        cur.execute("ALTER SUBSCRIPTION airlock_crm ENABLE")
        cur.execute("ALTER SUBSCRIPTION airlock_crm REFRESH PUBLICATION")
        cur.execute("SELECT string_agg(format('crm.%I', table_name), ', ') FROM change.resource")
        cur.execute(f"TRUNCATE crm.feed_control, {cur.fetchone()[0]}")
        cur.execute("ALTER SUBSCRIPTION airlock_crm SET PUBLICATION bimodal_crm")
        feed.synced("airlock", "airlock_crm")
        cur.execute("RESET ROLE")
        cur.execute("SELECT crm.feed_mark('resync-end')")
    db.close()
    arrived(feed, born, 5, seconds=10)
    arrived(feed, kept, 5)
    arrived(feed, pseudonym, 0)
    feed.wait("sandbox", "SELECT NOT resyncing FROM lab.position", seconds=5)
    assert feed.rows("sandbox", "SELECT DISTINCT kind FROM lab.outbox WHERE unit = %s", (born,)) == [("copy",)]
    app.execute("UPDATE crm.person SET segment = 'after' WHERE id = %s", (stays,))
    feed.wait("sandbox", "SELECT count(*) = 1 FROM lab.outbox WHERE unit = %s AND op = 'update' AND kind = 'live'",
              (kept,), 5)
