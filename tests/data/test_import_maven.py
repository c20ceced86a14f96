"""The real pipeline of maven_crm goes in with every row counted: `bimodal import` against a running core, whole.

The answers are known from the data set's description (../shared/data/README.md). With BIMODAL_VAR set it uses the installation that
runs there and leaves its records in place (a second run finds them and makes none twice); else it starts one of its own.
BIMODAL_BUILD: folder of the programs (build/debug); BIMODAL_DATA: the data (../shared/data). Without data it is skipped, and says so.
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
from types import SimpleNamespace

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
import traced
DATA = pathlib.Path(os.environ.get("BIMODAL_DATA", ROOT.parent / "shared" / "data")) / "maven_crm"
PROGRAM = pathlib.Path(os.environ.get("BIMODAL_BUILD", ROOT / "build" / "debug")) / "bimodal"
STAGES = {"won": 4238, "lost": 2473, "engaging": 1589, "prospecting": 500}
ROWS = 8800
REPAIRED = 1480
WITHOUT_ACCOUNT = 1425
WON_VALUE = 10_005_534


def bimodal(*args):
    with traced.Trace(SimpleNamespace(name="core"), SimpleNamespace(name="sandbox")) as trace:
        done = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=600, cwd=ROOT, check=False, env={**os.environ, **trace.env})
    assert done.returncode == 0, f"{args}: {done.stderr}"
    return done


def var_write(var, product):
    """The folder that `make run` would have made, for the command line."""
    for daemon, suffix in ((product.core, ""), (product.sandbox, ".sandbox")):
        run = var / "run" / daemon.name
        run.mkdir(parents=True)
        (run / "port").write_text(f"{daemon.port}\n", encoding="ascii")
        (var / "tokens").mkdir(mode=0o700, exist_ok=True)
        for role, token in daemon.tokens.items():
            (var / "tokens" / f"{role}{suffix}").write_text(token, encoding="ascii")


@pytest.fixture(scope="module", autouse=True)
def installation(tmp_path_factory):
    if not DATA.is_dir():
        pytest.skip(f"the data folder {DATA} is absent")
    if "BIMODAL_VAR" in os.environ:
        yield
        return
    from product import Product  # starts PostgreSQL: only where it is needed

    product = Product().start()
    try:
        var = tmp_path_factory.mktemp("var")
        var_write(var, product)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("BIMODAL_VAR", str(var))
            yield
    finally:
        product.stop()


def run_import(name, mapping, *more):
    done = bimodal("--raw", "--quiet", "import", str(DATA / name), "--map", str(ROOT / "config" / "import" / mapping), *more)
    return json.loads(done.stdout)


@pytest.fixture(scope="module", name="imported")
def imported_fixture(installation, tmp_path_factory):
    del installation
    folder = tmp_path_factory.mktemp("maven")
    accounts = run_import("accounts.csv", "maven_accounts.yaml", "--report", str(folder / "accounts.csv"))
    opportunities = run_import("sales_pipeline.csv", "maven_opportunities.yaml", "--report", str(folder / "opportunities.csv"))

    def listed(name):
        with open(folder / name, encoding="utf-8", newline="") as f:
            return list(csv.DictReader(f))

    return accounts, opportunities, listed("accounts.csv"), listed("opportunities.csv")


def everything(resource, *query):
    rows, after = [], []
    while True:
        page = json.loads(bimodal("--raw", "record", "list", resource, "limit=200", *query, *after).stdout)
        rows += page["data"]
        if not page["page"].get("next"):
            return rows
        after = [f"after={page['page']['next']}"]


@pytest.fixture(scope="module", name="stored")
def stored_fixture(imported):
    del imported
    return everything("opportunities", "source=eq.maven")


def test_accounts_are_counted(imported):
    accounts, _, notes, _ = imported
    assert (accounts["rows"], accounts["refused"]) == (85, 0)
    assert accounts["accepted"] + accounts["repaired"] == 85
    sectors = [n for n in notes if n["column"] == "sector"]
    assert len(sectors) == 12
    assert {(n["what"], n["old"], n["new"]) for n in sectors} == {("repaired", "technolgy", "technology")}


def test_accounts_are_stored(imported):
    del imported
    with open(DATA / "accounts.csv", encoding="utf-8", newline="") as f:
        source = {r["account"]: r for r in csv.DictReader(f)}
    rows = {r["external_id"]: r for r in everything("organizations") if r.get("external_id") in source}
    assert rows.keys() == source.keys()
    ids = {r["id"]: name for name, r in rows.items()}
    assert not [r for r in rows.values() if r["sector"] == "technolgy"]
    for name, row in rows.items():
        assert row["employees"] == int(source[name]["employees"])
        assert float(row["revenue"]) == float(source[name]["revenue"])
        # The second pass over the file: parents by their ids.
        assert ids.get(row.get("parent_id"), "") == source[name]["subsidiary_of"]


def test_opportunities_are_counted(imported):
    _, result, _, _ = imported
    assert result["rows"] == ROWS
    assert result["repaired"] == REPAIRED
    assert result["accepted"] == ROWS - REPAIRED
    assert result["refused"] == 0
    assert result["listed"] == WITHOUT_ACCOUNT
    assert result["created"] + result["updated"] == ROWS
    assert result["other"] == 0


def test_opportunities_are_listed(imported):
    _, _, _, notes = imported
    repaired = [n for n in notes if n["what"] == "repaired"]
    assert len(repaired) == REPAIRED
    assert {(n["column"], n["old"], n["new"]) for n in repaired} == {("product", "GTXPro", "GTX Pro")}
    assert len([n for n in notes if n["what"] == "listed" and n["column"] == "account"]) == WITHOUT_ACCOUNT
    assert len(notes) == REPAIRED + WITHOUT_ACCOUNT
    # Line numbers are those of the file.
    with open(DATA / "sales_pipeline.csv", encoding="utf-8") as f:
        lines = f.read().splitlines()
    assert all("GTXPro" in lines[int(n["line"]) - 1] for n in repaired)


def test_opportunities_are_stored(stored):
    assert len(stored) == ROWS
    assert len({r["external_id"] for r in stored}) == ROWS
    assert {s: sum(r["stage"] == s for r in stored) for s in STAGES} == STAGES
    assert sum(float(r["close_value"]) for r in stored if r["stage"] == "won") == WON_VALUE
    assert sum(r.get("organization_id") is None for r in stored) == WITHOUT_ACCOUNT
    assert sum(r["product"] == "GTX Pro" for r in stored) == REPAIRED
    assert not [r for r in stored if r["product"] == "GTXPro"]


def test_dates_are_those_of_the_file(stored):
    row = next(r for r in stored if r["external_id"] == "1C1I7A6R")
    assert (row["opened_at"], row["closed_at"]) == ("2016-10-20", "2017-03-01")


def test_a_second_import_makes_nothing_twice(stored):
    del stored
    result = run_import("sales_pipeline.csv", "maven_opportunities.yaml")
    assert (result["created"], result["updated"], result["refused"]) == (0, ROWS, 0)


def test_refused_rows_cost_only_themselves(imported, tmp_path):
    del imported
    lines = ["opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value",
             "ZZTEST01,A,GTX Pro,Cancity,Won,1/2/2017,3/1/2017,10", "ZZTEST02,A,GTX Pro,Cancity,Maybe,1/2/2017,,",
             "ZZTEST03,A,GTX Pro,Nobody Ltd,Won,1/2/2017,,", "ZZTEST04,A,GTX Pro,,Won,31/2/2017,,", "ZZTEST01,A,GTX Pro,,Won,,,"]
    (tmp_path / "rows.csv").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    done = bimodal("--raw", "--quiet", "import", str(tmp_path / "rows.csv"), "--map", "config/import/maven_opportunities.yaml",
                   "--dry-run", "--report", str(tmp_path / "report.csv"))
    assert json.loads(done.stdout) | {"notes": 0} == {"dry_run": True, "rows": 5, "accepted": 1, "repaired": 0, "refused": 4,
                                                       "listed": 0, "created": 0, "updated": 0, "notes": 0, "other": 0}
    with open(tmp_path / "report.csv", encoding="utf-8", newline="") as f:
        refused = {(int(n["line"]), n["column"]) for n in csv.DictReader(f) if n["what"] == "refused"}
    assert refused == {(3, "deal_stage"), (4, "account"), (5, "engage_date"), (6, "")}
