"""Every reply against the description of the API: status, content type, headers, body, and the events of a stream. What is not described is
a failure that names the route.

The documents of the tree (shared/openapi) are asked first; where a reply does not fit them, the daemon itself is asked once more, because
a test may have changed its schema. A document leaves its objects open, so that members can be added; here they are closed: a member that
is answered but not described is an error too.

A body that fits is found by shapes.py; what does not fit is told in words by jsonschema, which is loaded only then.
"""
import functools
import hashlib
import json
import re
import urllib.parse

import shapes
from documents import path_of

# Said by HTTP itself before there is a route, on any path.
BEFORE = {400, 404, 405, 408, 413, 414, 417, 431, 501, 503, 505}
SOMETIMES = ("Link", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Data-As-Of", "X-Replication-Lag-Ms")
SLASHES = ("/ofrep/", "/console/")      # the key of a flag may hold some, and so may a file (the route's "rest")
PROBLEM = {"$ref": "#/components/schemas/Problem"}


class Undescribed(AssertionError):
    """A reply that the description of the API does not know."""


class Misfit(AssertionError):
    """A value that does not fit its schema: said in words when somebody wants to read them."""

    def __init__(self, schema, root, value):
        super().__init__()
        self.of = schema, root, value

    def __str__(self):
        return wrong_with(*self.of)


def is_uuid(value):
    return shapes.FORMATS["uuid"](value) is not None


def closed(schema, root, depth=0):
    """The schema with its references put in, and objects that may hold nothing but what they name."""
    if isinstance(schema, list):
        return [closed(s, root, depth) for s in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        assert depth < 30, f"{schema} refers to itself"
        return closed(shapes.target(root, schema["$ref"]), root, depth + 1)
    out = {}
    for key, value in schema.items():
        if key in ("properties",):
            out[key] = {name: closed(s, root, depth) for name, s in value.items()}
        elif key in ("items", "additionalProperties", "anyOf", "oneOf", "allOf"):
            out[key] = closed(value, root, depth)
        elif key not in shapes.WORDS and not key.startswith("x-"):
            out[key] = value
    if "properties" in out:
        out.setdefault("additionalProperties", False)
    return out


def library(schema, root):
    """The library's validator."""
    import jsonschema

    formats = jsonschema.FormatChecker(formats=())
    for name, fits in shapes.FORMATS.items():
        formats.checks(name)(lambda v, fits=fits: not isinstance(v, str) or fits(v) is not None)
    return jsonschema.Draft202012Validator(closed(schema, root), format_checker=formats)


def wrong_with(schema, root, value):
    """In words, where and how a value does not fit."""
    error = next(library(schema, root).iter_errors(value), None)
    return f"at /{'/'.join(map(str, error.absolute_path))}: {error.message[:400]}" if error else "the tests' two validators do not agree"


class Path:
    """One path of a document."""

    def __init__(self, name, item):
        self.name, self.item = name, item
        self.rank = name.count("{"), -len(re.sub(r"\{\w+\}", "", name))
        any_text = ".*" if name.startswith(SLASHES) else "[^/]+"
        parts = [f"(?P<{m[1]}>{any_text})" if (m := re.fullmatch(r"\{(\w+)\}", p)) else re.escape(p) for p in name.split("/")]
        self.pattern = "/".join(parts)
        self.begin = name.split("{")[0]

    def operation(self, method, path):
        if method not in self.item or not path.startswith(self.begin):
            return None
        match = re.fullmatch(self.pattern, path)
        return self.item[method] if match and self.fits(match.groupdict(), self.item[method]) else None

    @staticmethod
    def fits(values, operation):
        kinds = {p["name"]: p["schema"].get("format") for p in operation.get("parameters", ()) if p.get("in") == "path"}
        return all(kinds.get(name) != "uuid" or is_uuid(value.lower()) for name, value in values.items())


class Document:
    def __init__(self, text):
        self.whole = json.loads(text)
        self.shapes = shapes.Shapes(self.whole)
        self.made = {}
        self.paths = sorted((Path(name, item) for name, item in self.whole["paths"].items()), key=lambda p: p.rank)

    @functools.lru_cache(maxsize=4096)
    def operation(self, method, path):
        for p in self.paths:
            found = p.operation(method, path)
            if found is not None:
                return p.name, found
        return None, None

    def resolved(self, thing):
        while "$ref" in thing:
            thing = shapes.target(self.whole, thing["$ref"])
        return thing

    def problem(self, body, status):
        self.fits(("problem",), PROBLEM, json.loads(body))
        assert json.loads(body)["status"] == status, f"the problem says another status than {status}"

    def fits(self, key, schema, value):
        """`key` names the schema."""
        if key not in self.made:
            self.made[key] = self.shapes.shape(schema)
        if not self.made[key](value):
            raise Misfit(schema, self.whole, value)

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
            assert header in SOMETIMES or headers.get(header) is not None, f"{name}: {status} without the header {header}"
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
            value = json.loads(body)
            self.fits((name, method, status, kind), content[kind]["schema"], value)
            if kind == "application/problem+json":
                assert value["status"] == status, f"the problem says another status than {status}"

    def event(self, path, event):
        name, operation = self.operation("get", path)
        assert operation is not None, "there is no such stream in the description"
        stream = self.resolved(self.resolved(operation["responses"]["200"])["content"]["text/event-stream"]["schema"])
        self.fits((name, "event"), stream["contentSchema"]["items"], event)


@functools.cache
def of_tree(daemon):
    return Document(path_of(daemon).read_text())


def documents(daemon):
    """Those that it is known to have described itself by, the last one first."""
    if not hasattr(daemon, "described"):
        daemon.described = {None: of_tree(daemon.name)}     # by the digest of their text
    return daemon.described


def asked(daemon):
    """Its document of now, if that is another one than those that are known."""
    text = daemon.command("--print-openapi") if hasattr(daemon, "command") else ""
    digest = hashlib.sha256(text.encode()).hexdigest()
    if not text or digest in documents(daemon):
        return None
    found = Document(text)
    daemon.described = {digest: found, **documents(daemon)}
    return found


def held(daemon, look):
    """`look` at one of its documents after the other, until one fits; None, or what is wrong."""
    for document in list(documents(daemon).values()):
        try:
            look(document)
            return None
        except AssertionError as e:
            wrong = e
    document = asked(daemon)
    if document is None:
        return wrong
    try:
        look(document)
        return None
    except AssertionError as e:
        return e


def check(daemon, method, target, status, headers, body):
    """`daemon` is asked for its own document if that of the tree does not fit."""
    wrong = held(daemon, lambda d: d.check(method, target, status, headers, body))
    if wrong is not None:
        raise Undescribed(f"{daemon.name} {method} {target[:200]} → {status}: {wrong}\n{body[:1500]!r}")


def glance(daemon, method, target, status, headers, body):
    """For whoever makes load: the first reply of each method, route, status and content type is looked at whole, of all others that they
    are one of these."""
    path = urllib.parse.unquote(target.split("?")[0])
    kind = headers.get("Content-Type")
    name, _ = of_tree(daemon.name).operation(method.lower(), path)
    seen = vars(daemon).setdefault("glanced", set())
    if name is None or (method, name, status, kind) not in seen:
        check(daemon, method, target, status, headers, body)
        seen.add((method, name, status, kind))


def event(daemon, target, event):
    """One of a stream of server-sent events: its name as `event`, its `id`, its `data` read as JSON."""
    wrong = held(daemon, lambda d: d.event(target.split("?")[0], event))
    if wrong is not None:
        raise Undescribed(f"{daemon.name} {target[:200]}: {event}: {wrong}")
