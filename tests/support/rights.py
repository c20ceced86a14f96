"""Rights as the product states them: roles.yaml, the routes of both daemons, and the table of who gets through (tests/api/rights.table)."""
import json
import pathlib
import re
import subprocess
import uuid

from clusters import ROOT
from product import BUILD, ROLES

RESOURCES = ("organizations", "people", "consents", "interactions", "opportunities", "cases")
CLASSES = ("open", "internal", "personal")
TABLE = ROOT / "tests" / "api" / "rights.table"


def matrix():
    """roles.yaml as {role: (rights, read classes, write classes)}, read without a YAML library."""
    found = {}
    for name, block in re.findall(r"^  ([a-z_]+):\n((?:    .*\n|\s*\n)+)", (ROOT / "config" / "roles.yaml").read_text() + "\n", re.M):
        lists = {k: set(re.split(r"[,\s]+", v.replace('"', "").strip())) - {""} for k, v in re.findall(r"(\w+): \[([^\]]*)\]", block)}
        found[name] = (lists["rights"], lists["read"], lists["write"])
    return found


MATRIX = matrix()


def may(role, resource, verb):
    return f"{resource}.{verb}" in MATRIX[role][0] or f"*.{verb}" in MATRIX[role][0]


def routes(daemon):
    """What the daemon serves, by its own word."""
    done = subprocess.run([str(BUILD / f"bimodal-{daemon}"), "-c", str(ROOT / "config" / f"{daemon}.yaml"), "--print-routes"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def asked(daemons=("core", "sandbox")):
    """Every right that a route asks for, {resource} written out, and those that appear as a literal in the code of a room."""
    found = set()
    for daemon in daemons:
        for r in routes(daemon):
            if r["right"]:
                found |= {r["right"].replace("{resource}", one) for one in (RESOURCES if "{" in r["right"] else ("",))}
        for path in pathlib.Path(ROOT / daemon).rglob("*.c"):
            found |= set(re.findall(r'"([a-z_]+\.[a-z_]+)', path.read_text()))
    # "role.grant_" in the code stands for one right a role.
    return found | {prefix + role for prefix in found if prefix.endswith("_") for role in ROLES}


def path_of(pattern, resource=None):
    """The pattern with something of the right form that does not exist in each place."""
    filler = {"uuid": str(uuid.uuid4()), "slug": "nothing-here", "any": "nothing", "int": "1", "rest": "nothing-here"}
    path = pattern.replace("{resource:slug}", resource or "").replace("{parent:slug}", "people")
    return re.sub(r"\{\w+:(\w+)\}", lambda m: filler[m[1]], path)


def table():
    """{(daemon, method, pattern[, resource]): roles that get through}; "-" stands for nobody, "anybody" for those without a token too."""
    found = {}
    for line in TABLE.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        key, who = line.rsplit(" : ", 1)
        key = tuple(key.split())
        assert key not in found, f"twice: {line}"
        found[key] = set() if who.strip() == "-" else set(who.split())
        assert found[key] <= set(ROLES) | {"anybody"}, line
    return found


def wanted():
    """The keys that the table must have: one a route, and one a resource where the route serves them all."""
    for daemon in ("core", "sandbox"):
        for r in routes(daemon):
            key = (daemon, r["method"], r["pattern"])
            if "{resource}" in (r["right"] or ""):
                for resource in RESOURCES if "{parent" not in r["pattern"] else ("consents",):
                    yield (*key, resource), r
            else:
                yield key, r
