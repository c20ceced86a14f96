"""Replies that somebody else was given: the command line, which writes down every exchange (--trace), and other programs of ours that write
lines of the same form. Each is held against the description of the API, and so is each event of a stream."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import described
from product import BUILD
from wire import Headers, judge as judge_bytes


def judge(daemons, text):
    """The lines of a trace; how many there were."""
    lines = text.splitlines()
    for line in map(json.loads, lines):
        daemon = next(d for d in daemons if d.name == line["daemon"])
        if "event" in line:
            described.event(daemon, line["target"], {"event": line["event"], "id": line["id"], "data": json.loads(line["data"])})
        elif line["status"] != 0 and "error" not in line:
            headers = Headers((name.lower(), value) for name, value in line["headers"])
            described.check(daemon, line["method"], line["target"], line["status"], headers, line["body"].encode())
    return len(lines)


def judge_curl(daemons, text):
    """What curl --trace wrote of one run of it: bytes in both directions, in hexadecimal."""
    said, heard, to = bytearray(), bytearray(), None
    for line in text.splitlines():
        if line.startswith(("=> Send ", "<= Recv ", "== Info")):
            to = said if line.startswith(("=> Send header", "=> Send data")) else heard if line.startswith(("<= Recv header", "<= Recv data")) else None
        elif to is not None:
            to += bytes.fromhex(line.partition(": ")[2][:48])
    if said:
        port = int(re.search(rb"^Host: 127\.0\.0\.1:(\d+)\r$", said, re.M)[1])
        judge_bytes(next(d for d in daemons if d.port == port), bytes(said), bytes(heard))


class Trace:
    """The file that a process is told to write to: `env` says so. What it has written is judged by look(), and when the block ends."""

    def __init__(self, *daemons):
        self.daemons = daemons
        handle, name = tempfile.mkstemp(prefix="bm-trace-")
        os.close(handle)
        self.file, self.env, self.seen, self.lines = pathlib.Path(name), {"BIMODAL_TRACE": name}, 0, 0

    def look(self):
        with open(self.file, "rb") as f:
            f.seek(self.seen)
            text = f.read()
        whole = text[:text.rfind(b"\n") + 1]
        self.seen += len(whole)
        self.lines += judge(self.daemons, whole.decode())

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        with contextlib.ExitStack() as last:
            last.callback(self.file.unlink)
            if kind is None:
                self.look()


def bimodal(product, *argv, env=None, **kw):
    """The command line of this installation; what subprocess.run() says of it."""
    if "input" not in kw:
        kw.setdefault("stdin", subprocess.DEVNULL)
    with Trace(product.core, product.sandbox) as trace:
        return subprocess.run([str(a) for a in (BUILD / "bimodal", *argv)], env={**os.environ, **(env or {}), **trace.env}, capture_output=True,
                              text=True, **{"timeout": 60, **kw})
