"""The schemas of our documents as functions, value → does it fit: made once a schema, some thirty times as fast as a library that looks
at the schema anew with each value. It knows the keywords that our documents use and stops at any other. What it refuses is told in words by
jsonschema, which is the judge (described.py); that both say the same is tested (tests/api/test_openapi.py).

An object of named members may hold no others here: a document leaves it open, so that members can be added.
"""
import functools
import re
import threading

KINDS = {"string": str, "integer": int, "number": float, "boolean": bool, "object": dict, "array": list, "null": type(None)}
FORMATS = {"uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch,
           "date-time": re.compile(r"\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)").fullmatch,
           "date": re.compile(r"\d{4,6}-\d\d-\d\d").fullmatch}
# Told to people and to clients, and nothing to look at: the first two are what a client may send.
WORDS = {"readOnly", "writeOnly", "description", "contentMediaType", "contentSchema", "default", "title"}
RULES = {"$ref", "type", "format", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "minLength", "maxLength", "pattern",
         "minItems", "maxItems", "minimum", "maximum"}


def target(root, ref):
    """What "#/a/b/c" refers to."""
    return functools.reduce(lambda at, key: at[key], ref.split("/")[1:], root)


def same(a, b):
    """As JSON has it: 1 is 1.0, and not true."""
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def kinds(names):
    """Is the value of one of these types?"""
    classes = {KINDS[n] for n in names} | ({int} if "number" in names else set())
    whole = "integer" in names and "number" not in names
    return lambda v: type(v) in classes or whole and type(v) is float and v.is_integer()


def rules_of_objects(schema, shape):
    """What is asked of an object, beside its type."""
    named = {name: shape(s) for name, s in schema.get("properties", {}).items()}
    required = frozenset(schema.get("required", ()))
    more = schema.get("additionalProperties", "properties" not in schema)
    rest = None if more is True else (lambda _: False) if more is False else shape(more)

    def fits(v):
        for name, value in v.items():
            f = named.get(name, rest)
            if f is not None and not f(value):
                return False
        return required <= v.keys()
    return fits


def rules_of_arrays(schema, shape):
    item = shape(schema.get("items", True))
    least, most = schema.get("minItems", 0), schema.get("maxItems", float("inf"))
    return lambda v: least <= len(v) <= most and all(map(item, v))


def rules_of_texts(schema):
    least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
    form = FORMATS.get(schema.get("format"), lambda _: True)
    pattern = re.compile(schema.get("pattern", ""))
    return lambda v: least <= len(v) <= most and bool(form(v)) and pattern.search(v) is not None


def rules_of_numbers(schema):
    least, most = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    return lambda v: least <= v <= most


class Shapes:
    """Those of one document."""

    def __init__(self, root):
        self.root = root
        self.by_ref = {}
        self.making = threading.RLock()     # replies are judged in the threads that got them

    def shape(self, schema):
        if schema is True:
            return lambda _: True
        if schema is False:
            return lambda _: False
        unknown = {k for k in schema.keys() - RULES - WORDS if not k.startswith("x-")}
        assert not unknown, f"these keywords are not known to the tests: {unknown} (tests/support/shapes.py)"
        if "$ref" in schema:
            return self.of_ref(schema["$ref"])
        rules = self.rules(schema)
        if len(rules) == 1:
            return rules[0]
        return lambda v: all(rule(v) for rule in rules)

    def of_ref(self, ref):
        with self.making:
            if ref not in self.by_ref:
                self.by_ref[ref] = lambda v: self.by_ref[ref](v)    # until it is made, and in what refers to itself
                try:
                    self.by_ref[ref] = self.shape(target(self.root, ref))
                except BaseException:
                    del self.by_ref[ref]
                    raise
            return self.by_ref[ref]

    def rules(self, schema):
        rules = []
        if "type" in schema:
            names = schema["type"]
            rules.append(kinds([names] if isinstance(names, str) else names))
        for choice in ("enum", "const"):
            if choice in schema:
                values = schema[choice] if choice == "enum" else [schema[choice]]
                rules.append(lambda v, values=tuple(values): any(same(v, x) for x in values))
        if "anyOf" in schema:
            ways = [self.shape(s) for s in schema["anyOf"]]
            rules.append(lambda v: any(way(v) for way in ways))
        by_kind = self.by_kind(schema)
        if by_kind:
            rules.append(lambda v: by_kind[type(v)](v) if type(v) in by_kind else True)
        return rules or [lambda _: True]

    def by_kind(self, schema):
        """The rules that hold for values of one type."""
        found = {}
        if schema.keys() & {"properties", "required", "additionalProperties"}:
            found[dict] = rules_of_objects(schema, self.shape)
        if schema.keys() & {"items", "minItems", "maxItems"}:
            found[list] = rules_of_arrays(schema, self.shape)
        if schema.keys() & {"minLength", "maxLength", "pattern"} or schema.get("format") in FORMATS:
            found[str] = rules_of_texts(schema)
        if schema.keys() & {"minimum", "maximum"}:
            found[int] = found[float] = rules_of_numbers(schema)
        return found
