"""The pages of customers in a real browser: an agent's first day, paging, what is hidden, what is refused, markup in every text."""
import datetime
import uuid

import pytest

from test_console import people, product, scenario  # noqa: F401 (fixtures: one product for this file)


def unique(prefix):
    return f"{prefix}{uuid.uuid4().hex[:10]}"


def made(core, resource, **fields):
    r = core.post(f"/v1/{resource}", fields)
    assert r.status == 201, r
    return r.json["id"]


@pytest.fixture
def ada(product):
    """Four people of a segment, one of whom has everything."""
    core, tag = product.core, unique("seg")
    org = made(core, "organizations", name=unique("Works "))
    ada = made(core, "people", given_name="Ada", family_name="Aster", email="ada@example.org", city="Salzburg", country="AT", segment=tag, organization_id=org)
    for given, family, country in (("Bo", "Birch", "DE"), ("Cy", "Cedar", "AT"), ("Di", "Dogwood", "FR")):
        made(core, "people", given_name=given, family_name=family, country=country, segment=tag)
    assert core.post(f"/v1/people/{ada}/consents", {"purpose": "marketing", "state": "granted"}).status == 201
    made(core, "opportunities", name="Deal of Ada", stage="engaging", person_id=ada, amount=1200)
    made(core, "cases", subject="Case of Ada", person_id=ada)
    made(core, "interactions", kind="call", subject="Talk with Ada", body="They spoke\nof this and that", direction="in", person_id=ada)
    return {"tag": tag, "ada": ada, "token": core.tokens["agent"]}


def test_an_agents_first_day(scenario, ada):
    scenario("customers/first_day", **ada)


def back(months):
    """A day in the middle of the month so many before this one."""
    now = datetime.date.today()
    n = now.year * 12 + now.month - 1 - months
    return f"{n // 12}-{n % 12 + 1:02}-15T12:00:00Z"


def test_interactions_by_month(scenario, product, ada):
    core = product.core
    org = made(core, "organizations", name=unique("Works "))
    for months, n in ((1, 3), (4, 5), (11, 1), (12, 2), (-3, 1)):
        for _ in range(n):
            made(core, "interactions", kind="call", at=back(months), person_id=ada["ada"])
    made(core, "interactions", kind="call", at=back(5), organization_id=org)
    for _ in range(2):
        ops = [{"op": "create", "data": {"kind": "web", "at": back(2), "organization_id": org}} for _ in range(501)]
        assert core.post("/v1/interactions/batch", {"ops": ops}).status == 200
    scenario("customers/months", org=org, **ada)


def test_making_customers(scenario):
    scenario("customers/making", tag=unique("made"))


def test_paging_without_counting(scenario, product):
    tag = unique("page")
    ops = [{"op": "create", "data": {"name": f"{tag} {i:03}", "owner": tag}} for i in range(105)]
    assert product.core.post("/v1/organizations/batch", {"ops": ops}).status == 200
    scenario("customers/paging", tag=tag)


def test_hidden_is_told_as_hidden(scenario, ada):
    scenario("customers/hidden", **ada)


def test_trouble_in_plain_words(scenario, product, ada):
    erased = made(product.core, "people", given_name="Erased")
    before = product.core.get(f"/v1/people/{erased}/history").json["data"][0]["at"]
    with product.clusters.connect("core", "bimodal_app") as db, db.cursor() as cur:
        cur.execute("select set_config('bimodal.actor', 'test', true)")
        cur.execute("select event.erase('people', %s)", (erased,))
    scenario("customers/trouble", erased=erased, before=before, **ada)


ATTACKS = ('<script>window.xss=1;ran()</script>', '<img src=x onerror="window.xss=1;ran()">', '"><svg onload=ran()>', "'-alert(1)-'",
           'javascript:alert(1)', '<iframe srcdoc="<script>parent.ran()</script>">', '{{constructor.constructor("ran()")()}}', '</title><script>ran()</script>')


def attacked(core, resource, word):
    """A record with markup in every text that it has, and what of it can be found on its page."""
    record = core.get("/v1/openapi.json").json["components"]["schemas"][f"{resource}.Create"]["properties"]
    body, texts = {}, []
    for i, (name, schema) in enumerate(record.items()):
        kinds = schema.get("type")
        if "string" not in kinds or "number" in kinds or "format" in schema or "enum" in schema:
            continue
        attack = ATTACKS[i % len(ATTACKS)]
        if schema.get("maxLength", 10000) < len(attack):
            attack = "<b onclick=a()>"[:schema["maxLength"]]
        body[name] = f"{word} {attack}" if name in ("family_name", "name") else attack
        texts.append(body[name])
    assert len(texts) >= 8, body
    return made(core, resource, **body), texts


def test_markup_is_shown_and_never_read(scenario, product):
    word, records = unique("Zeta"), []
    for resource, name in (("people", "family_name"), ("organizations", "name")):
        record, texts = attacked(product.core, resource, word)
        fields = ",".join(k for k, v in product.core.get(f"/v1/{resource}/{record}").json.items() if isinstance(v, str))
        records.append({"resource": resource, "id": record, "texts": texts, "listed": f"id=eq.{record}&fields={fields}", "name": name})
    scenario("customers/markup", attacked=records, word=word)
