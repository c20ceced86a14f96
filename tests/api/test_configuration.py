"""The configuration of the daemons: all errors at once, with their places; what is shown; what SIGHUP changes."""
import os
import re
import signal
import subprocess
import time

from clusters import ROOT
from product import BUILD


def run(*argv):
    return subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


def test_every_error_is_reported_at_once_with_its_place(product, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("http:\n  workers: 300\n  prot: 1\ndatabase: 7\n")
    done = run(BUILD / "bimodal-core", "-c", ROOT / "config" / "core.yaml", "-c", bad, "--check-config")
    assert done.returncode == 2
    assert re.search(r"bad\.yaml:2:\d+: http\.workers: 300 is above the maximum 64", done.stderr), done.stderr
    assert re.search(r"bad\.yaml:3:\d+: .*prot.*port", done.stderr), done.stderr
    assert re.search(r"bad\.yaml:4:\d+: database", done.stderr), done.stderr


def test_a_good_configuration_is_good_and_secrets_are_not_shown(product, core, sandbox):
    for daemon in (core, sandbox):
        assert run(*daemon.argv("--check-config")).returncode == 0
        shown = run(*daemon.argv("--print-config"))
        assert shown.returncode == 0
        assert "http.workers" in shown.stdout
        for secret in (product.dir / "secrets").iterdir():
            assert secret.read_text() not in shown.stdout


def test_the_files_name_every_key(product, core, sandbox):
    for daemon in (core, sandbox):
        names = set(re.findall(r"^\s*([a-z_]+(?:\.[a-z_]+)+)\s", run(*daemon.argv("--print-config")).stdout, re.M))
        assert len(names) > 30
        text = (ROOT / "config" / f"{daemon.name}.yaml").read_text()
        for name in names:
            *sections, key = name.split(".")
            block, indent = text, ""
            for section in sections:
                found = re.search(rf"^{indent}{section}:.*\n((?:{indent}  .*\n|\n)+)", block, re.M)
                assert found, f"config/{daemon.name}.yaml lacks {name}"
                block, indent = found[1], indent + "  "
            assert re.search(rf"^{indent}{key}:", block, re.M), f"config/{daemon.name}.yaml lacks {name}"


def test_sighup_changes_the_log_level_and_nothing_else(core):
    before = core.config.read_text()

    def reloaded(word, seconds=10.0):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if any('"config.reload"' in line and word in line for line in core.tail(400).splitlines()):
                return True
            time.sleep(0.05)
        return False

    try:
        core.config.write_text(before + "log: { level: noise }\n")
        os.kill(core.process.pid, signal.SIGHUP)
        assert reloaded("nothing was changed")
        core.config.write_text(before + "log: { level: debug }\n")
        os.kill(core.process.pid, signal.SIGHUP)
        assert reloaded("log level debug")
        assert core.get("/v1/me").status == 200
    finally:
        core.config.write_text(before)
        os.kill(core.process.pid, signal.SIGHUP)
    assert reloaded("log level info")
