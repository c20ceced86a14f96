"""The guides of deploy/guides, walked through as they are printed: every command of every guide, in their order, against the real daemons.

deploy/guides/README.md says how a guide is written. The folder the commands run in looks like a checkout after `make run`: deploy/,
build/release, and var/ with the addresses, the tokens and the daemons' configuration."""
import os
import pwd
import re
import shutil
import signal
import subprocess
import time

import pytest

import client
import described
import traced
from clusters import ROOT
from product import BUILD, ROLES, Product

FOLDER = ROOT / "deploy" / "guides"
# The product owner decides about what the innovator's guide has left.
GUIDES = ("operator", "innovator", "product-owner", "application")
BLOCK_SECONDS = 180
AGAIN_SECONDS = 40
PEOPLE = 420
KINDS = {"sh", "sh fails", "sh again", "text", "sql", "yaml", "json"}
DONE = "the block has ended with code"


class Block:
    """A fenced block: what kind, where, and its lines."""

    def __init__(self, kind, line):
        self.kind, self.line, self.lines = kind, line, []

    @property
    def text(self):
        return "\n".join(self.lines) + "\n"


def blocks(path):
    """The fenced blocks of a guide in their order."""
    found, at = [], None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith("```"):
            if at is None:
                at = Block(line.strip()[3:].strip(), number)
                assert at.kind in KINDS, f"{path.name}:{number}: a block of kind \"{at.kind}\"; there are {sorted(KINDS)}"
                found.append(at)
            else:
                at = None
        elif at is not None:
            at.lines.append(line)
    assert at is None, f"{path.name}:{at.line}: the block does not end"
    return found


def steps(path):
    """(command, what is shown after it or None), in their order."""
    found = blocks(path)
    for i, block in enumerate(found):
        if block.kind.startswith("sh"):
            shown = found[i + 1] if i + 1 < len(found) and found[i + 1].kind == "text" else None
            yield block, shown


def line_matches(shown, seen):
    """… in a line stands for any text, none too."""
    return re.fullmatch(".*".join(map(re.escape, shown.rstrip().split("…"))), seen.rstrip()) is not None


def first_difference(shown, seen):
    """None if what was seen is what is shown; else a sentence. A line of … alone stands for any lines, none too."""
    ways = {0}      # how many lines of `seen` the lines of `shown` so far may have used
    for n, line in enumerate(shown):
        if line.strip() == "…":
            ways = set(range(min(ways), len(seen) + 1))
        else:
            after = {w + 1 for w in ways if w < len(seen) and line_matches(line, seen[w])}
            if not after:
                return f"line {n + 1} of the output is not as shown: {line!r}"
            ways = after
    return None if len(seen) in ways else f"{len(seen) - max(ways)} more lines came than are shown"


class Shell:
    """One bash for a whole guide, so that what a block sets is there for the next. Its blocks cannot read what comes after them."""

    def __init__(self, folder, trace):
        self.trace, self.curls = trace, folder / "curls"
        # The daemons of a test are its own user's.
        user = pwd.getpwuid(os.geteuid()).pw_name
        env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb", "no_proxy": "*",
               "BIMODAL_CORE_USER": user, "BIMODAL_SANDBOX_USER": user, **trace.env}
        self.file = folder / ".block"
        self.process = subprocess.Popen(["bash", "--noprofile", "--norc"], cwd=folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        os.set_blocking(self.process.stdout.fileno(), False)

    def run(self, text):
        """Exit code and lines of one block."""
        self.file.write_text(text)
        # The code is that of the last command that failed, not only that of the last one.
        self.process.stdin.write(f"code=0; trap 'code=$?' ERR; . {self.file} </dev/null; trap - ERR; printf '\\n{DONE} %d\\n' $code\n".encode())
        self.process.stdin.flush()
        got, deadline = b"", time.monotonic() + BLOCK_SECONDS
        while not (end := re.search(rf"\n{DONE} (\d+)\n$".encode(), got)):
            got += self.process.stdout.read() or b""
            assert time.monotonic() < deadline and self.process.poll() is None, f"the command does not end; so far:\n{got.decode(errors='replace')}"
            time.sleep(0.01)
        self.look()
        return int(end[1]), got[:end.start()].decode(errors="replace").replace("\r", "").splitlines()

    def look(self):
        """Every reply that the block was given fits the description of the API."""
        self.trace.look()
        for file in self.curls.iterdir():
            traced.judge_curl(self.trace.daemons, file.read_text())
            file.unlink()

    def close(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def walk(name, folder, daemons):
    path = FOLDER / f"{name}.md"
    with traced.Trace(*daemons) as trace:
        walk_in(path, Shell(folder, trace))


def walk_in(path, shell):
    try:
        for block, shown in steps(path):
            deadline = time.monotonic() + (AGAIN_SECONDS if block.kind == "sh again" else 0)
            while True:
                code, seen = shell.run(block.text)
                wrong = None
                if (code != 0) != (block.kind == "sh fails"):
                    wrong = f"deploy/guides/{path.name}:{block.line}: the command ended with code {code}"
                elif shown is not None and (difference := first_difference(shown.lines, seen)):
                    wrong = f"deploy/guides/{path.name}:{shown.line}: {difference}"
                if wrong is None:
                    break
                if time.monotonic() > deadline:
                    pytest.fail("\n".join([wrong, "-- the command:", block.text, "-- what it printed:", *seen]), pytrace=False)
                time.sleep(0.2)
    finally:
        shell.close()


def checkout(product, folder):
    """A folder as `make run` leaves it, for this product."""
    (folder / "build").mkdir()
    (folder / "build" / "release").symlink_to(BUILD)
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    # curl as everybody has it, and what it was told is looked at.
    (folder / "bin").mkdir()
    (folder / "curls").mkdir()
    (folder / "bin" / "curl").write_text(f'#!/bin/sh\nexec {shutil.which("curl")} --trace "$HOME/curls/$$" "$@"\n')
    (folder / "bin" / "curl").chmod(0o755)
    var = folder / "var"
    for part in ("tokens", "run/core", "run/sandbox", "log", "app"):
        (var / part).mkdir(parents=True)
    (var / "tokens").chmod(0o700)
    (var / ".bimodal").touch()
    (var / "app" / "bin").symlink_to(BUILD)
    (var / "app" / "config").symlink_to(ROOT / "config")
    (folder / "config").symlink_to(ROOT / "config")
    for daemon in (product.core, product.sandbox):
        (var / f"{daemon.name}.yaml").symlink_to(daemon.config)
        (var / "run" / daemon.name / "port").write_text(f"{daemon.port}\n")
        (var / "run" / daemon.name / "pid").symlink_to(product.dir / f"{daemon.name}.pid")
        for role in ROLES:
            file = var / "tokens" / (role if daemon.name == "core" else f"{role}.sandbox")
            file.touch(mode=0o600)
            file.write_text(daemon.tokens[role])
    return folder


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    product = Product(rehearsal=True).start()
    try:
        made = checkout(product, tmp_path_factory.mktemp("checkout"))
        done = traced.bimodal(product, "--quiet", "seed", "--people", PEOPLE, "--seed", "1", cwd=made, timeout=300)
        assert done.returncode == 0, done
        known = product.clusters.one("core", "select count(*) from crm.person where lab_ok")
        product.arrived("select count(*) = %s from crm.person", (known,), seconds=60)
        yield made, (product.core, product.sandbox)
    finally:
        product.stop()


def test_every_guide_is_walked():
    assert {p.stem for p in FOLDER.glob("*.md")} - {"README"} == set(GUIDES)
    for name in GUIDES:
        assert f"({name}.md)" in (FOLDER / "README.md").read_text()
        assert len(list(steps(FOLDER / f"{name}.md"))) >= 8


@pytest.mark.parametrize("shown, seen, well", [
    (["a", "b"], ["a", "b"], True), (["a"], ["a", "b"], False), (["a", "b"], ["a"], False), (["a … c"], ["a b c"], True),
    (["a…c"], ["ac"], True), (["a…c"], ["a b"], False), (["…"], [], True), (["a", "…"], ["a", "b", "c"], True), (["…", "c"], ["a", "b"], False),
    (["…", "b", "…", "b"], ["a", "b", "b"], True), (["(…)"], ["x"], False), (["a", "…", "z"], ["a", "z", "q"], False), ([], [], True), ([], ["a"], False)])
def test_what_is_shown_is_compared(shown, seen, well):
    assert (first_difference(shown, seen) is None) is well


def settled(daemons):
    """What the guide before has taken back is gone from what the workers serve, the copy's too: else a reply may be judged by a description
    that is newer than itself."""
    deadline = time.monotonic() + 30
    for daemon in daemons:
        fitting = 0
        while fitting < 6 * daemon.product.workers:
            answer = client.request(daemon.port, "GET", "/v1/people?limit=1", None, {"Authorization": f"Bearer {daemon.tokens['service']}"}, 10)
            try:
                described.of_tree(daemon.name).check("GET", "/v1/people", *answer)
                fitting += 1
            except AssertionError:
                assert time.monotonic() < deadline, answer
                fitting = 0
                time.sleep(0.1)


@pytest.mark.parametrize("name", GUIDES)
def test_guide(installation, name):
    walk(name, *installation)
    settled(installation[1])
