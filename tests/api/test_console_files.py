"""The console as core serves it: names, forms, ETags, what a browser is told to refuse; and the sandbox's answers to its pages (CORS)."""
import gzip
import json
import re

import pytest

from product import CONSOLE


def get(core, path, method="GET", **headers):
    return core.request(method, path, role=None, headers={k.replace("_", "-"): v for k, v in headers.items()})


def policy(r):
    return dict(part.strip().split(" ", 1) for part in r.headers["Content-Security-Policy"].split(";"))


def test_every_built_file_is_served_as_it_is(core):
    names = sorted(p.relative_to(CONSOLE).as_posix() for p in CONSOLE.rglob("*") if p.is_file())
    assert "index.html" in names and any(n.endswith(".js") for n in names)
    kinds = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
    for name in names:
        if name.endswith((".gz", ".br")):
            continue
        path = CONSOLE / name
        r = get(core, f"/console/{name}")
        assert r.status == 200 and r.body == path.read_bytes(), name
        assert r.headers["Content-Type"] == kinds[path.suffix] and r.headers["X-Content-Type-Options"] == "nosniff", name
        assert r.headers["Cache-Control"] == ("public, max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"), name
        assert r.headers["Vary"] == "Accept-Encoding" and "Content-Encoding" not in r.headers
        for coding, ending in (("gzip", ".gz"), ("br", ".br")):
            made = CONSOLE / (name + ending)
            z = get(core, f"/console/{name}", Accept_Encoding=coding)
            assert z.headers.get("Content-Encoding") == (coding if made.exists() else None), (name, coding)
            assert z.body == (made if made.exists() else path).read_bytes()
            assert (z.etag != r.etag) is made.exists()
            if made.exists() and coding == "gzip":
                assert gzip.decompress(z.body) == r.body
        assert get(core, f"/console/{name}", If_None_Match=f'"x", W/{r.etag}').status == 304


def test_forms_and_conditions(core):
    script = next(p for p in sorted(CONSOLE.glob("assets/index-*.js")))
    path = f"/console/assets/{script.name}"
    both = get(core, path, Accept_Encoding="gzip, deflate, br")
    assert both.headers["Content-Encoding"] == "br" and len(both.body) < script.stat().st_size / 2
    assert get(core, path, Accept_Encoding="gzip;q=0, br;q=0").headers.get("Content-Encoding") is None
    head = get(core, path, "HEAD", Accept_Encoding="br")
    assert head.status == 200 and head.body == b"" and int(head.headers["Content-Length"]) == len(both.body) and head.etag == both.etag
    # The ETag of one form is not that of another.
    assert get(core, path, Accept_Encoding="br", If_None_Match=both.etag).status == 304
    assert get(core, path, If_None_Match=both.etag).status == 200
    assert get(core, path, If_None_Match="*").status == 304
    assert get(core, path, "POST").status == 405


def test_views_have_addresses(core):
    index = (CONSOLE / "index.html").read_bytes()
    for path in ("/console/", "/console/index.html", "/console/sign-in", "/console/customers/people/x?tab=history", "/console/flags/a.b"):
        r = get(core, path)
        assert r.status == 200 and r.body == index and r.headers["Cache-Control"] == "no-cache", path
    for path in ("/", "/console"):
        r = get(core, path)
        assert r.status == 307 and r.headers["Location"] == "/console/"
    assert get(core, "/console/assets/gone-12345678.js").json["code"] == "not-found"
    assert get(core, "/consoles/").status in (401, 404)


@pytest.mark.parametrize("path", ["/console/../../../../etc/passwd", "/console/..%2f..%2fetc/passwd", "/console/assets/..%2f..%2f..%2fcore.yaml",
                                  "/console//etc/passwd", "/console/assets/%00", "/console/assets/index.js%00.css"])
def test_no_path_leads_out(core, path):
    r = get(core, path)
    assert r.status in (400, 404) or r.body == (CONSOLE / "index.html").read_bytes(), r
    assert b"root:" not in r.body


def test_the_browser_is_told_what_to_refuse(core, sandbox):
    r = get(core, "/console/")
    p = policy(r)
    assert p == {"default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:", "base-uri": "'none'",
                 "connect-src": f"'self' http://127.0.0.1:{sandbox.port}", "form-action": "'none'", "frame-ancestors": "'none'"}
    assert r.headers["Referrer-Policy"] == "no-referrer" and r.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "Strict-Transport-Security" not in r.headers and "Set-Cookie" not in r.headers
    # What the policy would refuse is not in the page to begin with: no inline script or style, nothing from elsewhere.
    page = r.body.decode()
    assert re.search(r"<script(?![^>]*\ssrc=)", page) is None and "<style" not in page and "style=" not in page and " on" not in re.sub(r">[^<]*<", "><", page)
    assert all(u.startswith("/console/") for u in re.findall(r'(?:src|href)="([^"]*)"', page))
    c = get(core, "/console/config.json")
    assert json.loads(c.body) == {"sandbox": f"http://127.0.0.1:{sandbox.port}"} and c.headers["Cache-Control"] == "no-store"


def test_pages_of_the_console_alone_may_read_the_sandbox(core, sandbox):
    ours = f"http://127.0.0.1:{core.port}"
    r = sandbox.get("/v1/features", role="innovator", headers={"Origin": ours})
    assert r.status == 200 and r.headers["Access-Control-Allow-Origin"] == ours and "Origin" in r.headers["Vary"]
    assert "ETag" in r.headers["Access-Control-Expose-Headers"] and "Access-Control-Allow-Credentials" not in r.headers
    # Refusals and what no route serves can be read too, or the page could not say what happened.
    for path in ("/v1/features", "/nowhere"):
        refused = get(sandbox, path, Origin=ours)
        assert refused.status in (401, 404) and refused.headers["Access-Control-Allow-Origin"] == ours
    asked = {"Origin": ours, "Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "authorization"}
    r = get(sandbox, "/v1/features", "OPTIONS", **asked)
    assert r.status == 204 and r.headers["Access-Control-Allow-Origin"] == ours and r.headers["Access-Control-Max-Age"] == "600"
    assert "authorization" in r.headers["Access-Control-Allow-Headers"].lower() and "DELETE" in r.headers["Access-Control-Allow-Methods"]
    for other in ("https://evil.example", "null", ours + "0", ours.upper(), ours + "/", f"http://localhost:{core.port}"):
        for method in ("GET", "OPTIONS"):
            r = get(sandbox, "/v1/features", method, Origin=other)
            assert "Access-Control-Allow-Origin" not in r.headers and "Origin" in r.headers["Vary"], other
    # Core has no such origin: nobody else's page reads it.
    for method in ("GET", "OPTIONS"):
        assert "Access-Control-Allow-Origin" not in get(core, "/v1/me", method, Origin=f"http://127.0.0.1:{sandbox.port}").headers
