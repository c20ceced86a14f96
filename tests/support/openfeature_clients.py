"""The published OpenFeature clients in a Node process of their own (tests/support/openfeature), called line by line. What the daemons answer
them is held against the description of the API like every other reply."""
import json
import queue
import shutil
import subprocess
import threading
import time
import urllib.parse

import described
from clusters import ROOT
from streams import LIMIT
from wire import Headers

HERE = ROOT / "tests" / "support" / "openfeature"


class Refused(Exception):
    """What a client threw: its name, its message, and the milliseconds after which it would try again."""

    def __init__(self, answer):
        super().__init__(f"{answer['error']}: {answer.get('message')}")
        self.name, self.retry = answer["error"], answer.get("retry")


class Clients:
    def __init__(self, *daemons):
        self.daemons, self.judged = daemons, 0
        self.process = subprocess.Popen([shutil.which("node"), "client.mjs"], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.lines, self.said, self.answers, self.calls = queue.Queue(), [], {}, 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def take(self, seconds):
        line = self.lines.get(timeout=seconds)
        assert line is not None, "the clients have ended"
        if "id" in line and "event" not in line:
            self.answers[line["id"]] = line
        else:
            if line.get("event") == "request":
                self.judge(line)
            self.said.append(line)

    def judge(self, line):
        """Not what stands in the place of a daemon in some tests."""
        url = urllib.parse.urlsplit(line["url"])
        for daemon in self.daemons:
            if daemon.port == url.port:
                target = url.path + (f"?{url.query}" if url.query else "")
                described.check(daemon, line["method"], target, line["status"], Headers((k.lower(), v) for k, v in line["headers"]), line["body"].encode())
                self.judged += 1

    def call(self, what, /, **args):
        self.calls += 1
        self.process.stdin.write(json.dumps({"id": self.calls, "call": what, **args}) + "\n")
        self.process.stdin.flush()
        while self.calls not in self.answers:
            self.take(LIMIT)
        answer = self.answers.pop(self.calls)
        if "error" in answer:
            raise Refused(answer)
        return answer["result"]

    def hears(self, wanted, after=0):
        """The first thing said that is wanted, of those after the first `after`."""
        deadline = time.monotonic() + LIMIT
        while True:
            for line in self.said[after:]:
                if wanted(line):
                    return line
            try:
                self.take(max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not heard; said was {self.said[after:]}") from None

    def settle(self):
        """Take what has been said meanwhile; how much that is in all."""
        while True:
            try:
                self.take(0)
            except queue.Empty:
                return len(self.said)
