"""Each user's first day, from the sign-in on, by the console alone; sign-in by OpenID Connect with a real provider."""
import time
import uuid

import pytest

from identity import Provider
from product import Product
from test_console import PASSWORD, Person, people, scenario  # noqa: F401 (fixtures, on this file's product)
from test_people_page import house  # noqa: F401

SECRET = "a secret of the client"


class DaysProduct(Product):
    """With a cluster to rehearse on, and an identity provider that is another site to a browser."""
    provider = None

    def configure(self):
        super().configure()
        base = f"http://127.0.0.1:{self.core.port}"
        if self.provider is None:
            self.provider = Provider(f"{base}/v1/session/oidc/callback", SECRET, self.dir / "provider.log", host="127.0.0.2")
        with open(self.core.config, "a") as f:
            f.write(f"oidc:\n  issuer: {self.provider.issuer}\n  client_id: bimodal\n  client_secret_file: \"{self.secret('oidc-client', SECRET)}\"\n"
                    f"  redirect_base: {base}/\n  roles: \"crm-agents = agent\"\n  create_users: true\n")

    def start(self):
        super().start()
        self.provider.ready()
        return self

    def stop(self):
        if self.provider is not None:
            self.provider.stop()
        super().stop()


@pytest.fixture(scope="module")
def product():
    p = DaysProduct(rehearsal=True).start()
    yield p
    p.stop()


def rehearsed(core, title):
    """A change that an innovator filed and that was rehearsed: it waits for those who may approve."""
    field = f"shoe_size_{uuid.uuid4().hex[:6]}"
    r = core.post("/v1/changes", {
        "kind": "schema", "title": title, "why": "asked for by sales", "business_owner": "product_owner", "technical_owner": "innovator",
        "up": f"ALTER TABLE crm.person ADD COLUMN {field} int;\n"
              "INSERT INTO change.field (resource, name, position, type, class, kind, writable, filterable)\n"
              f"VALUES ('people', '{field}', (SELECT max(f.position) + 1 FROM change.field f WHERE f.resource = 'people'), 'integer',"
              " 'open', 'integer', true, true);",
        "down": f"DELETE FROM change.field WHERE resource = 'people' AND name = '{field}';\nALTER TABLE crm.person DROP COLUMN {field};",
        "verify": f"SELECT 'no field' WHERE NOT EXISTS (SELECT FROM change.field WHERE name = '{field}')"}, role="innovator")
    assert r.status == 201, r
    path = f"/v1/changes/{r.json['id']}"
    assert core.post(f"{path}/rehearse", role="operator").status == 202
    deadline = time.monotonic() + 60
    while (now := core.get(path, role="operator").json)["state"] != "rehearsed":
        assert now["state"] != "failed" and time.monotonic() < deadline, now
        time.sleep(0.1)
    return {"id": now["id"], "title": title, "path": path}


@pytest.fixture
def change(product):
    return rehearsed(product.core, f"Shoe sizes {uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def customer(product):
    """A person of an organization, and what is between us and them."""
    core, tag = product.core, f"t{uuid.uuid4().hex[:8]}"

    def made(resource, **fields):
        r = core.post(f"/v1/{resource}", fields)
        assert r.status == 201, r
        return r.json["id"]

    org = made("organizations", name=f"Works {tag}", sector="retail", country="AT")
    person = made("people", given_name="Ada", family_name=f"Aster {tag}", email=f"{tag}@example.org", country="AT", segment=tag, organization_id=org)
    made("opportunities", name=f"Deal {tag}", stage="engaging", organization_id=org, amount=1200)
    return {"tag": tag, "organization": org, "person": person}


def test_an_operator(scenario, product, house, change):
    scenario("days/operator", change=change, approver=product.core.tokens["product_owner"], **house)


def test_an_innovator(scenario, product, customer):
    fresh = Person(product, f"{customer['tag']}-ines", ["innovator"], password=None)
    scenario("days/innovator", fresh={"login": fresh.login, "secret": fresh.secret, "password": PASSWORD}, **customer)


def test_a_product_owner(scenario, product, change, customer):
    scenario("days/product_owner", change=change, token=product.core.tokens["operator"], **customer)


def test_sign_in_by_openid_connect(scenario, product, customer):
    tag = customer["tag"]
    product.provider.accounts(**{f"{tag}-ada": {"name": "Ada Lovelace", "groups": ["crm-agents"]}, f"{tag}-bob": {"groups": ["others"]}})
    scenario("days/openid_connect", others=[product.provider.issuer], token=product.core.tokens["operator"], **customer)
