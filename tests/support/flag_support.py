"""Short forms for scenario tests that need a flag."""
import datetime


HALVES = {"experiment": {"variations": ["control", "treatment"]}}


def create(core, key, unit, rules=(HALVES,)):
    """A live flag, which divides its units in halves; its key."""
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    r = core.post("/v1/flags", {
        "key": key, "kind": "release", "purpose": "a test", "business_owner": "product_owner", "technical_owner": "innovator",
        "expires_at": expires.isoformat(), "enabled": True,
        "document": {"unit": unit, "variations": [{"key": "control", "value": False}, {"key": "treatment", "value": True}],
                     "rules": list(rules), "default": "control"},
    }, role="product_owner")
    assert r.status == 201, r
    return key


def ofrep(core, key, unit):
    return core.post(f"/ofrep/v1/evaluate/flags/{key}", {"context": {"targetingKey": unit}})
