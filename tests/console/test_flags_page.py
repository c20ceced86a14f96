"""The page of flags in a real browser: a product owner's day, what an operator may do, markup in every text."""
import datetime
import uuid

import pytest

from test_console import people, product, scenario  # noqa: F401 (fixtures: one product for this file)


def days(n):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%SZ")


def made(product, people, key, document, **more):
    flag = {"key": key, "kind": "release", "purpose": f"Purpose of {key}", "business_owner": people["product_owner"].login,
            "technical_owner": people["innovator"].login, "expires_at": days(200), "document": document, **more}
    r = product.core.post("/v1/flags", flag, role="product_owner")
    assert r.status == 201, r


SWITCH = [{"key": "old", "value": False}, {"key": "fresh", "value": True}]


@pytest.fixture
def flags(product, people):
    """One with a rule, off, in its second revision; one that is on and ends soon; one without rules."""
    tag = f"t{uuid.uuid4().hex[:8]}"
    rule = {"id": "alps", "force": "fresh", "condition": {"country": {"$in": ["AT", "CH"]}, "$or": [{"plan": "pro"}, {"age": {"$gte": 50}}]}}
    made(product, people, f"{tag}-checkout", {"unit": "person", "variations": SWITCH, "rules": [], "default": "old"}, purpose="A shorter way through the checkout")
    r = product.core.post(f"/v1/flags/{tag}-checkout/revisions", {"document": {"unit": "person", "variations": SWITCH, "rules": [rule], "default": "old"},
                                                                "comment": "first the Alps"}, role="product_owner")
    assert r.status == 201, r
    halves = {"experiment": {"variations": ["old", "fresh"], "weights": [0.5, 0.5], "coverage": 0.2}}
    made(product, people, f"{tag}-banner", {"unit": "visitor", "variations": SWITCH, "rules": [halves], "default": "old"}, kind="experiment", expires_at=days(7), enabled=True)
    texts = [{"key": "short", "value": "Hello"}, {"key": "long", "value": "Good morning"}]
    made(product, people, f"{tag}-greeting", {"unit": "organization", "variations": texts, "rules": [{"force": "long", "coverage": 0.1}], "default": "short"})
    r = product.core.post("/v1/people", {"given_name": "Ada", "family_name": tag, "country": "AT"})
    assert r.status == 201, r
    return {"tag": tag, "token": product.core.tokens["product_owner"], "owner": people["product_owner"].login, "person": r.json["id"],
            "before": (datetime.datetime.now() + datetime.timedelta(seconds=1)).replace(microsecond=0).isoformat()}


def test_a_product_owners_day(scenario, flags):
    scenario("flags/owners_day", **flags)


def test_making_and_publishing(scenario, people, flags):
    scenario("flags/making", technical=people["innovator"].login, **flags)


def test_why_a_customer_saw_this(scenario, product, people, flags):
    key, person = f"{flags['tag']}-halves", flags["person"]
    made(product, people, key, {"unit": "person", "variations": SWITCH, "rules": [{"experiment": {"variations": ["old", "fresh"]}}], "default": "old"}, enabled=True)
    given = product.core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": {"targetingKey": person}}, role="product_owner").json
    product.clusters.wait("core", "select exists (select from flag.exposure where flag = %s)", (key,))
    scenario("flags/why", key=key, variant=given["variant"], agent=product.core.tokens["agent"], **flags)


def test_an_operator_stops_and_does_not_start(scenario, product, flags):
    scenario("flags/operator", boss=product.core.tokens["operator"], **flags)


ATTACKS = ('<script>window.xss=1;ran()</script>', '<img src=x onerror="window.xss=1;ran()">', '"><svg onload=ran()>', "javascript:alert(1)",
           '{{constructor.constructor("ran()")()}}')


def test_markup_is_text(scenario, product, people):
    key, everything = f"x{uuid.uuid4().hex[:8]}", " ".join(ATTACKS)
    document = {"unit": "person", "variations": [{"key": f"v{i}", "value": a} for i, a in enumerate(ATTACKS)], "default": "v0",
                "rules": [{"id": a, "force": "v1", "condition": {a: {"$in": [a]}}} for a in ATTACKS]}
    made(product, people, key, document, purpose=everything)
    assert product.core.post(f"/v1/flags/{key}/enable", {"comment": everything}, role="product_owner").status == 200
    scenario("flags/markup", key=key, attacks=ATTACKS)
