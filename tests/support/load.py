"""Steady load on core from a few threads over kept-alive connections; every answer that is not the one expected is kept, and so is one that
the description of the API does not know: the first of each route, method, status and content type is looked at whole, the others that they
are one of these (described.glance), so that looking does not slow the load."""
import http.client
import json
import threading
import time

import described


class Load:
    """with Load(core) as load: …; then load.failed, load.count, load.slowest."""

    def __init__(self, daemon, threads=3, pause=0.01):
        self.daemon = daemon
        self.pause = pause
        self.failed = []
        self.count = 0
        self.slowest = 0.0
        self.lock = threading.Lock()
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(threads)]

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for t in self.threads:
            t.join(30)

    def during(self, seconds):
        """Requests answered in this time from now."""
        before = self.count
        time.sleep(seconds)
        return self.count - before

    def _ask(self, connection, method, path, body, headers, want):
        sent = {"Authorization": f"Bearer {self.daemon.tokens['agent']}", "Content-Type": "application/json", **headers}
        began = time.monotonic()
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            r = connection.getresponse()
            text = r.read()
        except (OSError, http.client.HTTPException) as e:
            connection.close()
            with self.lock:
                self.failed.append((method, path, repr(e)))
            return None
        took = time.monotonic() - began
        try:
            described.glance(self.daemon, method, path, r.status, r.headers, text)
        except described.Undescribed as e:
            with self.lock:
                self.failed.append((method, path, str(e)))
        with self.lock:
            self.count += 1
            self.slowest = max(self.slowest, took)
            if r.status != want:
                self.failed.append((method, path, r.status, text[:300]))
        return r, text

    def _run(self, n):
        c = http.client.HTTPConnection("127.0.0.1", self.daemon.port, timeout=20)
        i = 0
        while not self.ending.is_set():
            i += 1
            made = self._ask(c, "POST", "/v1/people", {"given_name": f"load {n}", "country": "LD", "stage": str(i)}, {}, 201)
            if made is not None and made[0].status == 201:
                path = made[0].headers["Location"]
                self._ask(c, "GET", path, None, {}, 200)
                self._ask(c, "PATCH", path, {"segment": "s"}, {"If-Match": made[0].headers["ETag"]}, 200)
                self._ask(c, "POST", "/v1/interactions", {"kind": "call", "person_id": path.rsplit("/", 1)[1]}, {}, 201)
            self._ask(c, "GET", "/v1/people?limit=20&sort=-id", None, {}, 200)
            self.ending.wait(self.pause)
        c.close()
