"""The feed comes back by itself: after restarts of every part, and after a slot was cut off because its reader was away too long."""
import contextlib
import os
import pathlib
import signal
import time
import uuid

import pytest
from load import Load
from product import Product

# A slot may keep one segment, so that a few switches of the log and a checkpoint cut off who is away.
SETTINGS = ("wal_sender_timeout = 5s", "wal_receiver_timeout = 5s")
HOP = {"core": "airlock", "airlock": "sandbox"}


@pytest.fixture(scope="module")
def fed():
    p = Product(slot_wal="1MB", settings=SETTINGS).start()
    try:
        watch_outbox(p)
        yield p
    finally:
        p.stop()


def watch_outbox(product):
    """The jobs empty the outbox; what passed through it is kept aside for the tests."""
    product.clusters.rows("sandbox", """
        CREATE SCHEMA watch;
        CREATE TABLE watch.seen (LIKE lab.outbox);
        CREATE FUNCTION watch.see() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
            BEGIN INSERT INTO watch.seen SELECT NEW.*; RETURN NULL; END $$;
        GRANT USAGE ON SCHEMA watch TO PUBLIC;
        CREATE TRIGGER watch AFTER INSERT ON lab.outbox FOR EACH ROW EXECUTE FUNCTION watch.see();
        ALTER TABLE lab.outbox ENABLE ALWAYS TRIGGER watch""")


def kinds(product, pseudonym):
    return {r[0] for r in product.clusters.rows("sandbox", "SELECT DISTINCT kind FROM watch.seen WHERE unit = %s", (pseudonym,))}


def digest_sql(product, table):
    """One digest of the columns that the sandbox has; in core of what may leave it."""
    columns = [r[0] for r in product.clusters.rows("sandbox", "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
                                                   " AND NOT attisdropped ORDER BY attname", (table,))]
    listed = ", ".join(f"{c}::text" for c in columns)
    where = " WHERE lab_ok" if "lab_ok" in columns else " WHERE NOT core_only" if table == "flag.revision" else ""
    return f"SELECT count(*) || ' ' || md5(coalesce(string_agg(r, ';' ORDER BY r), '')) FROM (SELECT concat_ws('|', {listed}) AS r FROM {table}{where}) x"


def same(product, seconds=30.0):
    """Every table of the copy is what core would publish."""
    tables = [r[0] for r in product.clusters.rows("core", "SELECT 'crm.' || table_name FROM change.resource WHERE published")]
    assert len(tables) >= 6
    tables += ["change.resource", "change.field", "change.ledger", "access.token_published", "flag.flag", "flag.revision", "flag.state"]
    deadline = time.monotonic() + seconds
    for table in tables:
        sql = digest_sql(product, table)
        while (want := product.clusters.one("core", sql)) != (got := product.clusters.one("sandbox", sql)):
            assert time.monotonic() < deadline, (table, want, got, product.core.get("/v1/feed", role="operator"),
                                                 product.core.tail(15), product.sandbox.tail(15))
            time.sleep(0.1)


def person(product, **more):
    """A person with a child row; id, pseudonym and address."""
    r = product.core.post("/v1/people", {"given_name": "Heal", "country": "HL", **more})
    assert r.status == 201, r
    pid = r.json["id"]
    made = product.core.post("/v1/interactions", {"kind": "call", "person_id": pid})
    assert made.status == 201, made
    return pid, product.clusters.one("core", "SELECT pseudonym FROM crm.person WHERE id = %s", (pid,))


def arrives(product, seconds=30.0):
    """A record written now is seen in the sandbox; the seconds it took."""
    stage = f"h{uuid.uuid4().hex[:12]}"
    assert product.core.post("/v1/organizations", {"name": "feed", "stage": stage}).status == 201
    return product.arrived("SELECT EXISTS (SELECT FROM crm.organization WHERE stage = %s)", (stage,), seconds)


def withdraw(product, pid):
    r = product.core.post(f"/v1/people/{pid}/consents", {"purpose": "analysis", "state": "withdrawn"})
    assert r.status == 201, r


def lose(product, up):
    """Writes the server's log past what a slot may keep."""
    clusters = product.clusters
    for _ in range(4):
        clusters.rows(up, "SELECT pg_logical_emit_message(false, 'fill', 'x')")
        clusters.rows(up, "SELECT pg_switch_wal()")
    clusters.rows(up, "CHECKPOINT")
    clusters.wait(up, "SELECT bool_and(wal_status = 'lost') FROM pg_replication_slots", seconds=10)


def wait_ready(product):
    product.core.ready(30)
    product.sandbox.ready(30)


# ---- restarts

@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("name", ["core", "airlock", "sandbox"])
def test_the_feed_survives_a_restart_of_each_server(fed, name, mode):
    arrives(fed)
    fed.clusters.down(name, mode)
    time.sleep(0.5)
    fed.clusters.up(name)
    wait_ready(fed)
    deadline = time.monotonic() + 10
    while fed.core.post("/v1/organizations", {"name": "up"}).status != 201:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    arrives(fed)
    for cluster in ("airlock", "sandbox"):
        assert fed.clusters.rows(cluster, "SELECT subname FROM pg_subscription WHERE NOT subenabled OR subdisableonerr") == []
    same(fed)


@pytest.mark.parametrize("name", ["core", "sandbox"])
def test_the_feed_survives_a_killed_daemon(fed, name):
    daemon = getattr(fed, name)
    daemon.process.kill()
    daemon.process.wait()
    daemon.unheard()
    daemon.start()
    arrives(fed)
    same(fed)


# ---- lost slots

@pytest.mark.parametrize("up", ["core", "airlock"])
def test_a_lost_slot_heals_without_a_gap(fed, up):
    core, clusters, down = fed.core, fed.clusters, HOP[up]
    leaving, gone = person(fed)
    deleted, _ = person(fed)
    kept, kept_pseudonym = person(fed)
    arrives(fed)
    ledger = clusters.one("core", "SELECT coalesce(max(seq), 0) FROM change.ledger")
    was = fed.sandbox.get("/v1/people?limit=1", role="innovator")
    assert was.status == 200
    with Load(core, threads=2, pause=0.05) as load:
        clusters.down(down, "immediate")
        withdraw(fed, leaving)
        assert core.delete(f"/v1/people/{deleted}", headers={"If-Match": "*"}).status == 204
        assert core.patch(f"/v1/people/{kept}", {"segment": "after"}, headers={"If-Match": "*"}).status == 200
        born, born_pseudonym = person(fed)
        if up == "airlock":
            clusters.wait("airlock", "SELECT EXISTS (SELECT FROM crm.person WHERE pseudonym = %s)", (born_pseudonym,), 10)
        lose(fed, up)
        clusters.up(down)
        began = time.monotonic()
        fed.arrived("SELECT EXISTS (SELECT FROM crm.person WHERE pseudonym = %s)", (born_pseudonym,), 60)
        print(f"healed {up} -> {down} after {time.monotonic() - began:.1f} s")
        # Flags, tokens and resources stay served meanwhile and afterwards.
        wait_ready(fed)
        assert fed.sandbox.get("/v1/people?limit=1", role="innovator").status == 200
    assert load.failed == [], load.failed[:5]
    assert load.count > 50
    fed.arrived("SELECT NOT resyncing FROM lab.position", seconds=30)
    same(fed)
    arrives(fed)
    assert clusters.one("sandbox", "SELECT count(*) FROM crm.person WHERE pseudonym = %s", (gone,)) == 0
    assert clusters.one("sandbox", "SELECT count(*) FROM crm.interaction WHERE person_pseudonym = %s", (gone,)) == 0
    assert clusters.one("sandbox", "SELECT segment FROM crm.person WHERE pseudonym = %s", (kept_pseudonym,)) == "after"
    assert kinds(fed, born_pseudonym) == {"copy"}
    told = clusters.rows("core", "SELECT kind, ref FROM change.ledger WHERE seq > %s AND kind LIKE 'feed.resync%%' ORDER BY seq", (ledger,))
    for slot in (f"{down}_registry", f"{down}_crm"):
        assert ("feed.resync", slot) in told
        assert up == "airlock" or ("feed.resynced", slot) in told
    assert clusters.rows("core", "SELECT seq FROM change.ledger_broken") == []
    # What happens from now on is news again.
    assert core.patch(f"/v1/people/{born}", {"segment": "later"}, headers={"If-Match": "*"}).status == 200
    clusters.wait("sandbox", "SELECT EXISTS (SELECT FROM watch.seen WHERE unit = %s AND op = 'update' AND kind = 'live')", (born_pseudonym,), 10)
    # No copy is left half made, no slot of one is left behind.
    for cluster in ("core", "airlock"):
        clusters.wait(cluster, "SELECT count(*) = 2 AND bool_and(active AND wal_status <> 'lost') FROM pg_replication_slots", seconds=15)


STATES = """SELECT s.subname::text, s.subpublications = '{bimodal_nothing}', s.subenabled, count(r.srrelid) > 0, bool_and(r.srsubstate = 'r')
    FROM pg_subscription s LEFT JOIN pg_subscription_rel r ON r.srsubid = s.oid GROUP BY s.oid, s.subname, s.subpublications, s.subenabled"""


def killed_in_each_state(product, name, kill, born, most=7):
    """Kills in each state of the healing that is met for the first time, until the person born meanwhile has arrived; how often."""
    clusters = product.clusters
    met, kills, looks = set(), 0, 0
    deadline = time.monotonic() + 90
    with contextlib.closing(clusters.connect(name)) as here, contextlib.closing(clusters.connect("sandbox")) as end:
        with here.cursor() as cur, end.cursor() as there:
            while True:
                cur.execute(STATES)
                new = set(cur.fetchall()) - met
                met |= new
                # Well and complete is not a state of the healing.
                if kills < most and any(state[1:] != (False, True, True, True) for state in new):
                    kill()
                    kills += 1
                looks += 1
                if looks % 25 == 0:
                    there.execute("SELECT EXISTS (SELECT FROM crm.person WHERE pseudonym = %s)", (born,))
                    if there.fetchone()[0]:
                        return kills
                    assert time.monotonic() < deadline, (met, product.core.tail(15), product.sandbox.tail(15))
                time.sleep(0.004)


def kill_jobs(daemon):
    """The jobs child is the one that was started last."""
    children = pathlib.Path(f"/proc/{daemon.process.pid}/task/{daemon.process.pid}/children").read_text().split()
    if len(children) == 1 + daemon.product.workers:
        os.kill(int(children[-1]), signal.SIGKILL)


@pytest.mark.parametrize("up", ["core", "airlock"])
def test_a_healing_that_is_killed_goes_on(fed, up):
    """The jobs child that heals dies in each state that it goes through."""
    clusters, down = fed.clusters, HOP[up]
    daemon = fed.core if up == "core" else fed.sandbox
    leaving, gone = person(fed)
    arrives(fed)
    clusters.down(down, "immediate")
    withdraw(fed, leaving)
    _, born = person(fed)
    if up == "airlock":
        clusters.wait("airlock", "SELECT EXISTS (SELECT FROM crm.person WHERE pseudonym = %s)", (born,), 10)
    lose(fed, up)
    clusters.up(down)
    kills = killed_in_each_state(fed, down, lambda: kill_jobs(daemon), born)
    assert kills >= 3
    fed.arrived("SELECT NOT resyncing FROM lab.position", seconds=60)
    fed.arrived("SELECT count(*) = 0 FROM lab.resync", seconds=60)
    clusters.wait("core", "SELECT count(*) = 0 FROM change.feed_resync WHERE ended_at IS NULL", seconds=60)
    same(fed)
    assert clusters.one("sandbox", "SELECT count(*) FROM crm.person WHERE pseudonym = %s", (gone,)) == 0
    assert kinds(fed, born) == {"copy"}
    arrives(fed)


@pytest.mark.parametrize("up", ["core", "airlock"])
def test_a_copy_that_is_cut_off_itself_begins_again(fed, up):
    """The log runs past the limit a second time while the first table is still being copied: its own slot is lost too."""
    clusters, down = fed.clusters, HOP[up]
    clusters.rows(down, """
        CREATE SCHEMA slow;
        CREATE FUNCTION slow.wait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$
            BEGIN PERFORM pg_catalog.pg_advisory_xact_lock_shared(4711); RETURN NEW; END $$;
        GRANT USAGE ON SCHEMA slow TO PUBLIC;
        CREATE TRIGGER slow BEFORE INSERT ON crm.person FOR EACH ROW EXECUTE FUNCTION slow.wait();
        ALTER TABLE crm.person ENABLE ALWAYS TRIGGER slow""")
    leaving, gone = person(fed)
    arrives(fed)
    clusters.down(down, "immediate")
    withdraw(fed, leaving)
    _, born = person(fed)
    if up == "airlock":
        clusters.wait("airlock", "SELECT EXISTS (SELECT FROM crm.person WHERE pseudonym = %s)", (born,), 10)
    lose(fed, up)
    clusters.up(down)
    with contextlib.closing(clusters.connect(down)) as db, db.cursor() as cur:
        cur.execute("SELECT pg_advisory_lock(4711)")
        clusters.wait(down, "SELECT EXISTS (SELECT FROM pg_subscription_rel WHERE srrelid = 'crm.person'::regclass AND srsubstate = 'd')"
                      " AND EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)", seconds=20)
        for _ in range(5):
            clusters.rows(up, "SELECT pg_logical_emit_message(false, 'fill', 'x')")
            clusters.rows(up, "SELECT pg_switch_wal()")
        clusters.rows(up, "CHECKPOINT")
        lost = clusters.rows(up, "SELECT slot_name FROM pg_replication_slots WHERE wal_status = 'lost'")
        assert any("_sync_" in name for (name,) in lost), lost
    fed.arrived("SELECT EXISTS (SELECT FROM crm.person WHERE pseudonym = %s)", (born,), 60)
    fed.arrived("SELECT NOT resyncing FROM lab.position", seconds=60)
    same(fed)
    assert clusters.one("sandbox", "SELECT count(*) FROM crm.person WHERE pseudonym = %s", (gone,)) == 0
    for cluster in ("core", "airlock"):
        clusters.wait(cluster, "SELECT count(*) = 2 AND bool_and(active AND wal_status <> 'lost') FROM pg_replication_slots", seconds=15)
    clusters.rows(down, "DROP SCHEMA slow CASCADE")
    arrives(fed)


# ---- the door for the sandbox's wish

def test_the_sandboxs_wish_for_a_slot_has_its_limits(fed):
    core = fed.core
    for role in ("innovator", "product_owner", "agent"):
        assert core.post("/v1/feed/slots", {"slot": "sandbox_crm"}, role=role).status == 403
    for body in ({"slot": "airlock_crm"}, {"slot": "x'; drop"}, {}, {"slot": 1}, {"slot": "sandbox_crm", "force": True}):
        r = core.post("/v1/feed/slots", body, role="service")
        assert r.status == 422 and r.headers["Content-Type"] == "application/problem+json", r
    # One that is being read is not taken away from its reader.
    fed.clusters.wait("airlock", "SELECT bool_and(active) FROM pg_replication_slots", seconds=10)
    r = core.post("/v1/feed/slots", {"slot": "sandbox_crm"}, role="service")
    assert r.status == 409, r
    assert core.get("/v1/feed", role="service").status == 200
    arrives(fed)


def test_the_state_of_the_workers_is_shown(fed):
    arrives(fed)
    hop = {h["hop"]: h["state"] for h in fed.core.get("/v1/feed", role="operator").json["hops"]}["core-airlock"]
    assert {s["name"] for s in hop["subscriptions"]} == {"airlock_registry", "airlock_crm"}
    assert all(s["running"] and s["enabled"] and not s["resyncing"] and s["apply_errors"] >= 0 for s in hop["subscriptions"])
    here = fed.sandbox.get("/v1/feed", role="operator").json["subscriptions"]
    assert all(s["running"] and s["apply_errors"] >= 0 for s in here) and len(here) == 2
    deadline = time.monotonic() + 5
    while (fed.core.metric("bimodal_feed_airlock_subscriptions_running"), fed.sandbox.metric("bimodal_copy_subscriptions_running")) != (2, 2):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert fed.core.metric("bimodal_feed_slots_lost") == 0
    assert fed.core.metric("bimodal_feed_airlock_apply_errors") >= 0
    assert fed.sandbox.metric("bimodal_copy_apply_errors") >= 0
