"""The event log: one row a write in its own transaction, a hash chain over it that seals itself, and erasure that leaves it whole."""
import concurrent.futures
import time
import uuid

import psycopg2
import pytest


def rows(product, record):
    return product.clusters.rows("core", "SELECT op, actor, request_id, version, before, after, resource FROM event.log WHERE record_id = %s ORDER BY seq",
                                 (record,))


def sealed(product, seconds=30.0):
    """Waits until all that is in the log now is in the chain; if it never is, the error says what the jobs and the server were at."""
    xid, seq = product.clusters.rows("core", "SELECT l.xid::text, l.seq FROM event.log l ORDER BY l.xid DESC, l.seq DESC LIMIT 1")[0]
    try:
        return product.clusters.wait("core", "SELECT coalesce((SELECT (last_xid, last_seq) >= (%s::text::xid8, %s::bigint) FROM event.block"
                                     " ORDER BY no DESC LIMIT 1), false)", (xid, seq), seconds)
    except TimeoutError as e:
        told = [line for line in product.core.log.read_text().splitlines() if '"worker":-' in line or '"level":"error"' in line]
        raise TimeoutError("\n".join([str(e), *told[-40:], product.clusters.feed_state()])) from None


def test_every_write_has_its_row(core, product):
    me = core.get("/v1/me").json["principal"]
    org = core.post("/v1/organizations", {"name": "Ev", "stage": "a"})
    path, record = org.headers["Location"], org.json["id"]
    replies = [org, core.patch(path, {"stage": "b"}, headers={"If-Match": org.etag})]
    refused = [core.patch(path, {"stage": "c"}, headers={"If-Match": org.etag}), core.patch(path, {"stage": 5}, headers={"If-Match": "*"}),
               core.patch(path, {"parent_id": str(uuid.uuid4())}, headers={"If-Match": "*"}), core.delete(path, headers={"If-Match": '"v1"'})]
    assert [r.status for r in refused] == [412, 422, 422, 412]
    replies.append(core.delete(path, headers={"If-Match": "*"}))
    got = rows(product, record)
    assert [(r[0], r[3]) for r in got] == [("create", 1), ("update", 2), ("delete", 2)]
    assert [r[2] for r in got] == [r.headers["Request-Id"] for r in replies]
    assert {r[1] for r in got} == {me} and {r[6] for r in got} == {"organizations"}
    create, update, delete = got
    assert create[4] is None and create[5]["stage"] == "a" and create[5]["id"] == record
    assert update[4]["stage"] == "a" and update[5]["stage"] == "b" and update[4]["version"] == 1
    assert delete[5] is None and delete[4]["stage"] == "b"


def test_write_and_row_are_one_transaction(core, product):
    r = core.post("/v1/people", {"given_name": "Tx"})
    xid = product.clusters.one("core", "SELECT (SELECT xmin FROM crm.person WHERE id = %s)::text = (xid::text::bigint %% 4294967296)::text"
                               " FROM event.log WHERE record_id = %s", (r.json["id"], r.json["id"]))
    assert xid is True


def test_batches_and_cascades_are_told(core, product):
    person = core.post("/v1/people", {"given_name": "Cas"}).json["id"]
    case = core.post("/v1/cases", {"person_id": person}).json["id"]
    consent = core.post(f"/v1/people/{person}/consents", {"purpose": "analysis", "state": "withdrawn"})
    told = product.clusters.rows("core", "SELECT resource, op FROM event.log WHERE request_id = %s ORDER BY resource", (consent.headers["Request-Id"],))
    assert ("consents", "create") in told and ("people", "update") in told and ("cases", "update") in told
    r = core.post("/v1/organizations/batch", {"ops": [{"op": "create", "data": {"name": "b"}} for _ in range(50)]})
    assert product.clusters.one("core", "SELECT count(*) FROM event.log WHERE request_id = %s", (r.headers["Request-Id"],)) == 50
    before = product.clusters.one("core", "SELECT max(seq) FROM event.log WHERE op <> 'access.refused'")
    ops = [{"op": "create", "data": {"name": "b"}} for _ in range(50)] + [{"op": "delete", "id": str(uuid.uuid4()), "if_match": "*"}]
    assert core.post("/v1/organizations/batch", {"ops": ops}).status == 404
    assert product.clusters.one("core", "SELECT max(seq) FROM event.log WHERE op <> 'access.refused'") == before
    gone = core.delete(f"/v1/people/{person}", headers={"If-Match": "*"})
    told = product.clusters.rows("core", "SELECT record_id::text, op FROM event.log WHERE request_id = %s", (gone.headers["Request-Id"],))
    assert (person, "delete") in told and (case, "delete") in told and (consent.json["id"], "delete") in told


def test_secret_fields_are_in_no_image(core, product):
    person = core.post("/v1/people", {"given_name": "Sec"}).json["id"]
    core.post("/v1/cases", {"person_id": person})
    p = product.clusters.one("core", "SELECT pseudonym::text FROM crm.person WHERE id = %s", (person,))
    assert product.clusters.one("core", "SELECT count(*) FROM event.log WHERE before::text LIKE %s OR after::text LIKE %s", (f"%{p}%", f"%{p}%")) == 0


def test_log_cannot_be_written_or_changed(product):
    for role in ("bimodal_app", "bimodal_executor"):
        for sql in ("INSERT INTO event.log (actor, request_id, op) VALUES ('x', 'x', 'create')", "UPDATE event.log SET actor = 'x'",
                    "DELETE FROM event.log", "TRUNCATE event.log", "DELETE FROM event.block", "UPDATE event.block SET n = 1"):
            with pytest.raises(psycopg2.Error):
                product.clusters.rows("core", sql, role=role)
    with pytest.raises(psycopg2.Error) as e:
        product.clusters.rows("core", "INSERT INTO crm.organization (name) VALUES ('nobody')", role="bimodal_app")
    assert e.value.pgcode == "CR001"


def test_chain_seals_within_seconds_and_holds(core, product):
    core.post("/v1/organizations", {"name": "Seal"})
    took = sealed(product)
    assert took < 5, took
    assert product.clusters.one("core", "SELECT event.verify()") is None
    total, covered = product.clusters.rows("core", "SELECT (SELECT count(*) FROM event.log WHERE (xid, seq) <= (b.last_xid, b.last_seq)),"
                                           " (SELECT sum(n) FROM event.block) FROM event.block b ORDER BY no DESC LIMIT 1")[0]
    assert total == covered


def test_chain_holds_under_concurrent_writers(core, product):
    def write(n):
        for i in range(15):
            assert core.post("/v1/organizations", {"name": f"c{n}.{i}"}).status == 201
            core.post("/v1/organizations/batch", {"ops": [{"op": "create", "data": {"name": "c"}} for _ in range(7)]})
        return True

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        assert all(pool.map(write, range(6)))
    sealed(product)
    assert product.clusters.one("core", "SELECT event.verify()") is None
    twice = product.clusters.one("core", "SELECT count(*) FROM event.log l WHERE (SELECT count(*) FROM event.block b WHERE (l.xid, l.seq)"
                                 " BETWEEN (b.first_xid, b.first_seq) AND (b.last_xid, b.last_seq)) <> 1"
                                 " AND (l.xid, l.seq) <= (SELECT b.last_xid, b.last_seq FROM event.block b ORDER BY no DESC LIMIT 1)")
    assert twice == 0  # what the daemons themselves have written since waits for its block


def test_open_transaction_holds_the_seal_back(core, product):
    """A row of a transaction that commits late must not be missing from the chain."""
    db = product.clusters.connect("core", "bimodal_app", autocommit=False)
    try:
        with db.cursor() as cur:
            cur.execute("SELECT set_config('bimodal.actor', 'late', true), set_config('bimodal.request', 'late', true)")
            cur.execute("INSERT INTO crm.organization (name) VALUES ('late') RETURNING id")
            late = cur.fetchone()[0]
            core.post("/v1/organizations", {"name": "early"})
            time.sleep(1.5)
        db.commit()
    finally:
        db.close()
    sealed(product)
    assert product.clusters.one("core", "SELECT count(*) FROM event.log l JOIN event.block b ON (l.xid, l.seq) BETWEEN (b.first_xid, b.first_seq)"
                                " AND (b.last_xid, b.last_seq) WHERE l.record_id = %s", (late,)) == 1
    assert product.clusters.one("core", "SELECT event.verify()") is None


def test_erasure_takes_the_payload_and_leaves_the_chain(core, product):
    mark = f"Erase{uuid.uuid4().hex}"
    person = core.post("/v1/people", {"given_name": mark})
    core.patch(person.headers["Location"], {"city": mark}, headers={"If-Match": "*"})
    sealed(product)
    db = product.clusters.connect("core", "bimodal_app", autocommit=False)
    with db.cursor() as cur:
        cur.execute("SELECT set_config('bimodal.actor', 'eraser', true), set_config('bimodal.request', 'r', true)")
        cur.execute("SELECT event.erase('people', %s)", (person.json["id"],))
        assert cur.fetchone()[0] == 2
    db.commit()
    db.close()
    assert product.clusters.one("core", "SELECT count(*) FROM event.log WHERE before::text LIKE %s OR after::text LIKE %s", (f"%{mark}%", f"%{mark}%")) == 0
    assert product.clusters.one("core", "SELECT event.verify()") is None
    sealed(product)
    assert product.clusters.one("core", "SELECT event.verify()") is None
    assert [r[0] for r in rows(product, person.json["id"])] == ["create", "update", "erase"]


def test_what_is_erased_before_it_is_sealed_does_not_stop_the_chain(core, product):
    """Written and erased in one transaction, so that no seal can come between."""
    db = product.clusters.connect("core", "bimodal_app", autocommit=False)
    with db.cursor() as cur:
        cur.execute("SELECT set_config('bimodal.actor', 'eraser', true), set_config('bimodal.request', 'r', true)")
        cur.execute("INSERT INTO crm.organization (name) VALUES ('short-lived') RETURNING id")
        cur.execute("SELECT event.erase('organizations', %s)", cur.fetchone())
        assert cur.fetchone()[0] == 1
    db.commit()
    db.close()
    sealed(product)
    assert product.clusters.one("core", "SELECT event.verify()") is None


TAMPERINGS = ["UPDATE event.log SET actor = 'forged' WHERE record_id = %(id)s", "UPDATE event.log SET after = after || '{\"stage\":\"forged\"}' WHERE record_id = %(id)s",
              "UPDATE event.log SET request_id = 'forged' WHERE record_id = %(id)s", "UPDATE event.log SET at = at + interval '1 us' WHERE record_id = %(id)s",
              "UPDATE event.log SET before = NULL, after = NULL, salt = NULL WHERE record_id = %(id)s", "DELETE FROM event.log WHERE record_id = %(id)s",
              "UPDATE event.block SET digests = set_byte(digests, 0, get_byte(digests, 0) # 1) WHERE no = 1", "DELETE FROM event.block WHERE no = 2",
              "UPDATE event.block SET prev = sha256('x') WHERE no = 2"]


@pytest.mark.parametrize("sql", TAMPERINGS)
def test_tampering_is_found(core, product, sql):
    """By the superuser, with the triggers off, in a transaction that is taken back."""
    made = core.post("/v1/organizations", {"name": "Tamper"}).json["id"]
    sealed(product)
    db = product.clusters.connect("core", autocommit=False)
    try:
        with db.cursor() as cur:
            cur.execute("SELECT event.verify()")
            assert cur.fetchone()[0] is None
            cur.execute("SET LOCAL session_replication_role = replica")
            cur.execute(sql, {"id": made})
            assert cur.rowcount == 1
            cur.execute("SELECT event.verify()")
            assert cur.fetchone()[0] is not None
    finally:
        db.rollback()
        db.close()
