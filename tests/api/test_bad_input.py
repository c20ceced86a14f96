"""Input that is wrong: the right status, a problem body that names the place, a closed connection where the bytes that follow
cannot be trusted, and nothing written."""
import contextlib
import json
import random
import time
import uuid
from urllib.parse import quote

import pytest
from product import Daemon
from wire import Wire, answers, request, talk

MARK = "smuggled"


def writes(product):
    """The newest row of the event log: every write leaves one."""
    return product.clusters.one("core", "SELECT coalesce(max(seq), 0) FROM event.log WHERE op <> 'access.refused'")


@pytest.fixture
def untouched(product):
    before = writes(product)
    yield
    assert writes(product) == before, "something was written"


def problem(a):
    assert a.headers["content-type"] == "application/problem+json", a
    body = a.json
    assert body["status"] == a.status and body["code"] and body["title"] and body["type"].startswith("urn:bimodal:problem:"), a
    assert body["request_id"] == a.headers["request-id"], a
    return body


def hidden(daemon):
    """A request that would write, put where a parser that was fooled would find it."""
    return request(daemon, "POST", "/v1/organizations", json.dumps({"name": MARK}).encode())


# Heads without their authorization line; {auth} is put in. Statuses as code.md 3.2 and decisions.md 32 say.
HEADS = [
    (400, "space before the colon", "GET /v1/people HTTP/1.1\r\nHost : x\r\n{auth}\r\n"),
    (400, "space in a header name", "GET /v1/people HTTP/1.1\r\nHost: x\r\nX Y: 1\r\n{auth}\r\n"),
    (400, "empty header name", "GET /v1/people HTTP/1.1\r\nHost: x\r\n: 1\r\n{auth}\r\n"),
    (400, "header line without a colon", "GET /v1/people HTTP/1.1\r\nHost: x\r\nnothing\r\n{auth}\r\n"),
    (400, "folded header hides a length", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\n Content-Length: 5\r\n{auth}\r\n"),
    (400, "folded with a tab", "GET /v1/people HTTP/1.1\r\nHost: x\r\nX: 1\r\n\t2\r\n{auth}\r\n"),
    (400, "folded first header", "GET /v1/people HTTP/1.1\r\n Host: x\r\n{auth}\r\n"),
    (400, "bare LF after the request line", "GET /v1/people HTTP/1.1\nHost: x\r\n{auth}\r\n"),
    (400, "bare LF after a header", "GET /v1/people HTTP/1.1\r\nHost: x\n{auth}\r\n"),
    (400, "bare CR in a header", "GET /v1/people HTTP/1.1\r\nHost: x\r\nX: a\rb: c\r\n{auth}\r\n"),
    (400, "NUL in a value", "GET /v1/people HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n{auth}\r\n"),
    (400, "NUL in the target", "GET /v1/people\0 HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "no Host", "GET /v1/people HTTP/1.1\r\n{auth}\r\n"),
    (400, "two Hosts", "GET /v1/people HTTP/1.1\r\nHost: x\r\nHost: x\r\n{auth}\r\n"),
    (400, "empty Host", "GET /v1/people HTTP/1.1\r\nHost:\r\n{auth}\r\n"),
    (400, "two different lengths", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 9\r\n{auth}\r\n"),
    (400, "two equal lengths", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n{auth}\r\n{{}}"),
    (400, "a list of lengths", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 2, 2\r\n{auth}\r\n{{}}"),
    (400, "negative length", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n{auth}\r\n"),
    (400, "length with a plus", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n{auth}\r\n{{}}"),
    (400, "hexadecimal length", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 0x2\r\n{auth}\r\n{{}}"),
    (400, "empty length", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n{auth}\r\n"),
    (400, "length beyond 64 bits", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551618\r\n{auth}\r\n{{}}"),
    (400, "length and chunked", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n{auth}\r\n0\r\n\r\n"),
    (400, "chunked and length", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n{auth}\r\n0\r\n\r\n"),
    (501, "gzip, chunked", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n{auth}\r\n0\r\n\r\n"),
    (400, "chunked, gzip", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n{auth}\r\n0\r\n\r\n"),
    (400, "chunked twice", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n{auth}\r\n0\r\n\r\n"),
    (400, "identity", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n{auth}\r\n"),
    (400, "xchunked", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n{auth}\r\n0\r\n\r\n"),
    (400, "vertical tab before chunked", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: \x0bchunked\r\n{auth}\r\n0\r\n\r\n"),
    (400, "chunked in HTTP/1.0", "POST /v1/organizations HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{auth}\r\n0\r\n\r\n"),
    (400, "HTTP/0.9 without a version", "GET /v1/people\r\n"),
    (505, "HTTP/0.9", "GET /v1/people HTTP/0.9\r\nHost: x\r\n{auth}\r\n"),
    (505, "HTTP/2.0", "GET /v1/people HTTP/2.0\r\nHost: x\r\n{auth}\r\n"),
    (505, "HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (400, "lower-case version", "GET /v1/people http/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "version with two digits", "GET /v1/people HTTP/1.10\r\nHost: x\r\n{auth}\r\n"),
    (400, "two spaces", "GET  /v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "two spaces before the version", "GET /v1/people  HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "tab for a space", "GET\t/v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "space behind the version", "GET /v1/people HTTP/1.1 \r\nHost: x\r\n{auth}\r\n"),
    (400, "fragment", "GET /v1/people#x HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "user in an absolute target", "GET http://a@b/v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "foreign scheme", "GET ftp://b/v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "target without a slash", "GET v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "asterisk with GET", "GET * HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "broken escape in the path", "GET /v1/peo%zzple HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "escape cut short", "GET /v1/people%4 HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "escaped NUL", "GET /v1/people%00 HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "escaped NUL in the query", "GET /v1/people?country=%00 HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "escaped line end in the path", "GET /v1/people%0d%0aX:1 HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "dots in the path", "GET /v1/../v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "escaped dots in the path", "GET /v1/%2e%2e/v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "path is not UTF-8", "GET /v1/%ff HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "query is not UTF-8", "GET /v1/people?country=%c0%af HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (400, "raw byte in the target", "GET /v1/people?country=\xe9 HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (501, "RTSP", "DESCRIBE /v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (501, "lower-case method", "get /v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (501, "TRACE", "TRACE /v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (501, "CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (501, "upgrade to h2c", "GET /v1/people HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n{auth}\r\n"),
    (501, "websocket", "GET /v1/people HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n{auth}\r\n"),
    (400, "unknown expectation", "POST /v1/organizations HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\nContent-Length: 2\r\n{auth}\r\n{{}}"),
    (400, "TLS on a plain port", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
    (400, "colon for a method", ": /v1/people HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (431, "65 headers", "GET /v1/people HTTP/1.1\r\nHost: x\r\n" + "X: 1\r\n" * 64 + "{auth}\r\n"),
    (431, "a head of 17 KiB", "GET /v1/people HTTP/1.1\r\nHost: x\r\nX: " + "a" * 17000 + "\r\n{auth}\r\n"),
    (414, "a target of 2 KiB", "GET /v1/people?country=" + "a" * 2048 + " HTTP/1.1\r\nHost: x\r\n{auth}\r\n"),
    (414, "a target without an end", "GET /" + "a" * 20000),
    (400, "a method without an end", "G" * 20000),
]


@pytest.mark.parametrize("status,head", [pytest.param(s, h, id=w.replace(" ", "-")) for s, w, h in HEADS])
def test_malformed_head(core, untouched, status, head):
    data = head.format(auth=f"Authorization: Bearer {core.tokens['agent']}\r\n").encode("latin-1")
    got, closed = talk(core, data + hidden(core))
    assert [a.status for a in got] == [status], got
    problem(got[0])
    assert closed and got[0].headers["connection"] == "close", got


CHUNKS = [
    (400, "not a number", b"zz\r\n{}\r\n0\r\n\r\n"),
    (400, "negative", b"-2\r\n{}\r\n0\r\n\r\n"),
    (400, "prefix", b"0x2\r\n{}\r\n0\r\n\r\n"),
    (400, "space before", b" 2\r\n{}\r\n0\r\n\r\n"),
    (400, "space behind", b"2 \r\n{}\r\n0\r\n\r\n"),
    (400, "empty size", b"\r\n{}\r\n0\r\n\r\n"),
    (400, "size beyond 64 bits", b"10000000000000002\r\n{}\r\n0\r\n\r\n"),
    (400, "bare LF after the size", b"2\n{}\r\n0\r\n\r\n"),
    (400, "too short a chunk", b"1\r\n{}\r\n0\r\n\r\n"),
    (400, "bare LF after the chunk", b"2\r\n{}\n0\r\n\r\n"),
    (400, "extension without an end", b"2;" + b"a" * 1000 + b"\r\n{}\r\n0\r\n\r\n"),
    (413, "larger than the route takes", b"200000\r\n"),
    (413, "the sum is larger", (b"80000\r\n" + b" " * 0x80000 + b"\r\n") * 3 + b"0\r\n\r\n"),
    (431, "trailers without an end", b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 4000 + b"\r\n"),
]


@pytest.mark.parametrize("status,body", [pytest.param(s, b, id=w.replace(" ", "-")) for s, w, b in CHUNKS])
def test_malformed_chunks(core, untouched, status, body):
    head = request(core, "POST", "/v1/organizations", headers=["Transfer-Encoding: chunked", "Content-Type: application/json"])
    got, closed = talk(core, head + body + hidden(core))
    assert [a.status for a in got] == [status], got
    problem(got[0])
    assert closed


def test_chunked_body_is_read(core, product):
    """The tables above mean something only if the good form is accepted."""
    head = request(core, "POST", "/v1/organizations",
                   headers=["Transfer-Encoding: chunked", "Content-Type: application/json", "Connection: close"])
    name = f"chunked-{uuid.uuid4()}"
    parts = [b'{"name":', json.dumps(name).encode(), b"}"]
    body = b"".join(b"%x;a=b\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\nX-Trailer: 1\r\n\r\n"
    got, closed = talk(core, head + body)
    assert [a.status for a in got] == [201] and closed and got[0].json["name"] == name


def test_split_anywhere_is_the_same(core):
    """One request in two writes, cut at every place of its head."""
    data = request(core, "GET", "/v1/organizations?limit=1", headers=["Connection: close"])
    for cut in range(1, len(data), 7):
        with Wire(core) as w:
            w.send(data[:cut])
            time.sleep(0.002)
            w.send(data[cut:])
            got, closed = w.rest()
            assert [a.status for a in answers(got)] == [200] and closed, cut


def test_body_limits(core, untouched):
    head = request(core, "POST", "/v1/organizations", headers=["Content-Type: application/json", f"Content-Length: {1024 * 1024 + 1}"])
    got, closed = talk(core, head)
    assert [a.status for a in got] == [413] and closed
    assert problem(got[0])["errors"][0]["name"] == "Content-Length"
    # With Expect nothing of the body is asked for.
    with Wire(core) as w:
        w.send(head[:-2] + b"Expect: 100-continue\r\n\r\n")
        raw, closed = w.rest()
    assert raw.startswith(b"HTTP/1.1 413") and closed
    got, closed = talk(core, request(core, "POST", "/v1/organizations/batch",
                                     headers=["Content-Type: application/json", f"Content-Length: {8 * 1024 * 1024 + 1}"]))
    assert [a.status for a in got] == [413] and closed


BODIES = [
    (400, "empty", b""),
    (400, "blank", b"   "),
    (400, "not JSON", b"name=x"),
    (400, "cut short", b'{"name":"x"'),
    (400, "trailing comma", b'{"name":"x",}'),
    (400, "single quotes", b"{'name':'x'}"),
    (400, "no quotes", b"{name:1}"),
    (400, "comment", b'{"name":"x"/* */}'),
    (400, "more behind", b'{"name":"x"}{"name":"y"}'),
    (400, "NaN", b'{"name":"x","revenue":NaN}'),
    (400, "Infinity", b'{"name":"x","revenue":-Infinity}'),
    (400, "leading zero", b'{"name":"x","employees":01}'),
    (400, "plus", b'{"name":"x","employees":+1}'),
    (400, "number without digits behind the point", b'{"name":"x","revenue":1.}'),
    (400, "hexadecimal number", b'{"name":"x","employees":0x10}'),
    (400, "byte order mark", b'\xef\xbb\xbf{"name":"x"}'),
    (400, "UTF-16", '{"name":"x"}'.encode("utf-16")),
    (400, "invalid UTF-8", b'{"name":"\xff"}'),
    (400, "overlong UTF-8", b'{"name":"\xc0\xaf"}'),
    (400, "surrogate in UTF-8", b'{"name":"\xed\xa0\x80"}'),
    (400, "beyond Unicode", b'{"name":"\xf4\x90\x80\x80"}'),
    (400, "UTF-8 cut short", b'{"name":"\xe2\x82"}'),
    (400, "invalid UTF-8 in a name", b'{"n\xffame":"x"}'),
    (400, "lone surrogate", b'{"name":"\\ud800"}'),
    (400, "surrogates in the wrong order", b'{"name":"\\udc00\\ud800"}'),
    (400, "escaped NUL", b'{"name":"a\\u0000b"}'),
    (400, "NUL in a name", b'{"na\\u0000me":"b"}'),
    (400, "raw control character", b'{"name":"a\nb"}'),
    (400, "raw NUL", b'{"name":"a\0b"}'),
    (400, "bad escape", b'{"name":"\\x41"}'),
    (400, "an array", b'[{"name":"x"}]'),
    (400, "a string", b'"x"'),
    (400, "null", b"null"),
    (422, "a name given twice", b'{"name":"x","name":"y"}'),
    (422, "the same name with an escape", b'{"name":"x","\\u006eame":"y"}'),
    (413, "too deep", b'{"name":' + b"[" * 64 + b"]" * 64 + b"}"),
    (413, "very deep", b'{"name":' + b"[" * 100000),
    (422, "many members", b"{" + b",".join(b'"a%d":1' % i for i in range(400)) + b"}"),
    (422, "unknown field", b'{"name":"x","nmae":"y"}'),
    (422, "empty member name", b'{"name":"x","":"y"}'),
    (422, "prototype", b'{"name":"x","__proto__":{}}'),
    (422, "SQL for a name", b'{"name":"x","name\\" = null --":1}'),
    (422, "id is ours", b'{"name":"x","id":"01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f"}'),
    (422, "version is ours", b'{"name":"x","version":7}'),
    (422, "created_at is ours", b'{"name":"x","created_at":"2020-01-01T00:00:00Z"}'),
    (422, "empty required text", b'{"name":""}'),
    (422, "missing required", b"{}"),
    (422, "null required", b'{"name":null}'),
    (422, "too long", json.dumps({"name": "é" * 201}).encode()),
    (422, "integer too large", b'{"name":"x","employees":2147483648}'),
    (422, "huge integer", b'{"name":"x","employees":' + b"9" * 5000 + b"}"),
    (422, "fraction for an integer", b'{"name":"x","employees":1.5}'),
    (422, "exponent for an integer", b'{"name":"x","employees":1e400}'),
    (422, "negative employees", b'{"name":"x","employees":-1}'),
    (422, "text for a number", b'{"name":"x","revenue":"much"}'),
    (422, "NaN as text", b'{"name":"x","revenue":"NaN"}'),
    (422, "too many digits", b'{"name":"x","revenue":12345678901234567.00}'),
    (422, "too many decimals", b'{"name":"x","revenue":0.001}'),
    (422, "huge exponent", b'{"name":"x","revenue":1e1000000000}'),
    (422, "tiny exponent", b'{"name":"x","revenue":1e-1000000000}'),
    (422, "zero with a huge exponent", b'{"name":"x","revenue":0e2000000000}'),
    (422, "zero with a tiny exponent", b'{"name":"x","revenue":0e-2000000000}'),
    (422, "not a UUID", b'{"name":"x","parent_id":"1"}'),
    (422, "UUID in braces", b'{"name":"x","parent_id":"{01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f}"}'),
    (422, "no such parent", b'{"name":"x","parent_id":"01902d5c-8a4e-7c11-9f00-3d2b1a0c9e8f"}'),
]


@pytest.mark.parametrize("status,body", [pytest.param(s, b, id=w.replace(" ", "-")) for s, w, b in BODIES])
def test_bad_body(core, untouched, status, body):
    got, closed = talk(core, request(core, "POST", "/v1/organizations", body, headers=["Connection: close"]) if body else
                       request(core, "POST", "/v1/organizations", headers=["Content-Type: application/json", "Connection: close"]))
    assert [a.status for a in got] == [status] and closed, got
    p = problem(got[0])
    if status == 422:
        assert p["errors"][0]["pointer"].startswith("/"), p
    else:
        assert p["detail"], p
    assert "INSERT" not in str(p) and "crm." not in str(p), p


def test_bad_times_and_dates(core, untouched):
    when = ["", "now", "epoch", "infinity", "-infinity", "today", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:61Z",
            "2026-01", "2026-01-01T00:00:00", "2026-01-01T00:00:00+25:00", "10000-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
            "2026-13-01T00:00:00Z", "2026-01-01T00:00:00Z; drop table crm.person", "26-01-01T00:00:00Z"]
    for text in when:
        r = core.post("/v1/interactions", {"kind": "call", "at": text})
        assert r.status == 422 and r.json["errors"][0]["pointer"] == "/at", (text, r)
    for text in ["", "now", "infinity", "2026-02-29", "2026-1-1", "0000-01-01", "10000-01-01", "2026-01-01T00:00:00Z", "01/02/2026", "J2451187"]:
        r = core.post("/v1/people", {"birth_date": text})
        assert r.status == 422 and r.json["errors"][0]["pointer"] == "/birth_date", (text, r)


def test_wrong_type_for_every_field(core, product):
    """Each writable field of each resource refuses each type that is not its own, and the answer names it."""
    fits = {"integer": (int,), "decimal": (int, float, str), "boolean": (bool,)}
    values = [True, 7, 1.5, "?", [], {}, [1], {"a": 1}]
    person = core.post("/v1/people", {"given_name": "Types"}).json["id"]
    before = writes(product)
    rows = product.clusters.rows("core", "SELECT resource, name, kind, position FROM change.field WHERE writable ORDER BY 1, 4")
    assert len(rows) > 60
    for resource, name, kind, _ in rows:
        path = f"/v1/people/{person}/consents" if resource == "consents" else f"/v1/{resource}"
        for value in values:
            if type(value) in fits.get(kind, (str,)) and value != "?":
                continue
            if value == "?" and kind == "text":
                continue
            r = core.post(path, {name: value})
            assert r.status == 422, (resource, name, value, r)
            assert f"/{name}" in [e["pointer"] for e in r.json["errors"]], (resource, name, value, r)
    assert writes(product) == before
    core.delete(f"/v1/people/{person}", headers={"If-Match": "*"})


def test_bad_headers(core, untouched):
    name = json.dumps({"name": MARK}).encode()
    for value, status in (("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/json; charset=latin-1", 415),
                          ("", 415), ("application/jsonx", 415), ("application/merge-patch+json", 415)):
        r = core.post("/v1/organizations", name, headers={"Content-Type": value})
        assert r.status == status, (value, r)
    for value in ("", "a" * 256, "with space", "é".encode("utf-8").decode("latin-1"), '""'):
        r = core.post("/v1/organizations", name, headers={"Idempotency-Key": value})
        assert r.status == 400 and r.json["errors"][0]["name"] == "Idempotency-Key", (value, r)
    some = uuid.uuid4()
    for value in ("", "v", "v-1", '"v1', "1", '"v1", "v2"', "v99999999999", "W/", '"v1.zz"'):
        r = core.patch(f"/v1/organizations/{some}", {"stage": "x"}, headers={"If-Match": value})
        assert r.status in (400, 428) and r.json["errors"][0]["name"] == "If-Match", (value, r)
    for value in ("Basic dTpw", "Bearer", "Bearer ", "bearer x y", "Bearer \xff"):
        r = core.get("/v1/people", role=None, headers={"Authorization": value})
        assert r.status == 401, (value, r)


def test_paths(core, untouched):
    some = uuid.uuid4()
    for path, status in (("/", 307), ("/v1", 404), ("/v1/", 404), ("/v1/people/", 404), (f"/v1/people/{some}/", 404), ("/v1/people/1", 404),
                         (f"/v1/people/{str(some).replace('-', '')}", 404), ("/v1/people/" + "a" * 1900, 404), ("//v1/people", 404),
                         ("/V1/people", 404), ("/v1/PEOPLE", 403), ("/v1/people;a=b", 404), ("/v1/" + "a/" * 50, 404), ("/v1/pg_class", 403),
                         ("/v1/person", 403), (f"/v1/people/{some}/people", 404), (f"/v1/organizations/{some}/consents", 404),
                         ("/v1/consents", 200), (f"/v1/people/{some}/opportunities", 404)):
        r = core.get(path)
        assert r.status == status, (path, r)
        if status >= 400:
            assert r.headers["Content-Type"] == "application/problem+json", path
    for method, path in (("PUT", "/v1/people"), ("DELETE", "/v1/people"), ("PATCH", "/v1/people"), ("POST", "/healthz"), ("POST", f"/v1/people/{some}")):
        r = core.request(method, path, b"{}")
        assert r.status == 405 and "GET" in r.headers["Allow"], (method, path, r)
        assert r.headers["Content-Type"] == "application/problem+json"


def test_queries_never_break(core, product, untouched):
    """Odd values on every filterable field: 200 or 400 with a problem, never a failure of ours, never SQL."""
    odd = ["'", '"', "\\", "%", "_", "in.()", "in.(", "in.(a", 'in.("a', 'in.("a\\', "in.(a,,b)", "in.(" + ",".join("a" * 101) + ")", "gt.", "eq.", "neq.null",
           "is.", "is.null", "is.maybe", "gte.gte.1", "null", "1;select 1", "$1", "%s", "-1", "1e9", "NaN", "0x1", "9" * 40, "0e2000000000",
           "'||pg_sleep(9)||'", "2026-01-01", "2026-13-01", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+01:00", "true", "é", "\U0001f600", "{a}", "[1,2]"]
    rows = product.clusters.rows("core", "SELECT resource, name FROM change.field WHERE class <> 'secret'")
    for resource, name in rows:
        for value in odd:
            r = core.get(f"/v1/{resource}?{name}={quote(value, safe='')}")
            assert r.status in (200, 400), (resource, name, value, r)
            if r.status == 400:
                assert r.json["errors"][0]["name"] == name and "select" not in r.json["detail"].lower().replace("1;select 1", ""), r
    for query in ("", "&", "=", "&&&", "=x", "a", "limit", "limit=", "limit=-1", "limit=1e1", "limit=+5", "limit=%205", "sort=", "sort=,", "sort=-", "sort=--id", "sort=id,id",
                  "fields=", "fields=,", "fields=*", "after=", "after=AAAA", "after=%20", "after=" + "A" * 1500, "count=exact", "country[eq]=a",
                  "sort=country", "fields=id,id"):
        r = core.get(f"/v1/organizations?{query}")
        assert r.status in (200, 400), (query, r)
    assert core.get("/v1/organizations?" + "&".join(f"stage=neq.{i}" for i in range(17))).status == 400
    assert core.get("/v1/organizations?" + "&".join(["a=b"] * 200)).status == 400


def test_bad_cursors(core, product):
    tag = f"cur-{uuid.uuid4()}"
    ops = [{"op": "create", "data": {"name": tag, "stage": tag[:30], "country": "X"}} for _ in range(4)]
    assert core.post("/v1/organizations/batch", {"ops": ops}).status == 200
    base = f"/v1/organizations?stage={tag[:30]}&limit=2"
    cursor = core.get(base).json["page"]["next"]
    assert core.get(f"{base}&after={cursor}").status == 200

    def refused(url, **kw):
        r = core.get(url, **kw)
        assert r.status == 400 and r.json["code"] == "bad-cursor" and r.json["errors"][0]["name"] == "after", (url, r)

    for i in range(len(cursor)):
        spoilt = cursor[:i] + ("A" if cursor[i] != "A" else "B") + cursor[i + 1:]
        r = core.get(f"{base}&after={spoilt}")
        # The last character of base64 may hold bits that mean nothing.
        assert r.status == 400 or i == len(cursor) - 1, (i, r)
    for bad in (cursor[:-4], cursor + "AAAA", cursor[4:], cursor * 2, "A" * 1500, "%3D%3D", "..", "x"):
        refused(f"{base}&after={bad}")
    refused(f"{base}&sort=-id&after={cursor}")
    refused(f"{base}&country=X&after={cursor}")
    refused(f"/v1/organizations?stage=eq.other&limit=2&after={cursor}")
    refused(f"/v1/people?stage={tag[:30]}&limit=2&after={cursor}")
    refused(f"{base}&after={cursor}", role="innovator")
    r = product.sandbox.get(f"{base}&after={cursor}", role="innovator")
    assert r.status == 400 and r.json["code"] == "bad-cursor"


def test_pipelining_mixed(core, product):
    name = f"pipe-{uuid.uuid4()}"
    create = json.dumps({"name": name}).encode()
    want, data = [], b""
    for i in range(40):
        kind = i % 5
        if kind == 0:
            data, want = data + request(core, "POST", "/v1/organizations", create), want + [201]
        elif kind == 1:
            data, want = data + request(core, "GET", f"/v1/organizations?name={name}&limit=1"), want + [200]
        elif kind == 2:
            data, want = data + request(core, "GET", "/v1/people", role=None), want + [401]
        elif kind == 3:
            data, want = data + request(core, "GET", "/nothing"), want + [404]
        else:
            data, want = data + request(core, "POST", "/v1/organizations", b'{"nam":1}'), want + [422]
    spoilt = b"GET /v1/people HTTP/1.1\r\nHost : x\r\n\r\n"
    got, closed = talk(core, data + spoilt + hidden(core))
    assert [a.status for a in got] == want + [400] and closed
    assert product.clusters.one("core", "SELECT count(*) FROM crm.organization WHERE name = %s", (name,)) == 8
    assert product.clusters.one("core", "SELECT count(*) FROM crm.organization WHERE name = %s", (MARK,)) == 0
    # A body that is too large ends the connection: what follows is not looked at.
    large = request(core, "POST", "/v1/organizations", headers=["Content-Length: 9999999"])
    got, closed = talk(core, request(core, "GET", "/healthz") + large + hidden(core))
    assert [a.status for a in got] == [200, 413] and closed
    # An early answer to a request with a body closes too, or the body would be the next request.
    inner = hidden(core)
    got, closed = talk(core, request(core, "POST", "/nothing", inner) + request(core, "GET", "/healthz"))
    assert [a.status for a in got] == [404] and closed
    # Refused by the guard after its body was read: the next request is served.
    got, _ = talk(core, request(core, "POST", "/v1/organizations", inner, role=None) + request(core, "GET", "/healthz", headers=["Connection: close"]))
    assert [a.status for a in got] == [401, 200]
    assert product.clusters.one("core", "SELECT count(*) FROM crm.organization WHERE name = %s", (MARK,)) == 0


def test_hang_up_in_the_middle(core):
    """Clients that leave at any point take nothing with them."""
    data = request(core, "POST", "/v1/organizations", json.dumps({"name": "half"}).encode())
    for cut in range(0, len(data) - 1, 9):
        with Wire(core) as w:
            w.send(data[:cut])
    for _ in range(20):
        with Wire(core) as w:
            w.send(request(core, "GET", "/v1/interactions?limit=200"))
    assert core.get("/healthz", role=None).status == 200


def test_random_bytes(core, product):
    """Seeded mutations of a good request: an answer or a closed connection, never a failure of ours."""
    rnd = random.Random(20261)
    good = request(core, "POST", "/v1/organizations", b'{"name":"fuzz","employees":5}', headers=["Connection: close"])
    for _ in range(300):
        data = bytearray(good)
        for _ in range(rnd.randint(1, 4)):
            at = rnd.randrange(len(data))
            kind = rnd.randrange(3)
            if kind == 0:
                data[at] = rnd.randrange(256)
            elif kind == 1:
                del data[at:at + rnd.randint(1, 5)]
            else:
                data[at:at] = bytes(rnd.choice([b"\r\n", b" ", b":", b"\0", b"{", b"\n", b"%", b"\xff"]))
        with Wire(core, timeout=5) as w:
            w.send(bytes(data))
            w.socket.shutdown(1)
            got, closed = w.rest()
        assert closed
        for a in answers(got):
            assert a.status < 500 or a.status in (501, 505), (bytes(data), a)
    assert core.process.poll() is None and core.get("/readyz", role=None).status == 200


# ---- deadlines: a second instance of core on the same database, with short ones

class Hasty(Daemon):
    def argv(self, *more):
        return super().argv("-c", str(self.short), *more)


@pytest.fixture(scope="module")
def hasty(product):
    d = Hasty("core", product)
    d.tokens = product.core.tokens
    d.log = product.dir / "bimodal-core-hasty.log"
    d.short = product.dir / "core-hasty.yaml"
    d.short.write_text(f"instance: {{ name: core-hasty }}\nhttp: {{ port: {d.port}, workers: 1, head_deadline: 400ms, body_deadline: 400ms,"
                       f" idle_deadline: 1s, write_deadline: 1s, max_per_address: 40 }}\nprocess: {{ pid_file: \"{product.dir}/hasty.pid\" }}\n")
    d.start()
    yield d
    assert d.stop() == 0


def test_slow_head(hasty):
    with Wire(hasty) as w:
        took = w.drip(request(hasty, "GET", "/v1/people"), 0.05)
        got, closed = w.rest()
    got = answers(got)
    assert [a.status for a in got] == [408] and closed and problem(got[0])["code"] == "request-timeout"
    assert 0.3 < took < 3, took


def test_slow_body(hasty, product):
    before = writes(product)
    data = request(hasty, "POST", "/v1/organizations", json.dumps({"name": "slow" * 40}).encode())
    head, gap, body = data.partition(b"\r\n\r\n")
    with Wire(hasty) as w:
        w.send(head + gap)
        took = w.drip(body, 0.05)
        got, closed = w.rest()
    got = answers(got)
    assert [a.status for a in got] == [408] and closed and problem(got[0])["retryable"] is True
    assert 0.3 < took < 3, took
    # Chunks of one byte each do not buy more time.
    head = request(hasty, "POST", "/v1/organizations", headers=["Transfer-Encoding: chunked", "Content-Type: application/json"])
    with Wire(hasty) as w:
        w.send(head)
        began = time.monotonic()
        while time.monotonic() - began < 5 and w.send(b"1\r\n \r\n"):
            time.sleep(0.03)
        got, closed = w.rest()
    assert (not got or answers(got)[0].status == 408) and closed and time.monotonic() - began < 4
    assert writes(product) == before


def test_idle_connection_is_closed(hasty):
    for data in (b"", request(hasty, "GET", "/healthz")):
        with Wire(hasty) as w:
            began = time.monotonic()
            w.send(data)
            got, closed = w.rest()
        assert closed and 0.8 < time.monotonic() - began < 4
        assert [a.status for a in answers(got)] == ([200] if data else [])


def test_slow_reader(hasty, core):
    tag = f"slow-{uuid.uuid4().hex[:8]}"
    ops = [{"op": "create", "data": {"kind": "chat", "channel": tag, "body": "x" * 90000}} for _ in range(80)]
    assert core.post("/v1/interactions/batch", {"ops": ops}).status == 200
    ask = request(hasty, "GET", f"/v1/interactions?channel={tag}&limit=200")
    before = hasty.metric("http_timeouts_total")
    with Wire(hasty, receive_buffer=4096) as w:
        w.send(ask * 30)
        began = time.monotonic()
        while hasty.metric("http_timeouts_total") == before and time.monotonic() - began < 10:
            time.sleep(0.1)
        assert hasty.metric("http_timeouts_total") > before
        assert time.monotonic() - began < 5
    # One who reads slowly, but reads, gets all of it.
    with Wire(hasty, receive_buffer=65536) as w:
        w.send(request(hasty, "GET", f"/v1/interactions?channel={tag}&limit=200", headers=["Connection: close"]))
        got, began = b"", time.monotonic()
        while chunk := w.socket.recv(32768):
            got += chunk
            if time.monotonic() - began < 2.5:
                time.sleep(0.05)
    a = answers(got)
    assert [x.status for x in a] == [200] and len(a[0].json["data"]) == 80 and time.monotonic() - began > 2.4


def test_connections_of_one_address_are_limited(hasty):
    with contextlib.ExitStack() as open_:
        wires = [open_.enter_context(Wire(hasty)) for _ in range(45)]
        time.sleep(0.1)
        for w in wires:
            w.send(request(hasty, "GET", "/healthz", role=None, headers=["Connection: close"]))
        statuses = []
        for w in wires:
            got, closed = w.rest()
            assert closed
            statuses += [a.status for a in answers(got)] or [None]
    assert statuses.count(200) <= 40 and statuses.count(200) >= 35, statuses
    time.sleep(0.2)
    assert hasty.get("/healthz", role=None).status == 200
