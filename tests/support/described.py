"""Every reply against the description of the API: status, content type, headers, body. What is not described is a failure that names the
route.

The documents of the tree (shared/openapi) are asked first; where a reply does not fit them, the daemon itself is asked once more, because
a test may have changed its schema. A document leaves its objects open, so that members can be added; here they are closed: a member that
is answered but not described is an error too.
"""
import functools
import hashlib
import json
import re
import urllib.parse

import jsonschema
from documents import path_of

# Said by HTTP itself before there is a route, on any path.
BEFORE = {400, 404, 405, 408, 413, 414, 417, 431, 501, 503, 505}
FORMATS = jsonschema.FormatChecker(formats=())


class Undescribed(AssertionError):
    """A reply that the description of the API does not know."""


@FORMATS.checks("uuid")
def is_uuid(value):
    return not isinstance(value, str) or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", value) is not None


@FORMATS.checks("date-time")
def is_time(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value) is not None


@FORMATS.checks("date")
def is_date(value):
    return not isinstance(value, str) or re.fullmatch(r"\d{4,6}-\d\d-\d\d", value) is not None


def closed(schema, root, depth=0):
    """The schema with its references put in, and objects that may hold nothing but what they name."""
    if isinstance(schema, list):
        return [closed(s, root, depth) for s in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        assert depth < 30, f"{schema} refers to itself"
        return closed(functools.reduce(lambda at, key: at[key], schema["$ref"].split("/")[1:], root), root, depth + 1)
    out = {}
    for key, value in schema.items():
        if key in ("properties",):
            out[key] = {name: closed(s, root, depth) for name, s in value.items()}
        elif key in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            out[key] = closed(value, root, depth)
        elif key not in ("description", "readOnly") and not key.startswith("x-"):
            out[key] = value
    if "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


class Document:
    def __init__(self, text):
        self.whole = json.loads(text)
        self.validators = {}
        self.seen = set()
        self.patterns = []
        for path, item in self.whole["paths"].items():
            literal = len(re.sub(r"\{\w+\}", "", path))
            # The key of a flag may hold slashes, and so may a file (the route's "rest").
            rest = path.startswith(("/ofrep/", "/console/"))
            parts = [f"(?P<{m[1]}>{'.*' if rest else '[^/]+'})" if (m := re.fullmatch(r"\{(\w+)\}", p)) else re.escape(p) for p in path.split("/")]
            self.patterns.append((path.count("{"), -literal, re.compile("/".join(parts)), path, item))
        self.patterns.sort(key=lambda p: p[:2])

    @functools.lru_cache(maxsize=4096)
    def operation(self, method, path):
        for _, _, pattern, name, item in self.patterns:
            if method in item and pattern.fullmatch(path) and self.fits(pattern.fullmatch(path).groupdict(), item[method]):
                return name, item[method]
        return None, None

    @staticmethod
    def fits(values, operation):
        kinds = {p["name"]: p["schema"].get("format") for p in operation.get("parameters", ()) if p.get("in") == "path"}
        return all(kinds.get(name) != "uuid" or is_uuid(value.lower()) for name, value in values.items())

    def resolved(self, thing):
        while "$ref" in thing:
            thing = functools.reduce(lambda at, key: at[key], thing["$ref"].split("/")[1:], self.whole)
        return thing

    def validator(self, key, schema):
        if key not in self.validators:
            self.validators[key] = jsonschema.Draft202012Validator(closed(schema, self.whole), format_checker=FORMATS)
        return self.validators[key]

    def problem(self, body, status):
        self.body_fits(("problem",), {"$ref": "#/components/schemas/Problem"}, body)
        assert json.loads(body)["status"] == status, f"the problem says another status than {status}"

    def body_fits(self, key, schema, body):
        digest = hash((key, body))
        if digest in self.seen:
            return
        error = next(self.validator(key, schema).iter_errors(json.loads(body)), None)
        assert error is None, f"at /{'/'.join(map(str, error.absolute_path))}: {error.message[:400]}"
        self.seen.add(digest)

    def check(self, method, target, status, headers, body):
        path = urllib.parse.unquote(target.split("?")[0].split("#")[0])
        name, operation = self.operation("get" if method == "HEAD" else method.lower(), path)
        kind = (headers.get("Content-Type") or "").split(";")[0]
        if operation is None:
            assert status in BEFORE | {401, 403, 429} or status in (200, 204) and method == "OPTIONS", "there is no such route in the description"
            if body:
                assert kind == "application/problem+json", f"an error as {kind}"
                self.problem(body, status)
            return
        replies = operation["responses"]
        reply = replies.get(str(status)) or replies.get(f"{status // 100}XX")
        if reply is None:
            assert status in BEFORE, f"{name}: the status {status} is not described"
            reply = {"$ref": "#/components/responses/Problem400"}
        reply = self.resolved(reply)
        for header in reply.get("headers", ()):
            optional = header in ("Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Data-As-Of", "X-Replication-Lag-Ms")
            assert optional or headers.get(header) is not None, f"{name}: {status} without the header {header}"
        content = reply.get("content")
        if method == "HEAD" or status == 304:
            assert not body, f"{name}: {status} to {method} has a body"
            return
        if kind == "text/event-stream":
            assert kind in (content or ()), f"{name}: a stream, and none is described"
            return
        if not content:
            assert not body, f"{name}: {status} has a body, and none is described: {body[:200]!r}"
            return
        if "*/*" in content:
            return
        assert kind in content, f"{name}: {status} as {kind or 'nothing'}, not as {' or '.join(content)}"
        if kind.endswith("json"):
            self.body_fits((name, method, status, kind), content[kind]["schema"], body)
        if kind == "application/problem+json":
            assert json.loads(body)["status"] == status, f"the problem says another status than {status}"


@functools.cache
def of_tree(daemon):
    return Document(path_of(daemon).read_text())


def check(daemon, method, target, status, headers, body):
    """`daemon` is asked for its own document if that of the tree does not fit; `described` of it is kept."""
    first = getattr(daemon, "described", None) or of_tree(daemon.name)
    try:
        first.check(method, target, status, headers, body)
        return
    except AssertionError as e:
        wrong = e
    text = daemon.command("--print-openapi") if hasattr(daemon, "command") else ""
    digest = hashlib.sha256(text.encode()).hexdigest()
    if text and digest != getattr(daemon, "described_digest", None):
        daemon.described, daemon.described_digest = Document(text), digest
        try:
            daemon.described.check(method, target, status, headers, body)
            return
        except AssertionError as e:
            wrong = e
    raise Undescribed(f"{daemon.name} {method} {target[:200]} → {status}: {wrong}\n{body[:1500]!r}")
