"""Identity providers for the scenario tests, on loopback: a real one (Node, tests/support/oidc), and one that lies as it is told."""
import base64
import hashlib
import html
import http.client
import http.cookiejar
import http.server
import json
import re
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from cryptography.hazmat.primitives import hashes, hmac, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

import described
from clusters import ROOT, free_port

HERE = ROOT / "tests" / "support" / "oidc"


# -- a browser: cookies as they are, redirects one by one

class Answer:
    def __init__(self, r):
        self.status, self.headers, self.body, self.url = r.status, r.headers, r.read(), r.url

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()

    @property
    def location(self):
        return self.headers["Location"]

    def __repr__(self):
        return f"<{self.status} {self.headers.get('Location')} {self.body[:300]!r}>"


class Browser:
    """One person at one address. What a daemon answers is held against the description of its API."""
    daemons = {}        # by origin

    def __init__(self, address):
        self.jar = http.cookiejar.CookieJar()

        class Connections(urllib.request.HTTPHandler):
            def http_open(self, request):
                return self.do_open(lambda host, **kw: http.client.HTTPConnection(host, source_address=(address, 0), **kw), request)

        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_):
                return None

        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Connections, Stay,
                                                  urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, url, form=None, accept="application/json", headers=None):
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            answer = Answer(self.opener.open(urllib.request.Request(url, data, {"Accept": accept, **(headers or {})}), timeout=60))
        except urllib.error.HTTPError as e:
            answer = Answer(e)
        origin = next((o for o in self.daemons if url.startswith(o + "/")), None)
        if origin is not None:
            described.check(self.daemons[origin], "GET" if data is None else "POST", url[len(origin):], answer.status, answer.headers, answer.body)
        return answer

    def cookie(self, name):
        return next((c.value for c in self.jar if c.name == name), None)

    def forget(self, name):
        for c in [c for c in self.jar if c.name == name]:
            self.jar.clear(c.domain, c.path, c.name)


# -- the real one

class Provider:
    """oidc-provider of the npm registry, in a process of its own. `host`: an address of loopback; to a browser each is a site of its own."""

    def __init__(self, redirect_uri, secret, log, host="127.0.0.1"):
        self.port = free_port()
        self.issuer = f"http://{host}:{self.port}"
        self.log = open(log, "ab")
        self.process = subprocess.Popen([shutil.which("node"), str(HERE / "provider.mjs"), host, str(self.port), redirect_uri, secret],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=HERE)

    def ready(self, seconds=60):
        deadline = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None and time.monotonic() < deadline, "the identity provider does not start"
            try:
                urllib.request.urlopen(self.issuer + "/.well-known/openid-configuration", timeout=5).close()
                return self
            except OSError:
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()

    def _tell(self, path, what):
        with urllib.request.urlopen(urllib.request.Request(self.issuer + path, json.dumps(what).encode()), timeout=60) as r:
            assert r.status == 200

    def accounts(self, **people):
        self._tell("/test/accounts", people)

    def keys(self, alg, keep=False):
        self._tell("/test/keys", {"alg": alg, "keep": keep})

    def walk(self, browser, url, login, abort=False):
        """Fills in the provider's forms until it sends the browser away; the address that it sends it to."""
        for _ in range(12):
            if not url.startswith(self.issuer):
                return url
            r = browser.open(url, accept="text/html")
            if r.status == 200 and abort:
                url = next(u for u in re.findall(r'href="([^"]+)"', r.text) if u.endswith("/abort"))
                continue
            if r.status == 200:
                form = {"prompt": re.search(r'name="prompt" value="(\w+)"', r.text)[1]}
                if form["prompt"] == "login":
                    form.update(login=login, password="any")
                r = browser.open(html.unescape(re.search(r'action="([^"]+)"', r.text)[1]), form, accept="text/html")
            assert r.status in (302, 303), r
            url = urllib.parse.urljoin(url, r.location)
        raise AssertionError(f"the provider goes in circles: {url}")


# -- the one that lies

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n):
    return b64(n.to_bytes((n.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self, alg, kid, bits=2048):
        self.alg, self.kid = alg, kid
        self.private = {"RS256": lambda: rsa.generate_private_key(65537, bits), "PS256": lambda: rsa.generate_private_key(65537, bits),
                        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()), "EdDSA": ed25519.Ed25519PrivateKey.generate}[alg]()

    @property
    def jwk(self):
        public = self.private.public_key()
        if self.alg in ("RS256", "PS256"):
            n = public.public_numbers()
            return {"kty": "RSA", "kid": self.kid, "use": "sig", "n": number(n.n), "e": number(n.e)}
        if self.alg == "ES256":
            n = public.public_numbers()
            return {"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "x": b64(n.x.to_bytes(32, "big")), "y": b64(n.y.to_bytes(32, "big"))}
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "alg": "EdDSA",
                "x": b64(public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))}

    @property
    def pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, alg, text):
        if alg == "RS256":
            return self.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        if alg == "PS256":
            return self.private.sign(text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        if alg == "ES256":
            r, s = decode_dss_signature(self.private.sign(text, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return self.private.sign(text)


def hs256(secret, text):
    h = hmac.HMAC(secret, hashes.SHA256())
    h.update(text)
    return h.finalize()


def token(header, claims, sign):
    """A token whose parts are these: texts as they are, all else as JSON; `sign` makes the signature of the first two."""
    head, body = (b64((part if isinstance(part, str) else json.dumps(part)).encode()) for part in (header, claims))
    return f"{head}.{body}.{b64(sign(f'{head}.{body}'.encode()))}"


class Liar:
    """Its document and keys are right; its token endpoint answers what the test puts into `reply`: status, body, headers."""

    def __init__(self):
        self.keys = [Key("RS256", "one"), Key("ES256", "two"), Key("EdDSA", "three")]
        self.reply = (500, "{}")
        self.pause = 0           # seconds before it says what it is
        self.asked = []          # (path, headers, form) of every call
        liar = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body, headers=()):
                data = body.encode()
                self.send_response(status)
                for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                liar.asked.append((self.path, dict(self.headers), {}))
                time.sleep(liar.pause)
                if self.path == "/.well-known/openid-configuration":
                    self.answer(200, json.dumps({"issuer": liar.issuer, "authorization_endpoint": liar.issuer + "/auth?tenant=1",
                                                 "token_endpoint": liar.issuer + "/token", "jwks_uri": liar.issuer + "/keys",
                                                 "token_endpoint_auth_methods_supported": ["client_secret_post"],
                                                 "authorization_response_iss_parameter_supported": True}))
                elif self.path == "/keys":
                    self.answer(200, json.dumps({"keys": [k if isinstance(k, dict) else k.jwk for k in liar.keys]}))
                else:
                    self.answer(404, "{}")

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                liar.asked.append((self.path, dict(self.headers), dict(urllib.parse.parse_qsl(body))))
                self.answer(*liar.reply)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    def gives(self, text):
        self.reply = (200, json.dumps({"access_token": "of no use", "token_type": "Bearer", "id_token": text}))


def challenge(verifier):
    return b64(hashlib.sha256(verifier.encode()).digest())
