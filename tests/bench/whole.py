"""A million customers, made by SQL on the server, and what the whole of one and a search take with 8 clients. Part of `make bench`."""
import pathlib
import re
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
CLIENTS = 8
THREADS = 2
SAMPLE = 5000
PEOPLE_PER_ORGANIZATION = 20
BUDGET_MS = 50

# Ids of interactions lie in the months of the last year; the log has the first write of every record.
FILL = """
CREATE TEMP TABLE dropped AS SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'crm' AND indexname ~ '_search$';
DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM dropped LOOP EXECUTE 'DROP INDEX crm.' || r.indexname; END LOOP; END $$;
SELECT crm.partition_ensure(now() - interval '11 months', 12);
CREATE FUNCTION pg_temp.word(n bigint) RETURNS text LANGUAGE sql AS $f$
	SELECT initcap(string_agg(substr('balidomeruneskitahopalu', 1 + 2 * ((n / d) %% 11)::int, 2), '')) FROM unnest('{1,11,121,1331}'::int[]) d $f$;
INSERT INTO crm.organization (name, external_id, country)
	SELECT pg_temp.word(n * 7919) || ' ' || n, 'O-' || n, 'AT' FROM generate_series(1, greatest(1, %(people)s / %(per)s)) n;
CREATE TEMP TABLE org AS SELECT row_number() OVER () AS n, id FROM crm.organization;
CREATE UNIQUE INDEX ON org (n);
INSERT INTO crm.person (given_name, family_name, email, phone, external_id, organization_id, country, city)
	SELECT pg_temp.word(g * 31), pg_temp.word(g::bigint * 7919), 'p' || g || '@example.org', '+43 660 ' || g, 'C-' || g, o.id, 'AT', 'Graz'
	FROM generate_series(1, %(people)s) g JOIN org o ON o.n = 1 + g %% greatest(1, %(people)s / %(per)s);
CREATE TEMP TABLE who AS SELECT row_number() OVER () AS n, id, organization_id, pseudonym FROM crm.person;
INSERT INTO crm.consent (person_id, person_pseudonym, lab_ok, purpose, state) SELECT id, pseudonym, true, 'marketing', 'granted' FROM who;
CREATE TEMP TABLE day AS SELECT d, at, left(crm.uuid_v7_floor(at)::text, 15) AS head
	FROM generate_series(0, 299) d CROSS JOIN LATERAL (SELECT now() - make_interval(days => d) AS at) x;
INSERT INTO crm.interaction (id, person_id, organization_id, person_pseudonym, lab_ok, kind, at, subject)
	SELECT (d.head || right(gen_random_uuid()::text, 21))::uuid, w.id, w.organization_id, w.pseudonym, true, 'call', d.at,
		'About the order'
	FROM who w CROSS JOIN generate_series(0, 1) k JOIN day d ON d.d = (w.n * 37 + k * 101) %% 300;
INSERT INTO crm.opportunity (person_id, organization_id, person_pseudonym, lab_ok, name, stage, external_id)
	SELECT id, organization_id, pseudonym, true, 'Deal ' || n, CASE n %% 9 WHEN 0 THEN 'engaging' WHEN 3 THEN 'won' ELSE 'lost' END, 'D-' || n
	FROM who WHERE n %% 3 = 0;
INSERT INTO crm.support_case (person_id, organization_id, person_pseudonym, lab_ok, subject, status)
	SELECT id, organization_id, pseudonym, true, 'Case ' || n, CASE n %% 10 WHEN 0 THEN 'open' ELSE 'closed' END
	FROM who WHERE n %% 5 = 0;
INSERT INTO event.log (actor, request_id, resource, record_id, op, version, after, salt)
	SELECT a.actor, '', x.* FROM (SELECT id::text AS actor FROM access.principal ORDER BY name LIMIT 1) a CROSS JOIN LATERAL (
		SELECT 'people', id, 'create', 1, to_jsonb(t) - 'pseudonym', '\\x00'::bytea FROM crm.person t
		UNION ALL SELECT 'organizations', id, 'create', 1, to_jsonb(t), '\\x00' FROM crm.organization t
		UNION ALL SELECT 'consents', id, 'create', 1, jsonb_build_object('state', state), '\\x00' FROM crm.consent
		UNION ALL SELECT 'interactions', id, 'create', 1, jsonb_build_object('kind', kind), '\\x00' FROM crm.interaction
		UNION ALL SELECT 'opportunities', id, 'create', 1, jsonb_build_object('stage', stage), '\\x00' FROM crm.opportunity
		UNION ALL SELECT 'cases', id, 'create', 1, jsonb_build_object('status', status), '\\x00' FROM crm.support_case) x;
DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM dropped LOOP EXECUTE r.indexdef; END LOOP; END $$;
"""


def fill(clusters, people):
    db = clusters.connect("core", autocommit=False)
    with db.cursor() as cur:
        cur.execute("SET LOCAL session_replication_role = replica")
        cur.execute("SET LOCAL bimodal.change = 'bench'")
        cur.execute("SET LOCAL maintenance_work_mem = '512MB'")
        cur.execute(FILL, {"people": people, "per": PEOPLE_PER_ORGANIZATION})
    db.commit()
    db.close()
    clusters.rows("core", "VACUUM ANALYZE")


def wrk(product, seconds, targets):
    path = product.dir / "targets"
    path.write_text("\n".join(targets) + "\n")
    core = product.core
    done = subprocess.run(["wrk", "-t", str(THREADS), "-c", str(CLIENTS), "-d", f"{seconds}s", "-s", str(HERE / "whole.lua"),
                           f"http://127.0.0.1:{core.port}", "--", core.tokens["agent"], str(path)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"^whole (\d+) (\d+) (\d+) (\d+) (\d+)$", done.stdout, re.M)
    assert done.returncode == 0 and found, done.stdout + done.stderr
    requests, errors, p50, p95, p99 = map(int, found.groups())
    assert errors == 0 and requests > 0, f"{errors} of {requests} requests failed\n{done.stdout}\n{core.tail(5)}"
    return requests / seconds, p50 / 1000, p95 / 1000, p99 / 1000


def whole(product, table, seconds, people):
    clusters = product.clusters
    begin = time.monotonic()
    fill(clusters, people)
    table.row("customers made by SQL on the server", f"{people:,}", f"in {time.monotonic() - begin:.0f} s, with their events")
    # A block sample: ordering a million rows by chance would cost more than what is measured.
    share = min(100.0, 300.0 * SAMPLE / people)
    person, organization, names = ([r[0] for r in clusters.rows("core", f"SELECT {what} FROM crm.{which} TABLESAMPLE SYSTEM (%s) LIMIT %s",
                                                                (size, SAMPLE))]
                                   for what, which, size in (("id::text", "person", share),
                                                             ("id::text", "organization", min(100.0, share * PEOPLE_PER_ORGANIZATION)),
                                                             ("left(family_name, 5)", "person", share)))
    for what, targets, budget in (("360 of a person", [f"/v1/people/{i}/360" for i in person], BUDGET_MS),
                                  ("360 of an organization", [f"/v1/organizations/{i}/360" for i in organization], BUDGET_MS),
                                  ("search by the beginning of a name", [f"/v1/search?q={n}" for n in names], None)):
        wrk(product, 1, targets)
        rate, p50, p95, p99 = wrk(product, seconds, targets)
        note = f"p50 {p50:.1f}, p99 {p99:.1f}; {rate:,.0f}/s with {CLIENTS} clients"
        table.row(f"{what}: p95", f"{p95:.1f} ms", note if budget is None else f"budget < {budget} ms; {note}",
                  None if budget is None else p95 < budget)
