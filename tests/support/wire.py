"""HTTP as bytes: requests that no client library would send, and what comes back, in order."""
import json
import re
import socket
import time

import described


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class Headers(dict):
    """By any spelling of the name; keys are in lower case."""

    def get(self, name, default=None):
        return super().get(name.lower(), default)


def answers(data):
    """The replies in `data`. Every one must be whole and well formed, but for a body that HEAD does not send."""
    found = []
    while data:
        head, gap, data = data.partition(b"\r\n\r\n")
        assert gap, f"a reply without an end of its head: {head[:200]!r}"
        lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(": ")
            assert colon and name.lower() not in headers, line
            headers[name.lower()] = value
        size = int(headers.get("content-length", "0"))
        assert len(data) >= size, f"a reply is cut short: {lines[0]}"
        if status != "100":
            found.append(Answer(int(status), headers, data[:size]))
            if headers.get("content-type") == "application/problem+json" and size:
                described.of_tree("core").problem(data[:size], int(status))
        data = data[size:]
    return found


class Wire:
    """One connection."""

    def __init__(self, daemon, timeout=10.0, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", daemon.port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """False if the other side has closed meanwhile."""
        try:
            self.socket.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def drip(self, data, pause):
        """Byte by byte until it is out or the other side closes; the seconds it took."""
        began = time.monotonic()
        for i in range(len(data)):
            if not self.send(data[i:i + 1]):
                break
            self.socket.settimeout(pause)
            try:
                if self.socket.recv(1, socket.MSG_PEEK):
                    break
            except TimeoutError:
                pass
        self.socket.settimeout(10.0)
        return time.monotonic() - began

    def rest(self):
        """All that comes until the other side closes, and whether it closed."""
        got = b""
        try:
            while chunk := self.socket.recv(65536):
                got += chunk
        except TimeoutError:
            return got, False
        except ConnectionResetError:
            pass
        return got, True


def asked(data):
    """Method and target of the requests in `data`, up to the first that is not well formed."""
    while m := re.match(rb"([A-Z]+) (/[^ ]*) HTTP/1\.1\r\n((?:[\w-]+: [^\r\n]*\r\n)+)\r\n", data):
        yield m[1].decode(), m[2].decode("latin-1")
        length = re.search(rb"^Content-Length: (\d+)\r$", m[3], re.M | re.I)
        data = data[m.end() + (int(length[1]) if length else 0):]


def talk(daemon, data, timeout=10.0):
    """Sends bytes on a connection of their own; replies in order, and whether the daemon closed."""
    with Wire(daemon, timeout) as w:
        w.send(data)
        got, closed = w.rest()
    found = answers(got)
    for (method, target), a in zip(asked(data), found):
        described.check(daemon, method, target, a.status, Headers(a.headers), a.body)
    return found, closed


def request(daemon, method, target, body=b"", role="agent", headers=(), version="HTTP/1.1"):
    """A well-formed request as bytes, to be spoilt."""
    lines = [f"{method} {target} {version}", "Host: test"]
    if role is not None:
        lines.append(f"Authorization: Bearer {daemon.tokens[role]}")
    lines += headers
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
