"""Experiments through the real daemons: outcomes of core folded by unit, guardrails, verdicts that nobody types (law 6)."""
import hashlib
import time
import uuid

import feature as F
import psycopg2
import pytest
from test_feature import call, deployed, left, slug


def exposed(product, sandbox, name, n):
    """n people who have met their variant: {pseudonym: (id, variant)}."""
    met = {}
    for person, unit in F.people(product, n):
        met[unit] = (person, call(sandbox, name, unit).json["variant"])
    product.arrived("select count(*) = %s from lab.exposure where flag = %s", (n, f"feature-{name}"))
    return met


def some(met, variant, share):
    """The ids of that share of the people who met a variant."""
    ids = [person for person, v in met.values() if v == variant]
    return ids[:int(len(ids) * share)]


def verdict(sandbox, name, seconds=20.0):
    return F.eventually(lambda: (lambda r: r.status == 200 and r.json)(sandbox.get(f"/v1/experiments/{name}/verdict", role="innovator")),
                        seconds, "no verdict: " + repr(sandbox.get(f"/v1/experiments/{name}", role="innovator")))


def end(product, sandbox, name):
    assert F.remove(sandbox, name).status == 200
    assert left(product, name) == 0


def test_planted_effect_is_proven_and_filed(product, sandbox):
    name = slug()
    d = deployed(sandbox, name, planned_units=200, maturity="4s")
    met = exposed(product, sandbox, name, 200)
    F.interactions(product, some(met, "treatment", 0.8) + some(met, "control", 0.2), "purchase")
    F.interactions(product, some(met, "treatment", 0.05) + some(met, "control", 0.05), "complaint")
    assert sandbox.get(f"/v1/experiments/{name}/verdict", role="innovator").status == 404
    v = verdict(sandbox, name)
    assert v["verdict"] == "proven" and v["stop_reason"] == "planned_units", v
    e = v["evidence"]
    # The evidence names what it was computed from, and its sums are those of the outcomes.
    assert e["package_sha256"] == d["sha256"] and e["lsn"] and e["as_of"]
    assert e["rule_sha256"] == v["rule_sha256"] == hashlib.sha256(product.clusters.one(
        "sandbox", "select frozen from lab.experiment where slug = %s", (name,)).encode()).hexdigest()
    for variant in ("control", "treatment"):
        n = sum(1 for _, x in met.values() if x == variant)
        assert e["units"][variant] == n
        won = len(some(met, variant, 0.8 if variant == "treatment" else 0.2))
        assert e["sums"]["won"][variant] == {"n": n, "y": str(won), "yy": str(won)}
    assert {"reason": "success_superior", "metric": "won", "variation": "treatment"} in v["reasons"]
    assert sandbox.get(f"/v1/features/{name}", role="innovator").json["state"] == "proven"
    # A full recomputation over the record gives the same values as the fold (the audit path).
    text = F.METRIC.format(kind="purchase").split("unnest($1, $2)")[0].replace("$3", "now()")
    assert product.clusters.rows("sandbox", text + " (select unit, at from lab.exposure where flag = %s) as e order by 1", (f"feature-{name}",)) \
        == product.clusters.rows("sandbox", "select unit, value from lab.unit_metric where slug = %s and metric = 'won' order by 1", (name,))
    # The verdict ends the experiment: nobody gets a second one.
    assert sandbox.post(f"/v1/experiments/{name}/stop", role="innovator").status == 409
    promotion(product, sandbox, name)
    end(product, sandbox, name)


def test_promotion_of_the_unproven_is_refused(product, sandbox):
    name = slug()
    deployed(sandbox, name)
    r = sandbox.post(f"/v1/experiments/{name}/promote", role="innovator")
    assert r.status == 409 and "proven" in r.json["detail"], r
    assert sandbox.post(f"/v1/experiments/{name}/promote", role="agent").status == 403
    assert sandbox.post("/v1/experiments/nosuch/promote", role="innovator").status == 404
    end(product, sandbox, name)


def promotion(product, sandbox, name):
    r = sandbox.post(f"/v1/experiments/{name}/promote", {"risk": "none that we know"}, role="innovator")
    assert r.status == 201 and r.json["kind"] == "promotion", r.json["detail"]
    # The bytes that core holds are those that were proven, and the sandbox's principal is not its author.
    sha, author = product.clusters.rows("core", "select encode(sha256(package), 'hex'), author::text from change.request where id = %s",
                                        (r.json["id"],))[0]
    assert sha == product.clusters.one("sandbox", "select sha256 from lab.hypothesis where slug = %s", (name,))
    assert author == sandbox.get("/v1/me", role="innovator").json["principal"]
    state = sandbox.get(f"/v1/features/{name}", role="innovator").json
    assert state["state"] == "promoted" and state["change"] == r.json["id"]
    assert sandbox.post(f"/v1/experiments/{name}/promote", role="innovator").status == 409


def test_no_effect_is_not_proven(product, sandbox):
    name = slug()
    deployed(sandbox, name, planned_units=200, maturity="4s")
    met = exposed(product, sandbox, name, 200)
    F.interactions(product, some(met, "treatment", 0.5) + some(met, "control", 0.5), "purchase")
    v = verdict(sandbox, name)
    assert v["verdict"] == "inconclusive", v
    assert {"reason": "success_not_superior", "metric": "won", "variation": "treatment"} in v["reasons"]
    end(product, sandbox, name)


def test_harm_is_stopped_by_its_guardrail(product, core, sandbox):
    """Long before the planned end, and although the primary metric looks splendid."""
    name = slug()
    deployed(sandbox, name, planned_units=100000)
    met = exposed(product, sandbox, name, 300)
    F.interactions(product, some(met, "treatment", 1.0), "purchase")
    time.sleep(2)
    assert sandbox.get(f"/v1/experiments/{name}/verdict", role="innovator").status == 404
    start = time.monotonic()
    F.interactions(product, some(met, "treatment", 0.7), "complaint")
    v = verdict(sandbox, name)
    took = time.monotonic() - start
    assert v["verdict"] == "disproven" and v["stop_reason"] == "harm", v
    assert {"reason": "harm_stop"} in v["reasons"] and took < 6
    F.eventually(lambda: core.get(f"/v1/flags/feature-{name}", role="operator").json["enabled"] is False)
    F.eventually(lambda: {call(sandbox, name, u).json["variant"] for u in list(met)[:20]} == {"control"})
    end(product, sandbox, name)


def test_stopped_by_hand(product, core, sandbox):
    name = slug()
    deployed(sandbox, name)
    exposed(product, sandbox, name, 10)
    assert sandbox.post(f"/v1/experiments/{name}/stop", role="agent").status == 403
    r = sandbox.post(f"/v1/experiments/{name}/stop", role="innovator")
    assert r.status == 200 and r.json["state"] == "ended", r
    v = verdict(sandbox, name)
    assert v["verdict"] == "inconclusive" and v["stop_reason"] == "stopped" and {"reason": "planned_end_not_reached"} in v["reasons"]
    F.eventually(lambda: core.get(f"/v1/flags/feature-{name}", role="operator").json["enabled"] is False)
    assert sandbox.post("/v1/experiments/nosuch/stop", role="innovator").status == 404
    end(product, sandbox, name)


def test_maturity_is_respected(product, sandbox):
    name = slug()
    deployed(sandbox, name, maturity="1h")
    met = exposed(product, sandbox, name, 10)
    F.interactions(product, [p for p, _ in met.values()], "purchase")
    product.arrived("select count(*) = 10 from lab.unit_metric where slug = %s and metric = 'complaints'", (name,))
    time.sleep(1.5)
    assert product.clusters.one("sandbox", "select count(*) from lab.unit_metric where slug = %s and metric = 'won'", (name,)) == 0
    end(product, sandbox, name)


def test_folding_follows_the_record(product, sandbox):
    """A fact that changes later changes the unit's value: computed again, not added up."""
    name = slug()
    deployed(sandbox, name)
    met = exposed(product, sandbox, name, 5)
    ids = [p for p, _ in met.values()]
    F.interactions(product, ids, "purchase")
    total = "select coalesce(sum(value), -1) = %s from lab.unit_metric where slug = %s and metric = 'won'"
    product.arrived(total, (5, name))
    product.clusters.rows("core", F.ACTOR + " delete from crm.interaction where person_id = any (%s::uuid[])", (ids[:2],))
    product.arrived(total, (3, name))
    product.arrived("select count(*) = 0 from lab.dirty where slug = %s", (name,))
    assert product.clusters.one("sandbox", "select count(*) from lab.outbox") < 1000
    results = sandbox.get(f"/v1/experiments/{name}/results", role="innovator").json["data"]
    assert results and "p" not in [m for m in results[0]["result"]["metrics"] if m["role"] == "success"][0]
    end(product, sandbox, name)


def test_withdrawal_purges(product, core, sandbox):
    """Consent withdrawn in core: what the lab and the feature keep of the person goes too; the count stays."""
    name = slug()
    deployed(sandbox, name)
    met = exposed(product, sandbox, name, 6)
    product.arrived("select count(*) = 12 from lab.unit_metric where slug = %s", (name,))
    unit, (person, _) = next(iter(met.items()))
    for u in met:
        product.clusters.rows("sandbox", f"insert into feature_{name}.seen values (%s, now())", (u,))
    r = core.post(f"/v1/people/{person}/consents", {"purpose": "analysis", "state": "withdrawn"})
    assert r.status == 201, r
    for sql in ("select count(*) = 0 from lab.exposure where unit = %s", "select count(*) = 0 from lab.unit_metric where unit = %s",
                "select count(*) = 0 from lab.dirty where unit = %s", f"select count(*) = 0 from feature_{name}.seen where pseudonym = %s"):
        product.arrived(sql, (unit,))
    assert product.clusters.one("sandbox", f"select count(*) from feature_{name}.seen") == 5
    assert sandbox.get(f"/v1/experiments/{name}", role="innovator").json["withdrawn"] == 1
    # Meeting the feature again leaves no trace either.
    assert call(sandbox, name, unit).status == 200
    time.sleep(0.5)
    assert product.clusters.one("sandbox", "select count(*) from lab.exposure where unit = %s", (unit,)) == 0
    end(product, sandbox, name)


def test_a_changed_flag_makes_it_invalid(product, core, sandbox):
    name = slug()
    deployed(sandbox, name)
    exposed(product, sandbox, name, 4)
    document = core.get(f"/v1/flags/feature-{name}", role="operator").json["document"]
    document["rules"][0]["experiment"]["weights"] = [0.1, 0.9]
    assert core.post(f"/v1/flags/feature-{name}/revisions", {"document": document, "comment": "x"}, role="product_owner").status in (200, 201)
    product.arrived("select document->'rules'->0->'experiment'->'weights'->>0 = '0.1' from flag.revision order by revision desc limit 1")
    assert sandbox.post(f"/v1/experiments/{name}/stop", role="innovator").status == 200
    v = verdict(sandbox, name)
    assert v["verdict"] == "invalid" and {"reason": "health_metric_changed"} in v["reasons"], v
    end(product, sandbox, name)


def test_no_verdict_by_hand(product, sandbox):
    """Law 6: no route, not the app's login, not the deployer's tables; and the rule does not move once it is frozen."""
    name = slug()
    deployed(sandbox, name)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        r = sandbox.request(method, f"/v1/experiments/{name}/verdict", {"verdict": "proven"}, role="product_owner")
        assert r.status == 405, (method, r)
    record = "select lab.verdict_record(%s, 'proven', '[]', '{}', 'planned_units')"
    row = "insert into lab.verdict (slug, verdict, reasons, evidence, evidence_text) values (%s, 'proven', '[]', '{}', '{}')"
    app = (record, row, "update lab.verdict set verdict = 'proven' where slug = %s", "update lab.hypothesis set state = 'proven' where slug = %s",
           "update lab.unit_metric set value = 1 where slug = %s", "update lab.experiment set planned_units = 1 where slug = %s",
           "delete from lab.exposure where flag = %s", "update lab.exposure set variation = 'treatment' where flag = %s",
           "insert into lab.result (slug, body) values (%s, '{}')", "insert into lab.journal (slug, kind, actor) values (%s, 'x', 'x')")
    deployer = (row, "update lab.verdict set verdict = 'proven' where slug = %s", "update lab.experiment set planned_units = 1 where slug = %s",
                "update lab.experiment set frozen = '{}' where slug = %s", "update lab.experiment set planned_end = now() where slug = %s",
                "update lab.journal set kind = 'x' where slug = %s")
    for role, statements in (("bimodal_app", app), ("bimodal_deployer", deployer), ("postgres", (record,))):
        for sql in statements:
            with pytest.raises(psycopg2.Error) as e:
                product.clusters.rows("sandbox", sql, (name,), role=role)
            assert e.value.pgcode in ("42501", "CR004", "CR002"), (role, sql, e.value.pgcode)
    # Through the one door, but with evidence that is not of the frozen rule: nothing is recorded.
    assert product.clusters.one("sandbox", record, (name,), role="bimodal_deployer") is False
    assert product.clusters.one("sandbox", "select count(*) from lab.verdict where slug = %s", (name,)) == 0
    end(product, sandbox, name)


def test_lists(sandbox):
    r = sandbox.get("/v1/experiments?limit=1", role="innovator")
    assert r.status == 200 and len(r.json["data"]) == 1 and r.json["page"]["has_more"]
    r = sandbox.get(f"/v1/experiments?limit=1&after={r.json['page']['next']}", role="innovator")
    assert r.status == 200 and len(r.json["data"]) == 1
    assert sandbox.get("/v1/experiments?limit=0", role="innovator").status == 400
    for path in ("", "/results", "/verdict"):
        assert sandbox.get(f"/v1/experiments/nosuch{path}", role="innovator").status == 404
    assert sandbox.get("/v1/experiments", role="agent").status == 403


def test_core_hears_what_is_served(product, sandbox):
    """The sandbox acknowledges through core's API what its workers serve."""
    product.clusters.wait("core", "select count(*) = %s and bool_and(w.flag_generation = s.generation and w.seen_at > now() - interval '3 s')"
                          " from change.worker w, flag.state s where w.daemon = 'sandbox'", (product.workers,), 10)


def test_the_copy_follows_the_registry(product, sandbox):
    """A published column that is added and taken away in core appears and goes here, and the workers serve it."""
    name = "tier_" + uuid.uuid4().hex[:6]
    c = product.clusters
    field = ("insert into change.field (resource, name, position, type, class, kind, required, writable, filterable, sortable)"
             f" values ('people', '{name}', 90, 'text', 'open', 'text', false, true, true, false)")
    c.owner("airlock", f"alter table crm.person add column {name} text")
    c.owner("core", f"alter table crm.person add column {name} text; {field}")
    product.arrived("select exists (select from pg_attribute where attrelid = 'crm.person'::regclass and attname = %s)", (name,))
    F.eventually(lambda: sandbox.get(f"/v1/people?{name}=x&limit=1", role="innovator").status == 200)
    c.owner("core", f"delete from change.field where name = '{name}'; alter table crm.person drop column {name}")
    product.arrived("select not exists (select from pg_attribute where attrelid = 'crm.person'::regclass and attname = %s)", (name,))
    c.owner("airlock", f"alter table crm.person drop column {name}")
    F.eventually(lambda: sandbox.get(f"/v1/people?{name}=x&limit=1", role="innovator").status == 400)
