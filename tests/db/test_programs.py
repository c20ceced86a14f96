"""The tests of this folder that are C programs, each against a server made for it; kept replies expire in one of these."""
import os
import pathlib
import subprocess

import pytest

from clusters import ROOT, Clusters

BUILD = pathlib.Path(os.environ.get("BIMODAL_BUILD", ROOT / "build" / "debug"))


@pytest.fixture(scope="module")
def empty():
    c = Clusters(names=("core",)).start()
    yield c
    c.stop()


@pytest.fixture(scope="module")
def loaded():
    c = Clusters(names=("core",)).start(loaded=("core",))
    yield c
    c.stop()


def run(program, clusters, role, dbname):
    env = dict(os.environ, BIMODAL_TEST_CONNINFO=clusters.dsn("core", role, dbname),
               BIMODAL_TEST_PGDATA=str(clusters.cluster["core"].data), CK_TIMEOUT_MULTIPLIER="15")
    done = subprocess.run([str(BUILD / "tests" / "db" / program)], env=env, cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]


@pytest.mark.parametrize("program", ["test_pool", "test_pipeline_trace"])
def test_postgres_floor(empty, program):
    run(program, empty, "postgres", "postgres")


def test_every_statement_of_the_record_engine_is_prepared(loaded):
    run("test_record_prepare", loaded, "bimodal_app", "bimodal")


def test_kept_replies_expire(loaded):
    with loaded.connect("core") as db, db.cursor() as cur:
        for hours in (1, 25):
            cur.execute("insert into event.idempotency (principal, route, key, fingerprint, status, created_at) values "
                        "('p', 'r', %s, sha256('x'), 200, now() - make_interval(hours => %s))", (f"k{hours}", hours))
    with loaded.connect("core", "bimodal_executor") as db, db.cursor() as cur:
        cur.execute("select event.idempotency_expire()")
        assert cur.fetchone() == (1,)
    with loaded.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("select key from event.idempotency")
        assert cur.fetchall() == [("k1",)]
