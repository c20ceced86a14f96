"""The pages of people and notices in a real browser: an operator's first day, what is not offered to others, how one wants to be told."""
import uuid

import pytest

from test_console import Person, people, product, scenario  # noqa: F401 (fixtures: one product for this file)


@pytest.fixture
def house(product, people):
    """A leaver who owns things and is signed in, his successor, and a service of others."""
    core, tag = product.core, f"t{uuid.uuid4().hex[:8]}"
    leaver, successor = Person(product, f"{tag}-leaver", ["agent"]), Person(product, f"{tag}-successor", ["agent"])
    leaver.session(core)
    for i in range(3):
        assert core.post("/v1/organizations", {"name": f"Works {tag} {i}", "owner": leaver.login}).status == 201
    r = core.post("/v1/users", {"name": f"{tag}-robot", "kind": "service", "roles": ["operator"], "business_owner": successor.id,
                                "technical_owner": people["agent"].id}, role="operator")
    assert r.status == 201, r
    return {"tag": tag, "leaver": {"id": leaver.id, "login": leaver.login}, "successor": successor.login, "robot": r.json["name"], "token": core.tokens["operator"]}


def test_an_operators_first_day(scenario, house):
    scenario("people/first_day", **house)


def test_a_leaver(scenario, house):
    scenario("people/leaver", **house)


def test_what_is_not_ones_own_is_not_offered(scenario, house):
    scenario("people/not_offered", **house)


def test_notices_and_how_one_is_told(scenario):
    scenario("people/notices")


def test_webhooks(scenario):
    scenario("people/webhooks")
