"""Each user's first day, from the sign-in on, by the console alone; sign-in by OpenID Connect with a real provider."""
import datetime
import json
import time
import urllib.parse
import uuid

import pytest

from feature import deploy, files
from identity import Provider
from product import Product
from test_console import PASSWORD, Person, people, scenario  # noqa: F401 (fixtures, on this file's product)
from test_customers import ATTACKS
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


def wanted(title, **more):
    """A change that adds a field of its own."""
    field = f"shoe_size_{uuid.uuid4().hex[:6]}"
    return {
        "kind": "schema", "title": title, "why": "asked for by sales", "business_owner": "product_owner", "technical_owner": "innovator",
        "up": f"ALTER TABLE crm.person ADD COLUMN {field} int;\n"
              "INSERT INTO change.field (resource, name, position, type, class, kind, writable, filterable)\n"
              f"VALUES ('people', '{field}', (SELECT max(f.position) + 1 FROM change.field f WHERE f.resource = 'people'), 'integer',"
              " 'open', 'integer', true, true);",
        "down": f"DELETE FROM change.field WHERE resource = 'people' AND name = '{field}';\nALTER TABLE crm.person DROP COLUMN {field};",
        "verify": f"SELECT 'no field' WHERE NOT EXISTS (SELECT FROM change.field WHERE name = '{field}')", **more}


def rehearsed(core, title, **more):
    """A change that an innovator filed and that was rehearsed: it waits for those who may approve."""
    r = core.post("/v1/changes", wanted(title, **more), role="innovator")
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


def test_decisions_on_changes(scenario, change):
    scenario("changes/decisions", change=change, own=wanted(f"Own {uuid.uuid4().hex[:8]}"))


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


class Hostile:
    """Markup in every text that somebody may write and that the console shows, and where it is to be seen: (path, texts)."""

    def __init__(self, product, people):
        self.product, self.core, self.n = product, product.core, 0
        self.tag = f"x{uuid.uuid4().hex[:8]}"
        self.pages = []
        self.user(people)
        self.team()
        self.token()
        self.change()
        self.flag()
        self.hypothesis()
        self.reflected()

    def text(self, word):
        self.n += 1
        return f"{word} {self.tag} {ATTACKS[self.n % len(ATTACKS)]}"

    def post(self, path, body, role="operator", daemon=None):
        r = (daemon or self.core).post(path, body, role=role)
        assert r.status in (200, 201, 204), r
        return r.json if r.body else None

    def shows(self, path, *texts):
        self.pages.append({"path": path, "texts": texts})

    def user(self, people):
        """Who looks at it all: an operator whose name is markup, and who signed in with a browser of such a name elsewhere."""
        self.person, self.name, agent = Person(self.product, self.tag, ["operator"]), self.text("Name"), self.text("Agent")
        path = f"/v1/users/{self.person.id}"
        assert self.core.patch(path, {"display_name": self.name}, role="operator", headers={"If-Match": "*"}).status == 200
        r = self.core.post("/v1/session", {"login": self.person.login, "password": self.person.password}, role=None, headers={"User-Agent": agent})
        assert r.status == 201, r
        self.shows(f"/people?q={self.person.login}", self.name)
        self.shows(f"/people/{self.person.id}", self.name)
        self.shows(f"/people/{self.person.id}/hand-over", self.name)
        self.shows(f"/people/sessions?of={self.person.id}", self.name, agent)
        self.shows("/account", self.name, agent)

    def team(self):
        name = self.text("Team")
        team = self.post("/v1/teams", {"name": name, "slug": self.tag})["id"]
        assert self.core.request("PUT", f"/v1/teams/{team}/members/{self.person.id}", {"is_lead": True}, role="operator").status in (200, 201)
        self.shows("/people/teams", name)
        self.shows(f"/people/teams/{team}", name, self.name)
        # A message to it goes nowhere: what stands in its webhook is shown all the same.
        self.webhook = {"url": "https://hooks.example.org/?a='-ran()-'\"><svg/onload=ran()>", "description": self.text("Hook"), "team": team}
        self.shows("/people/webhooks", self.webhook["url"], self.webhook["description"], name)

    def token(self):
        label = self.text("Token")
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
        service = self.post("/v1/users", {"name": f"{self.tag}-robot", "kind": "service", "display_name": self.text("Robot"), "roles": ["operator"],
                                          "business_owner": self.person.id, "technical_owner": self.other()})
        token = self.post("/v1/tokens", {"audience": "core", "expires_at": until, "principal": service["id"], "label": label})["id"]
        self.shows(f"/people/tokens?of={service['id']}", label, service["display_name"])
        self.shows(f"/tokens/{token}", label)

    def other(self):
        return self.core.get("/v1/users?q=innovator&state=active", role="operator").json["data"][0]["id"]

    def change(self):
        title, why = self.text("Change"), self.text("Why")
        self.made = rehearsed(self.core, title, why=why, benefit=self.text("Benefit"), risk=self.text("Risk"))
        self.shows("/notices", title, why)
        self.shows(f"/changes/{self.made['id']}", title, why)

    def flag(self):
        purpose, comment = self.text("Purpose"), self.text("Comment")
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
        document = {"unit": "person", "variations": [{"key": "on", "value": True}, {"key": "off", "value": False}], "rules": [], "default": "off"}
        self.post("/v1/flags", {"key": self.tag, "kind": "release", "purpose": purpose, "business_owner": self.person.login, "technical_owner": "innovator",
                                "expires_at": until, "document": document, "enabled": True}, role="product_owner")
        self.post(f"/v1/flags/{self.tag}/kill", {"comment": comment})
        self.shows(f"/flags/{self.tag}", purpose, comment)
        self.shows("/notices?show=mine", comment)
        self.killed = comment

    def hypothesis(self):
        title, package = self.text("Hypothesis"), files(self.tag)
        package["feature.yaml"] = package["feature.yaml"].replace(f"title: Advice for {self.tag}", f"title: {json.dumps(title)}")
        r = deploy(self.product.sandbox, package)
        assert r.status in (200, 201, 202), r
        self.shows("/", self.name, self.made["title"], self.killed, title)

    def reflected(self):
        """What stands in an address is a text, too."""
        quoted = [urllib.parse.quote(attack, safe="") for attack in ATTACKS]
        self.shows("/customers/organizations?" + "&".join(f"sector=neq.{q}" for q in quoted), *ATTACKS)
        for path in (f"/customers/{quoted[0]}", f"/nowhere/{quoted[1]}", f"/people/access?who={quoted[1]}&method=GET&path=%2Fv1%2F{quoted[2]}",
                     f"/customers/organizations?sort={quoted[1]}"):
            self.pages.append({"path": path, "texts": [], "refused": True})


def test_markup_is_shown_everywhere_and_never_read(scenario, product, people):
    hostile = Hostile(product, people)
    scenario("days/markup", login=hostile.person.login, password=hostile.person.password, pages=hostile.pages, webhook=hostile.webhook,
             view=hostile.text("View"))
