"""Shared by all pytest suites: the support folder, and one running product a session."""
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
