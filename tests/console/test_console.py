"""The console in a real browser against the real daemons: each scenario of tests/console/scenarios in a fresh profile.

A scenario fails by what it asserts and by whatever the browser complains about: see browser.mjs. BIMODAL_CONSOLE_SHOTS names a folder
that gets a picture of every page in light, dark and on a narrow screen. What the pages were answered is held against the description of
the API, as in every other scenario."""
import json
import os
import shutil
import subprocess
import uuid

import pytest

import traced
from clusters import ROOT
from product import CONSOLE, Product

PASSWORD = "a quiet harbour at 6 in the morning"
ROLES = ("operator", "innovator", "product_owner", "agent")


class Person:
    """Somebody who can sign in."""

    def __init__(self, product, name, roles, password=PASSWORD):
        self.login, self.password = f"{name}-{uuid.uuid4().hex[:6]}", password
        r = product.core.post("/v1/users", {"name": self.login, "display_name": name.replace("_", " ").title(), "roles": roles}, role="operator")
        assert r.status == 201, r
        self.id = r.json["id"]
        self.secret = product.core.post(f"/v1/users/{self.id}/password-reset", role="operator").json["secret"]
        if password:
            assert product.core.post("/v1/password-reset", {"secret": self.secret, "password": password}, role=None).status == 204

    def session(self, core):
        """One more session of his, from elsewhere."""
        assert core.post("/v1/session", {"login": self.login, "password": self.password}, role=None).status == 201


@pytest.fixture(scope="module")
def product():
    p = Product().start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def people(product):
    return {role: Person(product, role, [role]) for role in ROLES}


@pytest.fixture
def scenario(product, people):
    def run(name, **more):
        conf = {"core": f"http://127.0.0.1:{product.core.port}", "sandbox": f"http://127.0.0.1:{product.sandbox.port}",
                "chromium": shutil.which("chromium"), "folder": str(CONSOLE), "shots": os.environ.get("BIMODAL_CONSOLE_SHOTS"),
                "people": {role: {"login": p.login, "password": p.password} for role, p in people.items()}, **more}
        with traced.Trace(product.core, product.sandbox) as trace:
            done = subprocess.run(["node", str(ROOT / "tests" / "console" / "run.mjs"), name], input=json.dumps(conf), capture_output=True, text=True,
                                  timeout=240, env={**os.environ, **trace.env})
            print(done.stdout)
            if done.returncode != 0:
                pytest.fail(done.stdout + done.stderr, pytrace=False)
            trace.look()
            assert trace.lines > 0
    return run


def test_signing_in_and_out(scenario):
    scenario("shell/signing_in")


def test_the_first_page_is_small(scenario):
    scenario("shell/first_page_is_small")


@pytest.mark.parametrize("role,sees,areas", [
    ("operator", ["flags", "changes", "hypotheses"], ["Home", "Customers", "Flags", "Changes", "People"]),
    ("innovator", ["flags", "changes", "hypotheses"], ["Home", "Customers", "Flags", "People"]),
    ("agent", [], ["Home", "Customers"]),
])
def test_home(scenario, role, sees, areas):
    scenario("shell/home_by_role", role=role, sees=sees, areas=areas)


def test_palette_and_keys(scenario, core_customer):
    scenario("shell/palette_and_keys", customer=core_customer)


@pytest.fixture
def core_customer(product):
    word = "Zamboni" + uuid.uuid4().hex[:8]
    r = product.core.post("/v1/people", {"given_name": "Ada", "family_name": word, "email": f"{word.lower()}@example.org"})
    assert r.status == 201, r
    return {"word": word, "name": f"Ada {word}", "path": f"/console/customers/people/{r.json['id']}"}


@pytest.fixture
def waiting_change(product, people):
    """A change that waits for an approval, as its rehearsal leaves it."""
    title = f"change {uuid.uuid4().hex[:8]}"
    cid = product.clusters.one("core", "INSERT INTO change.request (kind, title, author, filed_by, up, package, sha256, state, why, business_owner,"
                                       " technical_owner) VALUES ('schema', %s, %s, %s, 'SELECT 1', 'x', '', 'rehearsed', 'because', %s, %s) RETURNING id::text",
                               (title, people["operator"].id, people["operator"].id, people["operator"].id, people["innovator"].id))
    product.clusters.rows("core", "SELECT change.ledger_append(%s, 'change.rehearsed', %s, '{}')", (people["operator"].id, cid))
    return title


def test_what_waits(scenario, waiting_change):
    scenario("shell/what_waits", task=waiting_change, record=waiting_change)


def test_account(scenario, product, people):
    people["innovator"].session(product.core)
    scenario("shell/account")


def test_a_session_that_ends(scenario):
    scenario("shell/a_session_that_ends")


def test_a_password_by_a_one_time_secret(scenario, product):
    fresh = Person(product, "fresh", ["agent"], password=None)
    scenario("shell/set_password", fresh={"login": fresh.login, "secret": fresh.secret, "password": PASSWORD})


def test_mode_1_works_when_the_sandbox_is_away(scenario, product):
    product.sandbox.stop()
    try:
        scenario("shell/sandbox_away")
    finally:
        product.sandbox.start()
