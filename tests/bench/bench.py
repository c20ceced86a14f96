"""What the product costs beside the SQL it runs: `make bench`. Prints a table; exits 1 if a budget is missed.

Both sides of a ratio run on the same clusters with the same settings (tests/support), one after the other, five times; each
figure is the median. pgbench runs the text that PostgreSQL shows for the engine's own statement, prepared, as the application's
role with the settings of the worker's connections, and as many clients as wrk has connections. Its one difference: pgbench can
bind no NULL, so the version that `If-Match: *` leaves open stands in the text as NULL.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import resource
import socket
import ssl
import statistics
import struct
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))

import ofrep  # noqa: E402
from product import BUILD, Product  # noqa: E402  (the folder is known only now)
from whole import whole  # noqa: E402

CLIENTS = 16
THREADS = 2
PEOPLE = 2000
HOLD = 100                  # requests for which a client keeps its id
RATE = 500                  # writes a second while the feed is measured
IDLE = 1000
TICKS = os.sysconf("SC_CLK_TCK")
HANDSHAKES = 300
STORM = 50                  # sign-ins a second
STORM_PEOPLE = 50
STORM_PAUSE = 10            # ms that each of the readers rests between two reads
BUDGET = {"get": 0.7, "patch": 0.6, "idle": 24.0, "idle_tls": 48.0, "storm": 1.5, "evaluate": 500}


class Table:
    """Rows as they come, and whether each budget was kept."""

    def __init__(self):
        self.missed = 0

    def row(self, name, value, note="", kept=None):
        mark = "" if kept is None else ("  ok" if kept else "  MISSED")
        self.missed += kept is False
        print(f"{name:<52} {value:>12}  {note}{mark}", flush=True)


# -- the product, with people in it and without its feed at first


class BenchProduct(Product):
    lanes = ""      # as it is installed

    def start(self):
        feed, self.clusters.feed_setup = self.clusters.feed_setup, lambda: None
        self.feed_setup = feed
        self.clusters.start()
        self.dir = self.clusters.dir / "product"
        self.dir.mkdir()
        from product import Daemon
        self.core = Daemon("core", self)
        self.sandbox = Daemon("sandbox", self)
        try:
            self.install()
            self.core.start()
            self.settled()
        except BaseException:
            self.stop()
            raise
        return self

    def restart(self, env=None, workers=None):
        """Core once more, with other workers or another environment."""
        self.core.stop()
        if workers is not None:
            self.workers = workers
            self.configure()
        with changed_environment(env or {}):
            self.core.start()
        self.settled()

    def settled(self):
        """Every worker has read its tokens and the registry: the kernel chooses one for each connection, so ask a while."""
        good, deadline = 0, time.monotonic() + 30
        while good < 20 * self.workers:
            assert time.monotonic() < deadline, f"core's workers do not get ready\n{self.core.tail()}"
            good = good + 1 if self.core.get("/v1/people?limit=1").status == 200 else 0

    def subscriptions(self, name, on):
        verb = "ENABLE" if on else "DISABLE"
        for sub in ("registry", "crm"):
            self.clusters.rows(name, f"ALTER SUBSCRIPTION {name}_{sub} {verb}")

    def caught_up(self, seconds=60):
        """Everything written so far is in the sandbox; how long that took."""
        head = self.clusters.one("core", "SELECT pg_current_wal_lsn()")
        return self.arrived("SELECT coalesce(lsn >= %s, false) FROM lab.position", (head,), seconds)


@contextlib.contextmanager
def changed_environment(env):
    before = {name: os.environ.get(name) for name in env}
    os.environ.update(env)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def errors_to(path):
    """Standard error into a file: the notices of psql stay out of the table."""
    kept = os.dup(2)
    with open(path, "wb") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def people(core):
    ids = []
    for at in range(0, PEOPLE, 500):
        ops = [{"op": "create", "data": {"given_name": f"Given{i}", "family_name": f"Family{i}", "email": f"p{i}@example.org",
                                         "city": "Graz", "country": "AT"}} for i in range(at, at + 500)]
        r = core.post("/v1/people/batch", {"ops": ops})
        assert r.status == 200, r
        ids += [one["id"] for one in r.json["results"]]
    return ids


# -- processes


def workers_of(daemon):
    """The children that hold a listening socket of the port."""
    inodes = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        field = line.split()
        if field[3] == "0A" and int(field[1].split(":")[1], 16) == daemon.port:
            inodes.add(f"socket:[{field[9]}]")
    pid = daemon.process.pid
    found = []
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        links = []
        for fd in pathlib.Path(f"/proc/{child}/fd").iterdir():
            with contextlib.suppress(OSError):
                links.append(os.readlink(fd))
        if inodes & set(links):
            found.append(int(child))
    return found


def cpu_of(pids):
    total = 0
    for pid in pids:
        field = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(field[11]) + int(field[12])
    return total / TICKS


def memory_of(pid):
    """Rss and Pss in MiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    return [int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) / 1024 for name in ("Rss", "Pss")]


# -- the two sides


class Load:
    """wrk and pgbench with the same work: a method on a random person."""

    def __init__(self, product, ids, seconds):
        self.product = product
        self.ids = ids
        self.seconds = seconds
        self.dir = product.dir
        self.ids_file = self.dir / "ids"
        self.ids_file.write_text("\n".join(ids) + "\n")
        self.cpu = {"GET": [], "PATCH": [], "HEALTH": []}

    def wrk(self, method, seconds=None, count_cpu=False, core=None, pause=None, token=None):
        """Requests a second, and their p99 in `self.p99` (µs); with the processor time of the workers if wanted."""
        core = core or self.product.core
        scheme = "http" if core.tls is None else "https"
        pids = workers_of(core)
        before = cpu_of(pids)
        done = subprocess.run(["wrk", "-t", str(THREADS), "-c", str(CLIENTS), "-d", f"{seconds or self.seconds}s", "-s",
                               str(HERE / "wrk.lua"), f"{scheme}://127.0.0.1:{core.port}", "--", method, token or core.tokens["agent"],
                               str(self.ids_file)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, **({"BENCH_PAUSE": str(pause)} if pause else {})))
        self.p99 = int((re.search(r"^p99 (\d+)$", done.stdout, re.M) or [0, 0])[1])
        found = re.search(r"^bench (\d+) (\d+) (\d+)$", done.stdout, re.M)
        assert done.returncode == 0 and found, done.stdout + done.stderr
        requests, us, errors = map(int, found.groups())
        assert errors == 0, f"wrk: {errors} of {requests} requests failed\n{done.stdout}\n{core.tail(5)}"
        if count_cpu:
            self.cpu[method].append((cpu_of(pids) - before) / requests * 1e6)
        self.requests = requests
        return requests / us * 1e6

    def statement(self, method):
        """The text of the engine's own statement and the settings it runs with."""
        word, lane = ("get", "read") if method == "GET" else ("patch", "write")
        core, clusters = self.product.core, self.product.clusters
        for _ in range(40):
            if method == "GET":
                r = core.get(f"/v1/people/{self.ids[0]}")
            else:
                r = core.patch(f"/v1/people/{self.ids[0]}", {"city": "Bench"}, headers={"If-Match": "*"})
            assert r.status == 200, r
            rows = clusters.rows("core", "SELECT query FROM pg_stat_activity WHERE application_name LIKE %s AND query LIKE %s",
                                 (f"bimodal-core/app/w%/{lane}", f"/* record people {word} */%"))
            if rows:
                return rows[0][0]
        raise AssertionError(f"the {word} statement is not seen in pg_stat_activity")

    def script(self, method):
        """A pgbench script around the statement, and its variables."""
        text = self.statement(method)
        if method == "GET":
            given = {"$1": ":id"}
        else:
            given = {"$1": ":actor", "$2": ":request", "$3": ":id", "$4": "NULL::bigint", "$5": ":body"}
        assert set(re.findall(r"\$\d+", text)) == set(given), text
        assert not re.search(r"(?<!:):[A-Za-z_0-9]", text), f"pgbench would take a part of it for a variable: {text}"
        text = re.sub(r"\$\d+", lambda m: given[m[0]], text)
        array = ",".join(self.ids)
        path = self.dir / f"{method.lower()}.pgbench"
        path.write_text(f"\\if :k = 0\n\\set n random(1, {len(self.ids)})\n"
                        f"SELECT ('{{{array}}}'::uuid[])[:n] AS id \\gset\n\\endif\n"
                        f"\\set k (:k + 1) % {HOLD}\n{text.strip()};\n")
        path.chmod(0o644)
        return path

    def pgbench(self, method, script):
        clusters = self.product.clusters
        c = clusters.cluster["core"]
        timeout = 1000 if method == "GET" else 5000
        lock = 0 if method == "GET" else 500
        env = dict(os.environ, PGPASSWORD=c.passwords["bimodal_app"],
                   PGOPTIONS=f"-c statement_timeout={timeout} -c lock_timeout={lock}"
                             " -c idle_in_transaction_session_timeout=10000")
        done = subprocess.run([str(clusters.bin / "pgbench"), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", str(THREADS),
                               "-T", str(self.seconds), "-f", str(script), "-D", "k=0", "-D", "actor=bench",
                               "-D", "request=01900000-0000-7000-8000-000000000000", "-D", 'body={"city":"Bench"}',
                               "-h", str(c.sockets), "-p", str(c.port), "-U", "bimodal_app", "bimodal"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=env)
        found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.M)
        failed = re.search(r"^number of failed transactions: (\d+)", done.stdout, re.M)
        assert done.returncode == 0 and found and int(failed[1]) == 0, done.stdout + done.stderr
        return float(found[1])


def against_pgbench(load, table, rounds, method, budget):
    script = load.script(method)
    load.wrk(method, seconds=1)
    ours, theirs, ratios = [], [], []
    for _ in range(rounds):
        ours.append(load.wrk(method, count_cpu=True))
        theirs.append(load.pgbench(method, script))
        ratios.append(ours[-1] / theirs[-1])
    name = f"{method} of one person"
    table.row(f"{name}: over HTTP", f"{statistics.median(ours):,.0f}/s")
    table.row(f"{name}: pgbench, the same SQL", f"{statistics.median(theirs):,.0f}/s")
    ratio = statistics.median(ratios)
    table.row(f"{name}: ratio", f"{ratio:.2f}", f"budget ≥ {budget}; {min(ratios):.2f} to {max(ratios):.2f}", ratio >= budget)
    table.row(f"{name}: processor time of the workers", f"{statistics.median(load.cpu[method]):.1f} µs", "a request")


def rights(load, table, rounds):
    """/healthz asks for no right: with a token it costs the check of the token, the quota and its two headers more than without one.
    The rest of the guard is the search for the right, which is part of both sides of a GET and too small to be seen."""
    load.wrk("HEALTH", seconds=1)
    for _ in range(rounds):
        load.wrk("HEALTH", count_cpu=True, token="-")
        load.wrk("HEALTH", count_cpu=True)
        load.wrk("GET", count_cpu=True)
    without, with_token = load.cpu["HEALTH"][0::2], load.cpu["HEALTH"][1::2]
    cost = statistics.median(b - a for a, b in zip(without, with_token))
    get = statistics.median(load.cpu["GET"])
    table.row("rights of a request: token, quota, headers", f"{cost:.2f} µs", f"{len(without)} pairs of /healthz with and without a token")
    table.row("rights of a request: GET of one person, ratio to without", f"{get / (get - cost):.2f}", f"of {get:.1f} µs of the workers")


def mallocs(product, load, table):
    path = product.dir / "mallocs"
    path.write_bytes(bytes(64 * 16))
    path.chmod(0o666)
    product.restart(env={"LD_PRELOAD": str(BUILD / "tests/bench/count_malloc.so"), "BIMODAL_MALLOC_COUNT": str(path)})

    def count():
        slots = struct.iter_unpack("QQ", path.read_bytes())
        pids = workers_of(product.core)
        return sum(n for pid, n in slots if pid in pids)

    for method in ("GET", "PATCH"):
        load.wrk(method, seconds=1)
        before = count()
        assert before > 0, "no allocation was counted"
        load.wrk(method, seconds=1)
        table.row(f"{method} of one person: allocations of the workers", f"{(count() - before) / load.requests:.1f}", "a request")


# -- flags, in process: no daemon


def evaluations(table, rounds):
    runs = [json.loads(subprocess.run([BUILD / "tests/bench/evaluate"], check=True, capture_output=True, text=True).stdout)
            for _ in range(rounds)]

    def middle(key):
        return statistics.median(run[key] for run in runs)

    calls, decided = runs[0]["calls"], runs[0]["decided"]
    budget = BUDGET["evaluate"]
    table.row("flag of three rules: one evaluation, median", f"{middle('median_ns'):.0f} ns",
              f"{calls:,} calls, {rounds} times; budget < {budget}", middle("median_ns") < budget)
    table.row("flag of three rules: one evaluation, p99", f"{middle('p99_ns'):.0f} ns", f"the rules decide {decided[1:]}, the default {decided[0]}")
    table.row("flag of three rules: allocations", f"{max(run['allocations'] for run in runs)}", "budget 0",
              not any(run["allocations"] for run in runs))
    table.row("a context of eight attributes: read once a request", f"{middle('context_ns'):.0f} ns", "median")


# -- the feed


def one_by_one(product, seconds, ids):
    """RATE creates a second over a few kept connections, each at its time; ids of what was created go to `ids`."""
    core = product.core
    n = 4
    headers = {"Authorization": f"Bearer {core.tokens['agent']}", "Content-Type": "application/json"}
    begin = time.monotonic() + 0.1

    def run(k):
        c = http.client.HTTPConnection("127.0.0.1", core.port, timeout=10)
        for i in range(k, RATE * seconds, n):
            wait = begin + i / RATE - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            c.request("POST", "/v1/organizations", f'{{"name":"Organization {i}"}}', headers)
            r = c.getresponse()
            body = r.read()
            assert r.status == 201, body
            ids.append(json.loads(body)["id"])
        c.close()

    threads = [threading.Thread(target=run, args=(k,)) for k in range(n)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return time.monotonic() - begin


def lag(product, table, seconds):
    """From core's own commit time to the moment a reader of the sandbox has the row. One clock: it is one machine."""
    seen, ids = {}, []
    stop = threading.Event()
    clusters = product.clusters

    def watch():
        """Asks for the rows that were written and not seen yet: the outbox is no help, its rows end as soon as they are used."""
        at = 0              # everything before it was seen
        db = clusters.connect("sandbox")
        with db.cursor() as cur:
            cur.execute("PREPARE watch AS SELECT id::text FROM crm.organization WHERE id = ANY ($1::uuid[])")
            while not stop.is_set():
                while at < len(ids) and ids[at] in seen:
                    at += 1
                cur.execute("EXECUTE watch (%s::uuid[])", ([i for i in ids[at:] if i not in seen],))
                now = time.time()
                for row, in cur.fetchall():
                    seen[row] = now
                time.sleep(0.002)
        db.close()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        took = one_by_one(product, seconds, ids)
        product.caught_up()
        time.sleep(0.1)
    finally:
        stop.set()
        watcher.join()
    commits = dict(clusters.rows("core", "SELECT id::text, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8"
                                         " FROM crm.organization WHERE id = ANY(%s::uuid[])", (ids,)))
    missing = [i for i in ids if i not in seen]
    assert not missing, f"{len(missing)} of {len(ids)} writes were not seen in the sandbox"
    ms = sorted((seen[i] - commits[i]) * 1000 for i in ids)
    note = f"{len(ms)} writes at {len(ms) / took:.0f}/s"
    table.row("commit in core → visible in the sandbox: p50", f"{ms[len(ms) // 2]:.1f} ms", note)
    table.row("commit in core → visible in the sandbox: p99", f"{ms[len(ms) * 99 // 100]:.1f} ms", "including up to 2 ms of polling")


def with_and_without_feed(product, load, table, rounds):
    on, off, ratios = [], [], []
    for _ in range(rounds):
        product.caught_up()
        on.append(load.wrk("PATCH", seconds=2))
        product.caught_up()
        product.subscriptions("airlock", False)
        off.append(load.wrk("PATCH", seconds=2))
        product.subscriptions("airlock", True)
        ratios.append(on[-1] / off[-1])
    table.row("PATCH of one person: with the feed running", f"{statistics.median(on):,.0f}/s")
    table.row("PATCH of one person: with the feed switched off", f"{statistics.median(off):,.0f}/s")
    table.row("PATCH of one person: ratio", f"{statistics.median(ratios):.2f}",
              f"{min(ratios):.2f} to {max(ratios):.2f}; all three clusters share the machine")


# -- TLS


@contextlib.contextmanager
def core_under_tls(product, workers):
    """A second core on the same database, with a certificate of its own making."""
    from product import Daemon
    core = Daemon("core", product)
    core.tokens = product.core.tokens
    core.log = product.dir / "bimodal-core-tls.log"
    pair = [product.dir / f"tls.{end}" for end in ("pem", "key")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", pair[1], "-out",
                    pair[0], "-days", "30", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, stdin=subprocess.DEVNULL, capture_output=True)
    pair[1].chmod(0o600)
    more = product.dir / "core-tls.yaml"
    more.write_text(f"instance: {{ name: core-tls }}\nprocess: {{ pid_file: \"{product.dir}/core-tls.pid\" }}\n"
                    f"http: {{ port: {core.port}, workers: {workers}, tls: {{ certificate: {pair[0]}, key: {pair[1]} }} }}\n")
    core.more = ("-c", str(more))
    core.tls = ssl.create_default_context(cafile=pair[0])
    try:
        core.start()
        yield core
    finally:
        core.stop()


def handshakes(core):
    """Processor time of the workers for one new connection with one request, in µs."""
    pids = workers_of(core)
    before = cpu_of(pids)
    for _ in range(HANDSHAKES):
        assert core.get("/healthz", role=None).status == 200
    return (cpu_of(pids) - before) / HANDSHAKES * 1e6


def under_tls(product, load, table, rounds):
    """wrk on the one and the other in turn, over connections that are kept."""
    with core_under_tls(product, product.workers) as core:
        for each in (product.core, core):
            load.wrk("GET", seconds=1, core=each)
        plain, tls, ratios = [], [], []
        load.cpu["GET"].clear()
        cpu = {"plain": load.cpu["GET"], "tls": []}
        for _ in range(rounds):
            plain.append(load.wrk("GET", count_cpu=True))
            load.cpu["GET"] = cpu["tls"]
            tls.append(load.wrk("GET", count_cpu=True, core=core))
            load.cpu["GET"] = cpu["plain"]
            ratios.append(tls[-1] / plain[-1])
        name = "GET of one person: under TLS"
        table.row(name, f"{statistics.median(tls):,.0f}/s", f"{statistics.median(plain):,.0f}/s without; wrk encrypts on the same machine")
        table.row(f"{name}: ratio to without", f"{statistics.median(ratios):.2f}", f"{min(ratios):.2f} to {max(ratios):.2f}")
        table.row(f"{name}: processor time of the workers", f"{statistics.median(cpu['tls']):.1f} µs",
                  f"a request; {statistics.median(cpu['plain']):.1f} without: ratio"
                  f" {statistics.median(cpu['tls']) / statistics.median(cpu['plain']):.2f}")
        with_tls, without = handshakes(core), handshakes(product.core)
        table.row("a new connection under TLS: processor time", f"{with_tls:.0f} µs", f"{without:.0f} without; P-256, full handshake")
# -- people who sign in


def people_with_passwords(product):
    """Logins of users who can sign in. The password is set the way an operator does it."""
    core, logins = product.core, []
    for n in range(STORM_PEOPLE):
        logins.append(f"storm-{n}")
        (who,), = product.clusters.rows("core", "INSERT INTO access.principal (name, kind) VALUES (%s, 'user') RETURNING id::text", (logins[-1],))
        product.clusters.rows("core", "INSERT INTO access.role_grant (principal, role) VALUES (%s, 'agent')", (who,))
        secret = core.post(f"/v1/users/{who}/password-reset", role="operator").json["secret"]
        assert core.post("/v1/password-reset", {"secret": secret, "password": "storm on the quiet harbour"}, role=None).status == 204
    return logins


class Storm:
    """with Storm(core, logins): STORM sign-ins a second, each at its time, whether those before were answered or not."""

    def __init__(self, core, logins):
        self.core, self.logins = core, logins
        self.status, self.took, self.lock, self.ending = {}, [], threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(k,)) for k in range(STORM)]

    def __enter__(self):
        self.begin = time.monotonic() + 0.1
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join()

    def _run(self, k):
        for i in range(k, 1 << 30, STORM):
            if self.ending.wait(max(0.0, self.begin + i / STORM - time.monotonic())):
                return
            began = time.monotonic()
            status = self._sign_in(self.logins[i % len(self.logins)])
            with self.lock:
                self.status[status] = self.status.get(status, 0) + 1
                self.took.append(time.monotonic() - began)

    def _sign_in(self, login):
        """By a client that costs little itself: it runs beside the readers."""
        c = http.client.HTTPConnection("127.0.0.1", self.core.port, timeout=30)
        try:
            c.request("POST", "/v1/session", json.dumps({"login": login, "password": "storm on the quiet harbour"}),
                      {"Content-Type": "application/json"})
            return c.getresponse().status
        finally:
            c.close()


def storm(product, load, table, rounds):
    logins = people_with_passwords(product)
    quiet, stormy, ratios, status, took = [], [], [], {}, []
    for _ in range(rounds):
        load.wrk("GET", pause=STORM_PAUSE)
        quiet.append(load.p99)
        with Storm(product.core, logins) as s:
            load.wrk("GET", pause=STORM_PAUSE)
            stormy.append(load.p99)
        ratios.append(stormy[-1] / quiet[-1])
        took += s.took
        for code, n in s.status.items():
            status[code] = status.get(code, 0) + n
    table.row("GET of one person, p99: nobody signs in", f"{statistics.median(quiet) / 1000:.2f} ms", f"{CLIENTS} readers, {STORM_PAUSE} ms between reads")
    table.row(f"GET of one person, p99: {STORM} sign-ins a second", f"{statistics.median(stormy) / 1000:.2f} ms",
              ", ".join(f"{n} × {code}" for code, n in sorted(status.items())) + f"; a sign-in takes {statistics.median(took) * 1000:.0f} ms")
    ratio = statistics.median(ratios)
    table.row("GET of one person, p99: ratio", f"{ratio:.2f}", f"budget ≤ {BUDGET['storm']}; {min(ratios):.2f} to {max(ratios):.2f}",
              ratio <= BUDGET["storm"])


# -- memory


def idle_connections(product, table):
    product.restart(workers=1)
    hold_idle(product.core, table, "idle connections", BUDGET["idle"])
    with core_under_tls(product, 1) as core:
        hold_idle(core, table, "idle TLS connections", BUDGET["idle_tls"])


def hold_idle(core, table, name, budget):
    request = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    held = []
    try:
        for _ in range(IDLE):
            s = socket.create_connection(("127.0.0.1", core.port), timeout=10)
            if core.tls is not None:
                s = core.tls.wrap_socket(s, server_hostname="127.0.0.1")
            held.append(s)
            s.sendall(request)
            got = s.recv(65536)
            assert got.startswith(b"HTTP/1.1 200"), f"an idle connection was not answered: {got}"
        (worker,) = workers_of(core)
        rss, pss = memory_of(worker)
    finally:
        for s in held:
            s.close()
    table.row(f"memory of a worker with {IDLE:,} {name}: Rss", f"{rss:.1f} MiB", f"budget < {budget:.0f}", rss < budget)
    table.row(f"memory of a worker with {IDLE:,} {name}: Pss", f"{pss:.1f} MiB", "its share of what is shared")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--seconds", type=int, default=3, help="of each run against pgbench (default 3)")
    parser.add_argument("--only", default="evaluate,get,patch,rights,tls,storm,malloc,lag,feed,idle,flags,ofrep,whole", help="parts, with commas")
    parser.add_argument("--customers", type=int, default=1_000_000, help="for the whole of one (default 1,000,000)")
    args = parser.parse_args()
    parts = set(args.only.split(","))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    table = Table()
    begin = time.monotonic()
    if "evaluate" in parts:
        evaluations(table, args.rounds)
    if parts - {"evaluate"}:
        with_product(args, parts, table)
    print(f"{time.monotonic() - begin:.0f} s; budgets missed: {table.missed}")
    return 1 if table.missed else 0


def with_product(args, parts, table):
    product = BenchProduct(slot_wal="4GB", settings=("track_activity_query_size = 65536", "track_commit_timestamp = on",
                                                      "max_wal_size = 4GB", "shared_buffers = 256MB")).start()     # as in deploy/postgres
    try:
        load = Load(product, people(product.core), args.seconds)
        for part, method in (("get", "GET"), ("patch", "PATCH")):
            if part in parts:
                against_pgbench(load, table, args.rounds, method, BUDGET[part])
        if "tls" in parts:
            under_tls(product, load, table, args.rounds)
        if "storm" in parts:
            storm(product, load, table, args.rounds)
        if "rights" in parts:
            rights(load, table, args.rounds)
        if "malloc" in parts:
            mallocs(product, load, table)
            product.restart()
        if parts & {"lag", "feed"}:
            with errors_to(product.dir / "feed_setup.log"):
                product.feed_setup()
            product.sandbox.start()
            product.caught_up()
        if "lag" in parts:
            lag(product, table, 10)
        if "feed" in parts:
            with_and_without_feed(product, load, table, args.rounds)
        if "idle" in parts:
            idle_connections(product, table)
        if "flags" in parts:
            product.restart(workers=2)
            ofrep.toggles(product, table, memory_of, workers_of)
        if "ofrep" in parts:
            product.restart(workers=1)
            ofrep.bulk(product, table, args.rounds, args.seconds, workers_of)
        if "whole" in parts:
            # Last, and without the feed: what was made here went past it.
            if parts & {"lag", "feed"}:
                product.subscriptions("airlock", False)
                product.subscriptions("sandbox", False)
            product.restart(workers=2)
            whole(product, table, 2 * args.seconds, args.customers)
    finally:
        product.stop()


if __name__ == "__main__":
    sys.exit(main())
