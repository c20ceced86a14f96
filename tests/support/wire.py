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


def head_of(data):
    """Status and headers of the reply that `data` begins with, and what comes behind them."""
    head, gap, rest = data.partition(b"\r\n\r\n")
    assert gap, f"a reply without an end of its head: {head[:200]!r}"
    lines = head.decode("latin-1").split("\r\n")
    version, status, *_ = lines[0].split(" ", 2)
    assert version == "HTTP/1.1", lines[0]
    headers = Headers()
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        assert colon and name.lower() not in headers, line
        headers[name.lower()] = value
    return int(status), headers, rest


def answers(data):
    """The replies in `data`. Every one must be whole and well formed, but for a body that HEAD does not send."""
    found = []
    while data:
        status, headers, data = head_of(data)
        size = int(headers.get("content-length", "0"))
        assert len(data) >= size, f"a reply is cut short: {status} {headers}"
        if status != 100:
            found.append(Answer(status, headers, data[:size]))
        data = data[size:]
    return found


def asked(data):
    """Method and target of the requests in `data`, up to the first that is not well formed."""
    while m := re.match(rb"([A-Z]+) (/[^ ]*) HTTP/1\.1\r\n((?:[\w-]+: [^\r\n]*\r\n)+)\r\n", data):
        yield m[1].decode(), m[2].decode("latin-1")
        length = re.search(rb"^Content-Length: (\d+)\r$", m[3], re.M | re.I)
        data = data[m.end() + (int(length[1]) if length else 0):]


def exchanges(sent, heard):
    """(method, target, answer) of each whole reply on a connection; method and target None where the request is not well formed."""
    requests = asked(sent)
    while b"\r\n\r\n" in heard:
        status, headers, heard = head_of(heard)
        if status == 100:
            continue
        method, target = next(requests, (None, None))
        stream = headers.get("content-type") == "text/event-stream"
        size = 0 if stream or method == "HEAD" or status == 304 else int(headers.get("content-length", "0"))
        if len(heard) < size:
            return
        yield method, target, Answer(status, headers, heard[:size])
        if stream:
            return
        heard = heard[size:]


def judge(daemon, sent, heard):
    """Every whole reply of a connection against the description of the API."""
    for method, target, a in exchanges(sent, heard):
        if method is not None:
            described.check(daemon, method, target, a.status, a.headers, a.body)
        elif a.headers.get("content-type") == "application/problem+json" and a.body:
            described.of_tree(daemon.name).problem(a.body, a.status)


class Spoken:
    """A socket that keeps what is said and heard: when its block ends well, every whole reply is judged."""

    def __init__(self, plain, daemon):
        self.plain, self.daemon, self.said, self.heard = plain, daemon, bytearray(), bytearray()

    def __getattr__(self, name):
        return getattr(self.plain, name)

    def sendall(self, data):
        self.said += data
        self.plain.sendall(data)

    def recv(self, size, flags=0):
        got = self.plain.recv(size, flags) if flags else self.plain.recv(size)
        if not flags & socket.MSG_PEEK:
            self.heard += got
        return got

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.plain.close()
        if kind is None:
            judge(self.daemon, bytes(self.said), bytes(self.heard))


class Wire:
    """One connection; its replies are judged when its block ends."""

    def __init__(self, daemon, timeout=10.0, receive_buffer=None):
        plain = socket.socket()
        if receive_buffer is not None:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(timeout)
        plain.connect(("127.0.0.1", daemon.port))
        self.socket = Spoken(plain, daemon)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.socket.__exit__(*why)

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


def talk(daemon, data, timeout=10.0):
    """Sends bytes on a connection of their own; replies in order, and whether the daemon closed."""
    with Wire(daemon, timeout) as w:
        w.send(data)
        got, closed = w.rest()
    return answers(got), closed


def request(daemon, method, target, body=b"", role="agent", headers=(), version="HTTP/1.1"):
    """A well-formed request as bytes, to be spoilt."""
    lines = [f"{method} {target} {version}", "Host: test"]
    if role is not None:
        lines.append(f"Authorization: Bearer {daemon.tokens[role]}")
    lines += headers
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
