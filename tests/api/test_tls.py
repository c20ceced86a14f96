"""TLS of both daemons: what is taken and refused, renewal while they serve, deadlines and limits, the sandbox's and the command line's
way in. Certificates are made here by openssl; clients are Python's ssl, curl and openssl."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

import described
import traced
from clusters import ROOT
from product import BUILD, Product
from wire import Spoken, answers, judge, request

HEAD_DEADLINE = 1.5
CLOSED = (ConnectionResetError, BrokenPipeError, ssl.SSLError, OSError)


def run(*argv, env=None, stdin=""):
    return subprocess.run([str(a) for a in argv], input=stdin, capture_output=True, text=True, timeout=60,
                          env=dict(os.environ, **(env or {})))


class Authority:
    """A private root that signs certificates for 127.0.0.1."""

    def __init__(self, directory, name):
        directory.mkdir()
        self.dir = directory
        self.file = directory / "ca.pem"
        self.key = directory / "ca.key"
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.key, "-out",
                     self.file, "-days", "30", "-subj", f"/CN={name}", "-addext", "basicConstraints=critical,CA:TRUE")

    @staticmethod
    def openssl(*argv):
        done = run("openssl", *argv)
        assert done.returncode == 0, done.stderr

    def pair(self, name, days="90", rsa=False):
        """Certificate with its root behind it, and key, in files of this name."""
        certificate, key, csr = (self.dir / f"{name}.{end}" for end in ("pem", "key", "csr"))
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        self.openssl("req", "-newkey", *kind, "-nodes", "-keyout", key, "-out", csr, "-subj", f"/CN={name}")
        names = self.dir / "names"
        names.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
        self.openssl("x509", "-req", "-in", csr, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial", "-days", days,
                     "-extfile", names, "-out", certificate)
        certificate.write_text(certificate.read_text() + self.file.read_text())
        key.chmod(0o600)
        return certificate, key


class TlsProduct(Product):
    """Both daemons under TLS; short deadlines, so that a client that is slow is seen to be closed."""

    def configure(self):
        super().configure()
        if not (self.dir / "pki").exists():
            self.authority = Authority(self.dir / "pki", "Root of the test")
        for daemon in (self.core, self.sandbox):
            self.place(daemon, *self.authority.pair(f"{daemon.name}-first"))
            more = self.dir / f"{daemon.name}-tls.yaml"
            more.write_text(f"http:\n  head_deadline: {int(HEAD_DEADLINE * 1000)}ms\n  idle_deadline: 20s\n"
                            f"  tls: {{ certificate: {daemon.name}.pem, key: {daemon.name}.key }}\n"
                            + (f"core: {{ url: \"https://127.0.0.1:{self.core.port}\", ca_file: pki/ca.pem }}\n"
                               if daemon is self.sandbox else ""))
            daemon.more = ("-c", str(more))
            daemon.tls = ssl.create_default_context(cafile=self.authority.file)

    def place(self, daemon, certificate, key):
        """The pair where the daemon looks for it."""
        shutil.copy(certificate, self.dir / f"{daemon.name}.pem")
        shutil.copy(key, self.dir / f"{daemon.name}.key")


@pytest.fixture(scope="module")
def product():
    p = TlsProduct().start()
    yield p
    p.stop()


@pytest.fixture(scope="module")
def core(product):
    return product.core


@pytest.fixture(scope="module")
def authority(product):
    return product.authority


@contextlib.contextmanager
def plain_socket(core, timeout=20.0):
    with socket.create_connection(("127.0.0.1", core.port), timeout=timeout) as s:
        yield s


@contextlib.contextmanager
def tls_socket(core, context=None, timeout=20.0):
    with plain_socket(core, timeout) as s:
        with Spoken((context or core.tls).wrap_socket(s, server_hostname="127.0.0.1"), core) as t:
            yield t


def until(true, what, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what() if callable(what) else what
        time.sleep(0.05)


def read_to_end(s):
    """All bytes until the other side closes; fails if it does not within the socket's time."""
    got = b""
    with contextlib.suppress(ConnectionResetError, ssl.SSLError):
        while chunk := s.recv(65536):
            got += chunk
    return got


def failed(core, reason):
    lines = core.get("/metrics", role=None).body.decode().splitlines()
    return sum(float(x.rsplit(" ", 1)[1]) for x in lines if x.startswith(f'http_tls_failed_total{{reason="{reason}"}}'))


def context_with(authority, least=None, most=None, suites=None, alpn=None):
    context = ssl.create_default_context(cafile=authority.file)
    if most is not None and most < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    if suites is not None:
        context.set_ciphers(suites)
    if least is not None:
        context.minimum_version = least
    if most is not None:
        context.maximum_version = most
    if alpn is not None:
        context.set_alpn_protocols(alpn)
    return context


# -- what is agreed upon


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_modern_versions_are_taken_and_no_session_is_resumed(core, authority, version):
    v = ssl.TLSVersion.TLSv1_2 if version == "TLSv1.2" else ssl.TLSVersion.TLSv1_3
    context = context_with(authority, v, v, alpn=["h2", "http/1.1"])
    session = None
    for _ in range(2):
        with plain_socket(core) as s, Spoken(context.wrap_socket(s, server_hostname="127.0.0.1", session=session), core) as t:
            assert t.version() == version
            assert t.selected_alpn_protocol() == "http/1.1"
            assert t.compression() is None
            assert "GCM" in t.cipher()[0] or "CHACHA20" in t.cipher()[0]
            assert version == "TLSv1.3" or t.cipher()[0].startswith("ECDHE-")
            assert not t.session_reused
            t.sendall(request(core, "GET", "/v1/me"))
            assert t.recv(65536).startswith(b"HTTP/1.1 200 ")
            session = t.session


@pytest.mark.parametrize("what, reason", [
    (dict(least=ssl.TLSVersion.TLSv1, most=ssl.TLSVersion.TLSv1), "version"),
    (dict(least=ssl.TLSVersion.TLSv1_1, most=ssl.TLSVersion.TLSv1_1), "version"),
    (dict(most=ssl.TLSVersion.TLSv1_2, suites="AES128-GCM-SHA256"), "suite"),                       # no forward secrecy
    (dict(most=ssl.TLSVersion.TLSv1_2, suites="ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"), "suite"),      # no AEAD
    (dict(most=ssl.TLSVersion.TLSv1_2, suites="DHE-RSA-AES128-GCM-SHA256:AECDH-AES128-SHA:@SECLEVEL=0"), "suite"),
    (dict(alpn=["h2"]), "alpn"),
])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_what_is_not_modern_is_refused(core, authority, what, reason):
    before = failed(core, reason)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        with tls_socket(core, context_with(authority, **what)) as t:
            t.sendall(request(core, "GET", "/v1/me"))
            assert not t.recv(1)
            raise ConnectionResetError
    until(lambda: failed(core, reason) > before, f"not counted as {reason}")


def test_the_root_that_is_not_trusted_is_refused_by_every_client(core, authority, product):
    other = Authority(product.dir / "other", "Another root")
    url = f"https://127.0.0.1:{core.port}"
    with pytest.raises(ssl.SSLCertVerificationError):
        with tls_socket(core, ssl.create_default_context(cafile=other.file)):
            pass
    token = product.secret("agent-of-core", core.tokens["agent"])
    argv = ["--token-file", token, "--core", url, "record", "list", "people"]
    good = traced.bimodal(product, "--ca", authority.file, *argv)
    assert good.returncode == 0 and "has_more" in good.stdout, good
    assert traced.bimodal(product, *argv, env={"BIMODAL_CA": str(authority.file)}).returncode == 0
    for bad in (traced.bimodal(product, "--ca", other.file, *argv), traced.bimodal(product, *argv)):
        assert bad.returncode == 1 and "--ca" in bad.stderr, bad
    told = product.dir / "curl.trace"
    assert run("curl", "-sf", "--trace", told, "--cacert", authority.file, f"{url}/healthz").returncode == 0
    traced.judge_curl((core,), told.read_text())
    assert run("curl", "-sf", "--cacert", other.file, f"{url}/healthz").returncode == 60
    until(lambda: failed(core, "alert") >= 3, "the clients' alerts are not counted")


def test_an_installation_makes_a_root_and_pairs_of_its_own(core, product):
    """deploy/tls.sh: what `TLS=1 make run` does before the daemons start, and the command line that finds the root in the var folder."""
    var = product.dir / "installation"
    user = pwd.getpwuid(os.geteuid()).pw_name
    env = {"BIMODAL_VAR": str(var), "BIMODAL_CORE_USER": user, "BIMODAL_SANDBOX_USER": user}
    tls = ROOT / "deploy" / "tls.sh"
    assert run(tls, "renew", env=env).returncode == 0 and not (var / "tls").exists()
    made = run(tls, "on", env=env)
    assert made.returncode == 0, made
    root = var / "tls" / "ca.pem"
    for name in ("core", "sandbox"):
        pair = var / "tls" / f"{name}.pem"
        done = run("openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_ip", "127.0.0.1", "-CAfile", root, pair)
        assert done.returncode == 0, done
        assert (var / "tls" / f"{name}.key").stat().st_mode & 0o777 == 0o600
    before = {p.name: p.read_bytes() for p in (var / "tls").iterdir()}
    assert run(tls, "renew", env=env).stdout == "" and {p.name: p.read_bytes() for p in (var / "tls").iterdir()} == before
    # The command line speaks https to the addresses of that folder, and trusts that root alone.
    for folder, file, text in (("run/core", "port", f"{core.port}"), ("tokens", "agent", core.tokens["agent"])):
        (var / folder).mkdir(parents=True)
        (var / folder / file).write_text(text)
    argv = ["--var", var, "record", "list", "people", "limit=1"]
    refused = traced.bimodal(product, *argv)
    assert refused.returncode == 1 and "https://127.0.0.1" in refused.stderr and "--ca" in refused.stderr, refused
    shutil.copy(product.authority.file, root)
    assert "has_more" in traced.bimodal(product, *argv).stdout
    off = run(tls, "off", env=env)
    assert off.returncode == 0 and not (var / "tls").exists(), off


# -- requests and bytes


def test_one_connection_serves_many_requests_and_pipelines(core):
    with tls_socket(core) as t:
        for _ in range(3):
            t.sendall(request(core, "GET", "/v1/me"))
            got = b""
            while not got.endswith(b"}"):
                got += t.recv(65536)
            assert [a.status for a in answers(got)] == [200]
        # Many requests in one record, and one request cut into many.
        n = 40
        t.sendall(request(core, "GET", "/v1/me") * n)
        last = request(core, "GET", "/healthz", role=None, headers=["Connection: close"])
        for i in range(len(last)):
            t.sendall(last[i:i + 1])
        found = answers(read_to_end(t))
        assert [a.status for a in found] == [200] * (n + 1)
        assert found[-1].headers["connection"] == "close"


def test_bodies_of_a_mebibyte_go_both_ways(core):
    def data(i):
        return {"name": "N" * 150 + str(i), "website": "https://example.org/" + "w" * 150}

    ops = {"ops": [{"op": "create", "data": data(i)} for i in range(500)]}
    body = json.dumps(ops)
    body += " " * (1024 * 1024 - len(body))
    done = core.post("/v1/organizations/batch", body)
    assert done.status == 200, done
    assert len(done.json["results"]) == 500
    answered, path = 0, "/v1/organizations?limit=200"
    page = core.get(path).body
    assert len(page) > 64 * 1024
    # As many pages as make a mebibyte, asked for at once and read slowly: the answers wait for the client.
    times = 1024 * 1024 // len(page) + 1
    with plain_socket(core) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        with Spoken(core.tls.wrap_socket(s, server_hostname="127.0.0.1"), core) as t:
            t.sendall(request(core, "GET", path) * (times - 1) + request(core, "GET", path, headers=["Connection: close"]))
            time.sleep(0.2)
            for answer in answers(read_to_end(t)):
                assert answer.status == 200 and len(answer.body) == len(page)
                answered += 1
    assert answered == times


def test_a_body_that_is_too_large_is_refused_and_the_answer_arrives(core):
    with tls_socket(core) as t:
        head = (f"POST /v1/people HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {core.tokens['agent']}\r\n"
                "Content-Type: application/json\r\nContent-Length: 900000000\r\n\r\n")
        t.sendall(head.encode())
        with contextlib.suppress(*CLOSED):
            for _ in range(20):
                t.sendall(b"x" * 16384)
        assert [a.status for a in answers(read_to_end(t))] == [413]


def test_a_client_that_closes_tls_is_still_answered(core):
    """close_notify ends the client's side only; a socket that just closes is a client that has left."""
    with plain_socket(core) as s:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        t = core.tls.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")

        def turn(call):
            while True:
                try:
                    return call()
                except ssl.SSLWantReadError:
                    s.sendall(outgoing.read())
                    chunk = s.recv(65536)
                    incoming.write(chunk) if chunk else incoming.write_eof()

        turn(t.do_handshake)
        t.write(request(core, "GET", "/healthz", role=None))
        with contextlib.suppress(ssl.SSLWantReadError):
            t.unwrap()      # writes close_notify, then would wait for the other side's
        s.sendall(outgoing.read())
        s.shutdown(socket.SHUT_WR)
        incoming.write(read_to_end(s))
        got = t.read(65536)
        assert [a.status for a in answers(got)] == [200], "no answer came after close_notify"
        judge(core, request(core, "GET", "/healthz", role=None), got)


# -- what is not TLS


def test_plain_http_garbage_and_huge_records_are_closed_and_counted(core):
    before = {reason: failed(core, reason) for reason in ("plain", "other", "left", "record")}
    with plain_socket(core) as s:
        s.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"HTTP" not in read_to_end(s)
    for junk in (os.urandom(4096), b"\x16\x03\x01\xff\xff" + b"\x01" * 70000, b"\x80\x2e\x01\x00\x02" + bytes(64), b"\x16\x03\x01\x00\x05" + b"\x01\xff\xff\xff\xff" * 2):
        with plain_socket(core) as s:
            with contextlib.suppress(*CLOSED):
                s.sendall(junk)
                s.shutdown(socket.SHUT_WR)
            assert b"HTTP" not in read_to_end(s)
    with plain_socket(core):
        pass
    # After the handshake: a record larger than any may be, and one that was not made by the client.
    for junk in (b"\x17\x03\x03\xff\xff" + bytes(1000), b"\x17\x03\x03\x00\x40" + os.urandom(64)):
        with plain_socket(core) as s:
            t = core.tls.wrap_socket(s, server_hostname="127.0.0.1", suppress_ragged_eofs=False)
            raw = socket.socket(fileno=os.dup(t.fileno()))
            raw.sendall(junk)
            with contextlib.suppress(*CLOSED):
                assert not raw.recv(65536).startswith(b"HTTP")
            raw.close()
            t.close()
    until(lambda: all(failed(core, reason) > n for reason, n in before.items()), lambda: f"not counted: {before}")
    assert core.get("/healthz", role=None).status == 200
    assert core.metric("process_restarts_total") == 0


def test_the_client_cannot_renegotiate(core, authority):
    done = run("openssl", "s_client", "-connect", f"127.0.0.1:{core.port}", "-tls1_2", "-CAfile", authority.file, "-verify_return_error",
               stdin="R\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert "RENEGOTIATING" in done.stdout + done.stderr
    assert "no renegotiation" in done.stderr, done.stderr
    assert core.get("/healthz", role=None).status == 200


def test_key_updates_are_followed(core, authority):
    """TLS 1.3: the client changes its keys and asks for ours to be changed, between and in front of requests."""
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{core.port}", "-tls1_3", "-CAfile", str(authority.file),
                                "-quiet", "-no_ign_eof"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        head = b"GET /healthz HTTP/1.1\nHost: x\n\n".replace(b"\n", b"\r\n")
        for word in (b"K\n", b"k\n", b"K\n"):
            process.stdin.write(word)
            process.stdin.flush()
            while b"KEYUPDATE" not in process.stderr.readline():
                assert process.poll() is None
            process.stdin.write(head)
            process.stdin.flush()
            got = b""
            while not got.endswith(b"}"):
                got += os.read(process.stdout.fileno(), 65536) or pytest.fail("closed after a key update")
            assert got.startswith(b"HTTP/1.1 200 "), got
            judge(core, head, got)
    finally:
        process.kill()
        process.wait()


def worker_time(core):
    """Seconds of processor time of each worker so far."""
    pid = core.process.pid
    below = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    stat = {p: pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")", 1)[1].split()[11:13] for p in below}
    return {p: sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK") for p, ticks in stat.items()}


def test_part_of_a_record_keeps_no_worker_busy(core):
    """Behind the beginning of a head comes the beginning of a record: nothing can be done until more comes, and nothing is."""
    with plain_socket(core) as s:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        t = core.tls.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
        while True:
            try:
                t.do_handshake()
                break
            except ssl.SSLWantReadError:
                s.sendall(outgoing.read())
                incoming.write(s.recv(65536))
        s.sendall(outgoing.read())
        t.write(b"GET /healthz HTTP/1.1\r\nHo")
        first = outgoing.read()
        t.write(b"st: x\r\n\r\n" + b"x" * 1000)
        before, began = worker_time(core), time.monotonic()
        s.sendall(first + outgoing.read()[:500])    # the deadline of a head ends it
        while chunk := s.recv(65536):
            incoming.write(chunk)
        waited, after = time.monotonic() - began, worker_time(core)
        got = t.read(65536)
        judge(core, b"", got)
        assert [a.status for a in answers(got)] == [408] and waited > HEAD_DEADLINE * 0.9
    used = {p: after[p] - before[p] for p in before.keys() & after.keys()}
    assert max(used.values()) < waited * 0.1, (used, waited)


def test_every_answer_says_that_tls_is_to_stay(core, product):
    """Those before a route was met and those of a broken head too; without TLS it would mean nothing."""
    head = "Host: x\r\nConnection: close\r\n"
    for text, status in ((f"GET /healthz HTTP/1.1\r\n{head}\r\n", 200), (f"GET / HTTP/1.1\r\n{head}\r\n", 307), (f"GET /v1/me HTTP/1.1\r\n{head}\r\n", 401), (f"GET /nowhere HTTP/1.1\r\n{head}\r\n", 404),
                         (f"PUT /healthz HTTP/1.1\r\n{head}\r\n", 405), (f"GET /healthz HTTP/1.1\r\n{head}X : y\r\n\r\n", 400)):
        with tls_socket(core) as t:
            t.sendall(text.encode())
            (answer,) = answers(read_to_end(t))
        assert answer.status == status and answer.headers["strict-transport-security"] == "max-age=31536000", answer


# -- deadlines and limits


def test_a_slow_handshake_is_closed_by_the_deadline(core):
    """Whether nothing comes, or a byte now and then: the whole handshake has the time of a request head."""
    def timeouts():
        lines = core.get("/metrics", role=None).body.decode().splitlines()
        return sum(float(x.rsplit(" ", 1)[1]) for x in lines if x.startswith('http_timeouts_total{kind="handshake"}'))

    before = timeouts()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        core.tls.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1").do_handshake()
    hello = outgoing.read()
    with plain_socket(core) as silent, plain_socket(core) as slow:
        began = time.monotonic()
        slow.settimeout(0.1)
        closed = False
        for i in range(len(hello) - 1):
            try:
                slow.sendall(hello[i:i + 1])
                closed = slow.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            if closed:
                break
        assert closed and time.monotonic() - began > HEAD_DEADLINE * 0.9
        assert read_to_end(silent) == b""
    until(lambda: timeouts() >= before + 2, "the deadline is not counted")


def test_a_slow_head_is_answered_408_under_tls(core):
    with tls_socket(core) as t:
        t.sendall(b"GET / HTTP/1.1\r\n")
        assert [a.status for a in answers(read_to_end(t))] == [408]


def resident(core):
    """KiB of the workers and their parent."""
    pid = core.process.pid
    pids = [pid, *map(int, pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return sum(int(re.search(r"^VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{p}/status").read_text(), re.M)[1]) for p in pids)


def test_idle_connections_hold_little_memory(core):
    """Some to warm up, then many more; what those add is theirs. `make bench` measures a thousand."""
    held = []

    def hold(n):
        for _ in range(n):
            s = socket.create_connection(("127.0.0.1", core.port), timeout=20)
            t = core.tls.wrap_socket(s, server_hostname="127.0.0.1")
            t.sendall(request(core, "GET", "/v1/me"))
            got = t.recv(65536)
            assert got.startswith(b"HTTP/1.1 200 ")
            judge(core, request(core, "GET", "/v1/me"), got)
            held.append(t)

    try:
        hold(50)
        before = resident(core)
        hold(150)
        each = (resident(core) - before) / 150
    finally:
        for t in held:
            t.close()
    # Instrumented allocations are larger, and freed ones are kept for a while.
    assert each < (400 if "asan" in str(BUILD) else 40), f"{each:.0f} KiB a connection"


# -- renewal


def serial(core):
    with tls_socket(core) as t:
        return t.getpeercert()["serialNumber"]


def hangup(core):
    os.kill(core.process.pid, signal.SIGHUP)


def logged(core, word, since):
    return core.log.read_text(errors="replace")[since:].count(word)


def test_a_new_pair_is_served_without_losing_a_request(core, product, authority):
    first = serial(core)
    certificate, key = authority.pair("core-second", rsa=True)
    since = len(core.log.read_text(errors="replace"))
    stop = False
    counts = {"kept": 0, "new": 0}

    def kept_alive():
        c = http.client.HTTPSConnection("127.0.0.1", core.port, timeout=30, context=core.tls)
        try:
            while not stop:
                c.request("GET", "/v1/me", headers={"Authorization": f"Bearer {core.tokens['agent']}"})
                r = c.getresponse()
                described.check(core, "GET", "/v1/me", r.status, r.headers, r.read())
                assert r.status == 200
                counts["kept"] += 1
        finally:
            c.close()

    def fresh():
        while not stop:
            assert core.get("/v1/me").status == 200
            counts["new"] += 1

    with tls_socket(core) as old, concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(f) for f in (kept_alive, kept_alive, fresh, fresh)]
        try:
            until(lambda: min(counts.values()) > 5, "no load")
            product.place(core, certificate, key)
            hangup(core)
            until(lambda: logged(core, "new connections get the certificate", since) >= 3, "not reloaded")
            seen = dict(counts)
            until(lambda: all(counts[k] > seen[k] + 5 for k in counts), "the load stands still")
        finally:
            stop = True
        for one in running:
            one.result()
        assert {serial(core) for _ in range(12)}.isdisjoint({first})
        old.sendall(request(core, "GET", "/v1/me"))
        assert old.recv(65536).startswith(b"HTTP/1.1 200 "), "a connection from before the renewal was lost"


def test_a_bad_pair_keeps_the_old_one_and_says_why(core, product, authority):
    good = serial(core)
    here = product.dir / "core.pem", product.dir / "core.key"
    kept = [p.read_bytes() for p in here]
    stranger = authority.pair("stranger")
    old = authority.pair("old", days="-1")
    rows = [
        ("is not that of the certificate", lambda: shutil.copy(stranger[1], here[1])),
        ("could not use the certificate", lambda: here[0].write_text("not a certificate\n")),
        ("could not use the private key", lambda: here[1].write_text("not a key\n")),
        ("others must not get at a secret", lambda: here[1].chmod(0o644)),
        ("could not read", here[0].unlink),
        ("is not valid now", lambda: product.place(core, *old)),
    ]
    for why, spoil in rows:
        spoil()
        since = len(core.log.read_text(errors="replace"))
        hangup(core)
        # The parent and both workers at least; the jobs child does not serve and need not care about every one.
        until(lambda: logged(core, why, since) >= 3, lambda: f"{why} is not logged\n{core.tail(8)}")
        assert serial(core) == good, why
        for path, data in zip(here, kept):
            path.write_bytes(data)
            path.chmod(0o600)
    # A worker that is started while a bad pair lies there serves with the one that was good.
    here[1].write_text("not a key\n")
    (line,) = pathlib.Path(f"/proc/{core.process.pid}/task/{core.process.pid}/children").read_text().split()[:1]
    os.kill(int(line), signal.SIGKILL)
    until(lambda: core.metric("process_restarts_total") >= 1, "the worker is not restarted")
    core.ready()
    assert {serial(core) for _ in range(12)} == {good}
    here[1].write_bytes(kept[1])


def test_the_end_of_the_certificate_is_told(core, product, authority):
    until_day = core.metric("http_tls_certificate_expires_seconds")
    assert 80 * 86400 < until_day - time.time() < 100 * 86400
    doctor = ["--ca", authority.file, "--core", f"https://127.0.0.1:{core.port}", "--token-file",
              product.secret("operator-of-core", core.tokens["operator"]), "doctor"]
    assert re.search(r"ok +the certificate of bimodal-core is good for (89|90) days", traced.bimodal(product, *doctor).stdout)
    kept = [(product.dir / f"core.{end}").read_bytes() for end in ("pem", "key")]
    product.place(core, *authority.pair("short", days="9"))
    since = len(core.log.read_text(errors="replace"))
    hangup(core)
    until(lambda: logged(core, "new connections get the certificate", since) >= 3, "not reloaded")
    # A third of nine days has not begun: it is not told every time that a short certificate is new.
    assert logged(core, "the certificate ends in", since) == 0
    shown = traced.bimodal(product, *doctor)
    assert re.search("the certificate of bimodal-core is good for [89] days", shown.stdout), shown.stdout
    hour = authority.dir / "hour"
    authority.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{hour}.key", "-out", f"{hour}.csr", "-subj", "/CN=h")
    database = authority.dir / "index"
    database.write_text("")
    conf = authority.dir / "ca.cnf"
    conf.write_text(f"[ca]\ndefault_ca=d\n[d]\ndatabase={database}\nnew_certs_dir={authority.dir}\nserial={authority.dir}/serial\n"
                    "default_md=sha256\npolicy=p\nemail_in_dn=no\nunique_subject=no\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=IP:127.0.0.1\n")
    begin = time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() - 20 * 86400))
    end = time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + 2 * 86400 + 3600))
    authority.openssl("ca", "-batch", "-config", conf, "-extensions", "x", "-cert", authority.file, "-keyfile", authority.key, "-create_serial",
                      "-startdate", begin, "-enddate", end, "-notext", "-in", f"{hour}.csr", "-out", f"{hour}.pem")
    os.chmod(f"{hour}.key", 0o600)
    product.place(core, f"{hour}.pem", f"{hour}.key")
    since = len(core.log.read_text(errors="replace"))
    hangup(core)
    until(lambda: logged(core, "the certificate ends in 2 days", since) == 1, lambda: f"no warning\n{core.tail(8)}")
    shown = traced.bimodal(product, *doctor)
    assert shown.returncode == 1 and "WRONG  the certificate of bimodal-core ends in 2 days" in shown.stdout
    for name, data in zip(("pem", "key"), kept):
        (product.dir / f"core.{name}").write_bytes(data)
    hangup(core)


# -- the sandbox's way into core


def test_the_sandbox_reaches_core_over_tls(product):
    """Its workers acknowledge what they serve through core's API, each second."""
    def acknowledged():
        rows = product.clusters.rows("core", "SELECT count(*) FROM change.worker WHERE daemon = 'sandbox'"
                                             " AND seen_at > now() - interval '3 seconds'")
        return rows[0][0] >= product.workers

    until(acknowledged, lambda: f"the sandbox does not reach core\n{product.sandbox.tail(8)}")


# -- rules of the configuration


def test_open_addresses_need_tls_and_the_rules_name_the_place(product, core, tmp_path):
    certificate, key = product.dir / "core.pem", product.dir / "core.key"
    (tmp_path / "open.key").write_bytes(key.read_bytes())
    (tmp_path / "open.key").chmod(0o640)
    pair = f"tls: {{ certificate: {certificate}, key: {key} }}"

    def check(name, text, *more):
        bad = tmp_path / "bad.yaml"
        bad.write_text(text)
        return run(BUILD / f"bimodal-{name}", "-c", ROOT / "config" / f"{name}.yaml", "-c", bad, *more)

    for name, address, more in (("core", "0.0.0.0", ["--check-config"]), ("core", "0.0.0.0", []), ("core", "'::'", []),
                                ("core", "2001:db8::1", ["--check-config"]), ("sandbox", "10.1.2.3", ["--check-config"]),
                                ("sandbox", "10.1.2.3", [])):
        done = check(name, f"http:\n  port: 0\n  address: {address}\n", *more)
        assert done.returncode == 2, done
        assert re.search(r"bad\.yaml:3:12: http\.address: .* is not a loopback address: http\.tls\.certificate", done.stderr), done
    assert check("sandbox", f"http:\n  address: 0.0.0.0\n  {pair}\n", "--check-config").returncode == 0
    for address in ("127.8.9.1", "'::1'", "'::ffff:127.0.0.1'"):
        assert check("core", f"http:\n  address: {address}\n", "--check-config").returncode == 0
    rows = [
        (f"http:\n  tls:\n    certificate: {certificate}\n", r":3:18: http\.tls\.certificate: http\.tls\.key is missing"),
        (f"http:\n  tls:\n    key: {key}\n", r":3:10: http\.tls\.key: http\.tls\.certificate is missing"),
        (f"http:\n  tls:\n    certificate: {certificate}\n    key: {product.authority.key}\n", r":4:10: http\.tls\.key: the private key .* is not that of"),
        (f"http:\n  tls:\n    certificate: {key}\n    key: {key}\n", r":3:18: http\.tls\.certificate: could not use the certificate"),
        (f"http:\n  tls:\n    certificate: {certificate}\n    key: {certificate}\n", r":4:10: http\.tls\.key: .* has mode 0644, others must not"),
        ("http:\n  tls:\n    certificate: nowhere.pem\n", r":3:18: http\.tls\.certificate: could not read .*nowhere\.pem"),
    ]
    for text, place in rows:
        done = check("core", text, "--check-config")
        assert done.returncode == 2 and re.search(r"bad\.yaml" + place, done.stderr), done
    assert check("core", f"http: {{ tls: {{ certificate: {certificate}, key: {tmp_path}/open.key }} }}\n", "--check-config").returncode == 0
    for url in ("http://10.0.0.1:7410", "http://core.example.org", "http://127.0.0.1.example.org"):
        done = check("sandbox", f"core:\n  url: {url}\n", "--check-config")
        assert done.returncode == 2 and re.search(r"bad\.yaml:2:8: core\.url: .*https is required", done.stderr), done
    for url in ("https://core.example.org", "http://localhost:7410", "'http://[::1]:7410'"):
        assert check("sandbox", f"core: {{ url: {url} }}\n", "--check-config").returncode == 0


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(product, tmp_path):
    key = tmp_path / "locked.key"
    product.authority.openssl("ec", "-in", product.dir / "sandbox.key", "-aes256", "-passout", "pass:word", "-out", key)
    key.chmod(0o600)
    bad = tmp_path / "bad.yaml"
    bad.write_text(f"http: {{ tls: {{ certificate: {product.dir}/sandbox.pem, key: {key} }} }}\n")
    done = run(BUILD / "bimodal-core", "-c", ROOT / "config" / "core.yaml", "-c", bad, "--check-config")
    assert done.returncode == 2 and "http.tls.key: could not use the private key" in done.stderr, done
