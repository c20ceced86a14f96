"""The tests of this folder that are C programs, each against a server made for it."""
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
