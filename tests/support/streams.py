"""Server-sent events of a daemon, read as an EventSource reads them; each is held against the description of the API."""
import json
import select
import socket
import time

import described
from wire import head_of

LIMIT = 60      # seconds that a state is waited for


class Event:
    def __init__(self, name, id, data):
        self.name, self.id, self.data = name, id, data

    def __repr__(self):
        return f"<{self.name} {self.data} {self.id}>"


class Stream:
    """One open stream, read as an EventSource reads it."""

    def __init__(self, daemon, path="/v1/live", token=None, role="agent", last=None, headers=(), receive=None):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(LIMIT)
        self.socket.connect(("127.0.0.1", daemon.port))
        lines = [f"GET {path} HTTP/1.1", "Host: test", "Accept: text/event-stream"]
        if token or role:
            lines.append(f"Authorization: Bearer {token or daemon.tokens[role]}")
        if last is not None:
            lines.append(f"Last-Event-ID: {last}")
        self.socket.sendall("\r\n".join([*lines, *headers, "", ""]).encode("latin-1"))
        self.bytes, self.events, self.comments, self.retry, self.last, self.closed = b"", [], 0, None, last, False
        self.daemon, self.path, self.head = daemon, path, self.until(b"\r\n\r\n").decode("latin-1")
        self.status, head, _ = head_of(self.head.encode("latin-1"))
        while len(self.bytes) < int(head.get("Content-Length", 0)):
            assert self.more(), (self.head, self.bytes)
        described.check(daemon, "GET", path, self.status, head, b"" if self.status == 200 else self.bytes)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def more(self, seconds=LIMIT):
        """Some bytes more; False at the end, or when nothing comes in that time."""
        if self.closed or not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            got = self.socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self.closed = got == b""
        self.bytes += got
        return not self.closed

    def until(self, mark):
        while mark not in self.bytes:
            assert self.more(), (mark, self.bytes)
        part, self.bytes = self.bytes.split(mark, 1)
        return part + mark

    def parse(self):
        while b"\n\n" in self.bytes:
            block, self.bytes = self.bytes.split(b"\n\n", 1)
            fields = {}
            for line in block.decode().split("\n"):
                name, _, value = line.partition(":")
                fields[name] = value[1:] if value.startswith(" ") else value
            self.comments += "" in fields
            self.retry = int(fields["retry"]) if "retry" in fields else self.retry
            self.last = fields.get("id", self.last)
            if "data" in fields:
                e = Event(fields.get("event", "message"), fields.get("id"), json.loads(fields["data"]))
                described.event(self.daemon, self.path, {"event": e.name, "id": e.id, "data": e.data})
                self.events.append(e)

    def next(self, *names, seconds=LIMIT):
        """The next event of these names (any, but the feed's), those before it dropped."""
        deadline = time.monotonic() + seconds
        while True:
            self.parse()
            while self.events:
                e = self.events.pop(0)
                if e.name in names if names else e.name != "feed":
                    return e
            assert time.monotonic() < deadline and self.more(max(0.0, deadline - time.monotonic())), (names, self.closed, self.bytes)

    def take(self, wanted):
        """All events up to the first one that is wanted, but the feed's."""
        got = []
        while not got or not wanted(got[-1]):
            got.append(self.next())
        return got

    def hears(self, id):
        """A record of this id; what was written before it may come late, behind a transaction that began earlier."""
        while self.next("record").data["id"] != id:
            pass
        return True

    def ended(self):
        """Everything until the other side closes."""
        while self.more():
            pass
        assert self.closed, "the stream stays open"
        self.parse()
        return [e for e in self.events if e.name != "feed"]

    def json(self):
        while b"}" not in self.bytes:
            assert self.more()
        return json.loads(self.bytes)
