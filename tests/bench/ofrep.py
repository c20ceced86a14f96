"""What an application's question for all its flags costs, with one core for the server: OFREP's bulk against nginx that answers a constant of the
same size, and against unleash-server's frontend API with the same flags. And what a published revision takes to the last worker's word, and
1,000 flags in memory. Part of `make bench`."""
import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time
import urllib.error
import urllib.request

from clusters import free_port

HERE = pathlib.Path(__file__).resolve().parent
CONNECTIONS = 32
SERVER_CPU, LOAD_CPU = "0", "1"
SIZES = (5, 350)
BUDGET_NGINX = 0.6      # for 5 flags
BUDGET_UNLEASH = 30
BUDGET_ACK_MS = 100     # p99
MANY = 1000
TOGGLES = 200
COUNTRIES = ["at", "ch", "de", "li"]
CONTEXT = {"targetingKey": "unit-4711", "country": "at", "plan": "business"}


# -- the same flags on both sides: by country for everybody, a tenth of all, the rest in halves


def document():
    return {"unit": "visitor",
            "variations": [{"key": "off", "value": "off"}, {"key": "a", "value": "a"}, {"key": "b", "value": "b"}],
            "rules": [{"condition": {"country": {"$in": COUNTRIES}, "plan": "free"}, "force": "a"},
                      {"force": "b", "coverage": 0.1},
                      {"condition": {"plan": {"$ne": "free"}}, "experiment": {"variations": ["a", "b"], "weights": [0.5, 0.5]}}],
            "default": "off"}


def our_flag(core, n):
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
    r = core.post("/v1/flags", {"key": f"bench_{n}", "kind": "release", "purpose": "to be measured", "business_owner": "product_owner",
                                "technical_owner": "innovator", "expires_at": expires.isoformat(), "enabled": True, "document": document()},
                  role="product_owner")
    assert r.status == 201, r


def their_flag(n):
    def constraint(name, operator, values):
        return {"contextName": name, "operator": operator, "values": values}

    def rollout(percent, constraints, variants):
        return {"name": "flexibleRollout", "parameters": {"rollout": str(percent), "stickiness": "default", "groupId": f"bench_{n}"},
                "constraints": constraints, "variants": [
                    {"name": v, "weight": 1000 // len(variants), "weightType": "variable", "stickiness": "default",
                     "payload": {"type": "string", "value": v}} for v in variants]}
    return {"name": f"bench_{n}", "type": "release", "strategies": [
        rollout(100, [constraint("country", "IN", COUNTRIES), constraint("plan", "IN", ["free"])], "a"),
        rollout(10, [], "b"),
        rollout(100, [constraint("plan", "NOT_IN", ["free"])], "ab")]}


# -- load


def wrk(url, headers, seconds, body=None):
    """Answers a second by one thread on the core that the server does not have."""
    done = subprocess.run(["taskset", "-c", LOAD_CPU, "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s",
                           "-s", str(HERE / "constant.lua"), url, "--", body or "-", *[f"{k}: {v}" for k, v in headers.items()]],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"^constant (\d+) (\d+) (\d+)$", done.stdout, re.M)
    assert done.returncode == 0 and found, done.stdout + done.stderr
    requests, us, errors = map(int, found.groups())
    assert errors == 0 and requests > 0, f"{errors} of {requests} requests failed\n{done.stdout}"
    return requests / us * 1e6


def pin(pid):
    subprocess.run(["taskset", "-a", "-c", "-p", SERVER_CPU, str(pid)], check=True, capture_output=True)


# -- the peers


@contextlib.contextmanager
def nginx(folder, body):
    """One worker that answers every request with `body`."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    (folder / "body.json").write_bytes(body)
    conf = folder / "nginx.conf"
    conf.write_text(f"""daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; user root;
events {{ worker_connections 512; }}
http {{ access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path {folder}/t; proxy_temp_path {folder}/t; fastcgi_temp_path {folder}/t; uwsgi_temp_path {folder}/t; scgi_temp_path {folder}/t;
  open_file_cache max=10; sendfile on;
  server {{ listen 127.0.0.1:{port}; root {folder}; location / {{ try_files /body.json =404; }} }} }}
""")
    program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    with subprocess.Popen(["taskset", "-c", SERVER_CPU, program, "-c", str(conf), "-p", str(folder)], stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}/"
            assert len(fetch(url)) == len(body)
            yield url
        finally:
            process.terminate()


def fetch(url, headers=None, method="GET", body=None, seconds=30):
    """The answer's body, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            request = urllib.request.Request(url, method=method, headers={"Content-Type": "application/json", **(headers or {})},
                                             data=None if body is None else json.dumps(body).encode())
            with urllib.request.urlopen(request, timeout=30) as r:
                return r.read()
        except urllib.error.HTTPError as e:
            raise AssertionError(f"{method} {url}: {e.code} {e.read()[:500]}") from e
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextlib.contextmanager
def unleash(clusters, folder):
    """unleash-server as its package comes, with a database of its own on core's cluster; its address and its frontend's headers."""
    here = HERE / "unleash"
    subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=here, check=True, stdin=subprocess.DEVNULL)
    c = clusters.cluster["core"]
    clusters.rows("core", "CREATE ROLE unleash LOGIN SUPERUSER PASSWORD 'unleash'")
    clusters.rows("core", "CREATE DATABASE unleash OWNER unleash")
    port, admin, frontend = free_port(), "*:*.bench-admin", "*:development.bench-frontend"
    env = dict(os.environ, DATABASE_HOST=str(c.sockets), DATABASE_PORT=str(c.port), DATABASE_NAME="unleash", DATABASE_USERNAME="unleash",
               DATABASE_PASSWORD="unleash", DATABASE_SSL="false", HTTP_HOST="127.0.0.1", HTTP_PORT=str(port), LOG_LEVEL="error",
               INIT_ADMIN_API_TOKENS=admin, INIT_FRONTEND_API_TOKENS=frontend, SEND_TELEMETRY="false", CHECK_VERSION="false",
               NODE_ENV="production")
    with open(folder / "unleash.log", "wb") as log, subprocess.Popen(["node", "node_modules/unleash-server/dist/server.js"], cwd=here, env=env,
                                                                     stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            try:
                fetch(f"{base}/health", seconds=60)
            except OSError as e:
                raise AssertionError(f"unleash-server does not come (exit {process.poll()})\n{(folder / 'unleash.log').read_text()[-2000:]}") from e
            pin(process.pid)
            yield base, {"Authorization": admin}, {"Authorization": frontend}
        finally:
            process.kill()


def their_flags(base, admin, first, end):
    project = f"{base}/api/admin/projects/default"
    for n in range(first, end):
        flag = their_flag(n)
        fetch(f"{project}/features", admin, "POST", {"name": flag["name"], "type": flag["type"]})
        env = f"{project}/features/{flag['name']}/environments/development"
        for strategy in flag["strategies"]:
            fetch(f"{env}/strategies", admin, "POST", strategy)
        fetch(f"{env}/on", admin, "POST")


# -- what is measured


def bulk(product, table, rounds, seconds, workers_of):
    """One worker of core on one core of the machine, and each peer on the same."""
    core, folder, body = product.core, product.dir / "peers", json.dumps({"context": CONTEXT})
    folder.mkdir()
    for pid in workers_of(core):
        pin(pid)
    ours = {"Authorization": f"Bearer {core.tokens['service']}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{core.port}/ofrep/v1/evaluate/flags"
    for key in keys(core):
        r = core.delete(f"/v1/flags/{key}", role="product_owner")
        assert r.status == 200, r
    made = 0
    with unleash(product.clusters, folder) as (base, admin, frontend):
        for size in SIZES:
            for n in range(made, size):
                our_flag(core, f"peer_{n}")
            their_flags(base, admin, made, size)
            made = size
            frontend_url = f"{base}/api/frontend?userId={CONTEXT['targetingKey']}&properties[country]=at&properties[plan]=business"
            answer = until(size, lambda: fetch(url, ours, "POST", {"context": CONTEXT}), "flags")
            until(size, lambda: fetch(frontend_url, frontend), "toggles")
            rates = {"core": [], "nginx": [], "unleash": []}
            with nginx(folder / f"nginx{size}", answer) as constant:
                for _ in range(rounds):
                    rates["core"].append(wrk(url, ours, seconds, body))
                    rates["nginx"].append(wrk(constant, ours, seconds))
                    rates["unleash"].append(wrk(frontend_url, frontend, seconds))
            report(table, size, len(answer), rates)


def keys(core):
    """Of every flag that is not archived."""
    found, last = [], ""
    while last is not None:
        r = core.get(f"/v1/flags?limit=200&after={last}", role="product_owner")
        assert r.status == 200, r
        page = [f["key"] for f in r.json["data"]]
        found += page
        last = page[-1] if page else None
    return found


def until(size, ask, name):
    deadline = time.monotonic() + 60
    while True:
        answer = ask()
        if len(json.loads(answer)[name]) == size:
            return answer
        assert time.monotonic() < deadline, answer[:500]
        time.sleep(0.2)


def report(table, size, n_bytes, rates):
    table.row(f"OFREP, all of {size} flags: answers", f"{statistics.median(rates['core']):,.0f}/s", f"one core, {n_bytes:,} bytes each")
    for peer, what, budget in (("nginx", "a constant of that size by nginx", BUDGET_NGINX if size == SIZES[0] else None),
                               ("unleash", "unleash-server's /api/frontend", BUDGET_UNLEASH)):
        ratios = [a / b for a, b in zip(rates["core"], rates[peer])]
        ratio = statistics.median(ratios)
        table.row(f"OFREP, all of {size} flags: ratio to {peer}", f"{ratio:.2f}",
                  f"{what}: {statistics.median(rates[peer]):,.0f}/s; {'no budget' if budget is None else f'budget ≥ {budget}'}; "
                  f"{min(ratios):.2f} to {max(ratios):.2f}", None if budget is None else ratio >= budget)


def toggles(product, table, memory_of, workers_of):
    """A flag turned again and again: what the last worker's word takes, by the answer itself; and what 1,000 flags take of a worker's memory."""
    core = product.core
    our_flag(core, "turned")
    ms = []
    for i in range(TOGGLES):
        r = core.post(f"/v1/flags/bench_turned/{'disable' if i % 2 == 0 else 'enable'}", {"comment": "to be measured"}, role="product_owner")
        assert r.status == 200 and r.json["applied"]["workers"] == r.json["applied"]["of"], r
        ms.append(r.json["applied"]["ms"])
    ms.sort()
    p99 = ms[len(ms) * 99 // 100]
    table.row("a flag turned → the last worker's word: p50", f"{ms[len(ms) // 2]} ms", f"{TOGGLES} times, {product.workers} workers")
    table.row("a flag turned → the last worker's word: p99", f"{p99} ms", f"budget < {BUDGET_ACK_MS} ms", p99 < BUDGET_ACK_MS)
    before = max(memory_of(pid)[0] for pid in workers_of(core))
    for n in range(MANY):
        our_flag(core, n)
    r = core.post(f"/ofrep/v1/evaluate/flags/bench_{MANY - 1}", {"context": CONTEXT})
    assert r.status == 200, r
    after = max(memory_of(pid)[0] for pid in workers_of(core))
    table.row(f"memory of a worker with {MANY:,} flags: Rss", f"{after:.1f} MiB",
              f"{before:.1f} MiB with one; documents of {len(json.dumps(document()))} bytes")
