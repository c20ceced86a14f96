"""Shared by all pytest suites: the support folder, one running product a session, and the queue of a suite's files."""
import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "support"))


@pytest.fixture(scope="session")
def product():
    from product import Product
    p = Product().start()
    yield p
    p.stop()


@pytest.fixture(scope="session")
def core(product):
    return product.core


@pytest.fixture(scope="session")
def sandbox(product):
    return product.sandbox


# ---- several processes share the files of one suite: BIMODAL_TEST_QUEUE names a folder in which each file is taken by one of them

def taken(queue, path):
    try:
        (queue / str(path).replace("/", "%")).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def shared_items(session, queue):
    """The tests of each file that this process gets, a file only when the one before is nearly done; big ones first."""
    files = [(path, list(items)) for path, items in itertools.groupby(session.items, key=lambda i: i.path)]
    for path, items in sorted(files, key=lambda f: -f[0].stat().st_size):
        if taken(queue, path):
            yield from items


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session):
    queue = os.environ.get("BIMODAL_TEST_QUEUE")
    if not queue or session.config.option.collectonly or session.testsfailed:
        return None
    items = shared_items(session, pathlib.Path(queue))
    item = next(items, None)
    while item is not None:
        following = next(items, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True
