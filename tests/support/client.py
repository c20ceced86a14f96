"""One request on a connection of its own, and its reply: what http.client does, at a seventh of its price, since a check asks tens of
thousands of times. Errors are those of http.client and of the socket."""
import http.client
import re
import socket

NEVER = re.compile(r"[\x00-\x20\x7f]")
READ = 65536


class Headers:
    """In order; by any spelling of the name."""

    def __init__(self, pairs):
        self.pairs = list(pairs)
        self.first = {}
        for name, value in self.pairs:
            self.first.setdefault(name.lower(), value)

    def get(self, name, default=None):
        return self.first.get(name.lower(), default)

    def get_all(self, name, default=None):
        return [v for n, v in self.pairs if n.lower() == name.lower()] or default

    def get_content_type(self):
        return self.get("content-type", "text/plain").partition(";")[0].strip().lower()

    def items(self):
        return list(self.pairs)

    def __contains__(self, name):
        return name.lower() in self.first

    def __getitem__(self, name):
        return self.get(name)

    def __iter__(self):
        return (name for name, _ in self.pairs)

    def __repr__(self):
        return repr(self.pairs)


def head_of(reader):
    """Status and headers of the reply that comes next."""
    line = reader.readline(READ)
    if not line:
        raise http.client.RemoteDisconnected("the connection was closed without a reply")
    version, _, rest = line.partition(b" ")
    if version != b"HTTP/1.1" or not rest[:3].isdigit() or not line.endswith(b"\r\n"):
        raise http.client.BadStatusLine(line)
    pairs = []
    while (line := reader.readline(READ)) != b"\r\n":
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not line.endswith(b"\r\n"):
            raise http.client.HTTPException(f"not a header: {line!r}")
        pairs.append((name, value.strip()))
    return int(rest[:3]), Headers(pairs)


def body_of(reader, method, status, headers):
    if method == "HEAD" or status in (204, 304) or headers.get_content_type() == "text/event-stream":
        return b""      # a stream has no end: its head is the answer
    if "Transfer-Encoding" in headers:
        raise http.client.HTTPException("a reply in chunks: our daemons know its length")
    if "Content-Length" not in headers:
        return reader.read()
    size = int(headers["Content-Length"])
    body = reader.read(size)
    if len(body) < size:
        raise http.client.IncompleteRead(body, size - len(body))
    return body


def request(port, method, path, body, headers, timeout, tls=None):
    """(status, headers, body) that 127.0.0.1 answers on this port; `tls`: an ssl.SSLContext."""
    if NEVER.search(path):
        raise http.client.InvalidURL(f"a path with {path!r}")
    said = {"Host": f"127.0.0.1:{port}", "Accept-Encoding": "identity"}
    if body is not None or method in ("POST", "PUT", "PATCH"):
        said["Content-Length"] = len(body or b"")
    given = {name.lower() for name in headers}
    said = [(name, value) for name, value in said.items() if name.lower() not in given] + list(headers.items())
    if any(re.search(r"[\r\n]", f"{name}{value}") for name, value in said):
        raise ValueError(f"a line break in a header: {said}")
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in said)]
    data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")
    with socket.socket() as plain:
        plain.settimeout(timeout)
        plain.connect(("127.0.0.1", port))
        with (tls.wrap_socket(plain, server_hostname="127.0.0.1") if tls else plain) as s, s.makefile("rb") as reader:
            s.sendall(data)
            while True:
                status, found = head_of(reader)
                if status >= 200:
                    return status, found, body_of(reader, method, status, found)
