"""Every statement that the record engine can make is prepared against a migrated database; kept replies expire."""
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from clusters import ROOT, Clusters  # noqa: E402

BUILD = pathlib.Path(os.environ.get("BIMODAL_BUILD", ROOT / "build" / "debug"))


@pytest.fixture(scope="module")
def clusters():
    c = Clusters(names=("core",))
    try:
        c.start(loaded=c.names)
        yield c
    finally:
        c.stop()


def test_every_statement_is_prepared(clusters):
    done = subprocess.run([BUILD / "tests" / "db" / "test_record_prepare"], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          env={**os.environ, "BIMODAL_TEST_CONNINFO": clusters.dsn("core", "bimodal_app", "bimodal")})
    assert done.returncode == 0, done.stdout + done.stderr


def test_kept_replies_expire(clusters):
    with clusters.connect("core") as db, db.cursor() as cur:
        for hours in (1, 25):
            cur.execute("insert into event.idempotency (principal, route, key, fingerprint, status, created_at) values "
                        "('p', 'r', %s, sha256('x'), 200, now() - make_interval(hours => %s))", (f"k{hours}", hours))
    with clusters.connect("core", "bimodal_executor") as db, db.cursor() as cur:
        cur.execute("select event.idempotency_expire()")
        assert cur.fetchone() == (1,)
    with clusters.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("select key from event.idempotency")
        assert cur.fetchall() == [("k1",)]
