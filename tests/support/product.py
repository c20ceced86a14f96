"""The real product for scenario tests: private PostgreSQL clusters, the real daemons, real HTTP.

    p = Product().start()
    p.core.post("/v1/people", {"given_name": "Ada"}, role="agent")
    p.stop()

Everything listens on 127.0.0.1 or a unix socket, on ports that were free, and is ended by its pid.
BIMODAL_BUILD names the folder of the programs (default build/debug; the console is built beside it), BIMODAL_TEST_LOGS one that keeps the logs.
"""
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import time

import client
import described
from clusters import NAMES, ROOT, Clusters, free_port
from templates import template

BUILD = pathlib.Path(os.environ.get("BIMODAL_BUILD", ROOT / "build" / "debug"))
CONSOLE = BUILD.parent / "console"
ROLES = ("operator", "innovator", "product_owner", "agent", "service")


class Reply:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def etag(self):
        return self.headers.get("ETag")

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


class Daemon:
    """One daemon: its process, its address, its tokens by role."""

    def __init__(self, name, product):
        self.name = name
        self.product = product
        self.port = free_port()
        self.process = None
        self.tokens = {}
        self.log = product.dir / f"bimodal-{name}.log"
        self.config = product.dir / f"{name}.yaml"
        self.more = ()          # further arguments, such as one more configuration file
        self.tls = None         # an ssl.SSLContext: it is spoken to over TLS

    @property
    def program(self):
        return BUILD / f"bimodal-{self.name}"

    def argv(self, *more):
        return [str(self.program), "-c", str(ROOT / "config" / f"{self.name}.yaml"), "-c", str(self.config), *self.more, *more]

    def command(self, *more):
        """A one-off command, such as --migrate; its standard output."""
        done = subprocess.run(self.argv(*more), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{self.name} {more}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def start(self, *more, wait=True):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.argv(*more), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if wait:
            self.ready()
        return self

    def ready(self, seconds=30.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, f"{self.name} ended with {self.process.returncode}\n{self.tail()}"
            try:
                # Each answer is that of one worker: ask until all of them must have been met.
                if all(self.get("/readyz", role=None, timeout=2).status == 200 for _ in range(6 * self.product.workers)):
                    return self
            except OSError:
                pass
            time.sleep(0.05)
        raise TimeoutError(f"{self.name} is not ready after {seconds} s\n{self.tail()}")

    def unheard(self, seconds=30.0):
        """Waits until the workers of a killed parent have ended, each in its own time: until then the port is theirs."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 5).close()
            except ConnectionRefusedError:
                return
            except OSError:
                pass
            assert time.monotonic() < deadline, f"{self.name} is still heard after {seconds} s"
            time.sleep(0.05)

    def stop(self, sig=signal.SIGTERM, seconds=20.0):
        """Ends it; returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not stop within {seconds} s\n{self.tail()}") from None
        finally:
            self.process = None

    def tail(self, lines=40):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    # -- HTTP

    def request(self, method, path, body=None, role="agent", headers=None, timeout=30, token=None):
        sent = dict(headers or {})
        if token is None and role is not None:
            token = self.tokens[role]
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if body is not None:
            sent.setdefault("Content-Type", "application/merge-patch+json" if method == "PATCH" else "application/json")
        if isinstance(body, str):
            body = body.encode()
        reply = Reply(*client.request(self.port, method, path, body, sent, timeout, self.tls))
        described.check(self, method, path, reply.status, reply.headers, reply.body)
        return reply

    def get(self, path, **kw):
        return self.request("GET", path, **kw)

    def post(self, path, body=None, **kw):
        return self.request("POST", path, {} if body is None else body, **kw)

    def patch(self, path, body, **kw):
        return self.request("PATCH", path, body, **kw)

    def delete(self, path, **kw):
        return self.request("DELETE", path, **kw)

    def metric(self, name):
        """The value of a metric without labels, or the sum over its labels."""
        total = None
        for line in self.get("/metrics", role=None).body.decode().splitlines():
            if line.startswith(name) and line[len(name)] in " {":
                total = (total or 0.0) + float(line.rsplit(" ", 1)[1])
        return total


class Product:
    """`fresh`: the whole installation again, in place of a copy of the one that the run has made already."""

    # Fewer than an installation has: a server starts a process for each, and a suite starts many products.
    lanes = ", read_connections: 1, write_connections: 2"

    def __init__(self, slot_wal="64MB", workers=2, settings=(), rehearsal=False, fresh=False):
        self.clusters = Clusters(names=NAMES + (("rehearsal",) if rehearsal else ()), slot_wal=slot_wal, settings=settings)
        self.workers = workers
        self.fresh = fresh
        self.dir = None
        self.core = None
        self.sandbox = None
        self.overrides = {"core": "", "sandbox": ""}

    def secret(self, name, text):
        path = self.dir / "secrets" / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
        return path

    def _login(self, cluster, role, more=""):
        c = self.clusters.cluster[cluster]
        password = self.secret(f"{cluster}-{role}", c.passwords[role])
        return f'{{ host: "{c.sockets}", port: "{c.port}", password_file: "{password}"{more} }}'

    def configure(self):
        for daemon in (self.core, self.sandbox):
            cursor = self.secret(f"{daemon.name}-cursor", secrets.token_hex(32))
            text = (f"http:\n  port: {daemon.port}\n  workers: {self.workers}\n  grace: 5s\n"
                    f"process: {{ pid_file: \"{self.dir}/{daemon.name}.pid\" }}\n"
                    f"cursor: {{ key_file: \"{cursor}\" }}\n"
                    f"database: {self._login(daemon.name, 'bimodal_app', self.lanes)}\n")
            if daemon.name == "core":
                executor = self.secret("core-executor", self.clusters.cluster["core"].passwords["bimodal_executor"])
                text += (f"executor: {{ password_file: \"{executor}\" }}\n"
                         f"airlock: {self._login('airlock', 'bimodal_executor')}\n")
                if CONSOLE.is_dir():
                    text += f"console: {{ folder: \"{CONSOLE}\", sandbox_origin: \"http://127.0.0.1:{self.sandbox.port}\" }}\n"
                if "rehearsal" in self.clusters.cluster:
                    text += f"rehearsal: {self._login('rehearsal', 'bimodal_rehearsal', ', rows: 100')}\n"
            else:
                deployer = self.secret("sandbox-deployer", self.clusters.cluster["sandbox"].passwords["bimodal_deployer"])
                text += (f"deployer: {{ password_file: \"{deployer}\" }}\n"
                         f"console: {{ origin: \"http://127.0.0.1:{self.core.port}\" }}\n"
                         f"core: {{ url: \"http://127.0.0.1:{self.core.port}\", token_file: \"{self.dir}/secrets/agent-token\" }}\n")
            daemon.config.write_text(text + self.overrides[daemon.name])

    def install(self):
        """Change 0, base changes through the daemons' own executor, feed, tokens."""
        for name in self.clusters.names:
            self.clusters.genesis(name) if name in NAMES else self.clusters.disposable(name)
        self.secret("agent-token", "not made yet")
        self.configure()
        self.core.command("--migrate")
        self.secret("agent-token", self.core.command("--create-token", "sandbox:service:core").strip())
        self.sandbox.command("--migrate")
        self.clusters.feed_setup()
        for daemon in (self.core, self.sandbox):
            for role in ROLES:
                daemon.tokens[role] = self.core.command("--create-token", f"{role}:{role}:{daemon.name}").strip()

    @staticmethod
    def _installed(folder):
        """The template of an installed product whose daemons have not run yet."""
        p = Product()
        try:
            p._place()
            p.install()
            p.clusters.keep(folder)
            tokens = folder / "tokens.json"
            tokens.touch(mode=0o600)
            tokens.write_text(json.dumps({"agent-token": (p.dir / "secrets" / "agent-token").read_text(),
                                          "core": p.core.tokens, "sandbox": p.sandbox.tokens}))
        finally:
            p.stop()

    def _place(self, installed=None):
        self.clusters.start(installed=installed)
        self.dir = self.clusters.dir / "product"
        self.dir.mkdir()
        self.core = Daemon("core", self)
        self.sandbox = Daemon("sandbox", self)

    def _take(self, folder):
        """A copy of the installed product instead of install()."""
        self._place(folder)
        if "rehearsal" in self.clusters.names:
            self.clusters.disposable("rehearsal")
        kept = json.loads((folder / "tokens.json").read_text())
        self.secret("agent-token", kept["agent-token"])
        self.core.tokens, self.sandbox.tokens = kept["core"], kept["sandbox"]
        self.configure()

    def start(self):
        try:
            if self.fresh:
                self._place()
                self.install()
            else:
                self._take(template("product", self._installed))
            # Both at once: neither waits for the other.
            self.core.start(wait=False)
            self.sandbox.start()
            self.core.ready()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        failed = []
        for daemon in (self.sandbox, self.core):
            try:
                if daemon is not None:
                    daemon.stop()
            except AssertionError as e:
                failed.append(str(e))
        keep = os.environ.get("BIMODAL_TEST_LOGS")
        if keep and self.dir is not None:
            for log in [*self.dir.glob("*.log"), *self.clusters.dir.glob("*.log")]:
                shutil.copy(log, keep)
        self.clusters.stop()
        assert not failed, failed

    def arrived(self, sql, args=None, seconds=10.0):
        """Seconds until the query is true in the sandbox's database; if it never is, the error says how the feed stands."""
        try:
            return self.clusters.wait("sandbox", sql, args, seconds)
        except TimeoutError as e:
            raise TimeoutError(f"{e}\n{self.clusters.feed_state()}") from None
