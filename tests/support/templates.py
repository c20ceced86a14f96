"""Data directories made once and copied, so that a test does not wait for initdb or an installation.

    folder = template("bare", make)          # make(folder) fills it the first time; later calls find it ready
    copy(folder / "core", directory / "core")

They live as long as the run: in the folder that BIMODAL_TEST_TEMPLATES names (tests/support/check.sh makes one for all its
suites), or in one of this process that goes with it. So they are never stale, and nobody else can write where they are.
A template is whole or absent: it is filled under a lock in a folder beside it, which then gets its name.
"""
import atexit
import fcntl
import functools
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

MEMORY_FREE = 6 << 30


@functools.cache
def volume():
    """Where data directories go: into memory if there is plenty, because files cost a disk's file system several times the work. All of a
    check are where its templates are, whatever becomes of the memory: a data directory that becomes a template is moved, not copied."""
    given = os.environ.get("BIMODAL_TEST_TEMPLATES")
    if given:
        return pathlib.Path(given).parent
    memory = pathlib.Path("/dev/shm")
    try:
        room = os.statvfs(memory)
        free = int(re.search(r"^MemAvailable: *(\d+) kB", pathlib.Path("/proc/meminfo").read_text(), re.M)[1]) * 1024
        if os.access(memory, os.W_OK | os.X_OK) and min(room.f_bavail * room.f_frsize, free) > MEMORY_FREE:
            return memory
    except (OSError, TypeError):
        pass
    return pathlib.Path(tempfile.gettempdir())


def folder():
    """A new folder for templates; the caller removes it."""
    made = tempfile.mkdtemp(prefix="bm-templates-", dir=volume())
    # PostgreSQL's user must get through to its own data directories; nothing here can be listed or written by others.
    os.chmod(made, 0o711)
    return made


@functools.cache
def root():
    given = os.environ.get("BIMODAL_TEST_TEMPLATES")
    if given:
        return pathlib.Path(given)
    made = folder()
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return pathlib.Path(made)


def template(name, make):
    """The folder of a template; make(folder) fills a new one."""
    ready = root() / name
    with open(root() / f"{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            growing = root() / f"{name}.new"
            shutil.rmtree(growing, ignore_errors=True)
            growing.mkdir(mode=0o711)
            if os.geteuid() == 0:
                shutil.chown(growing, "postgres", "postgres")
            make(growing)
            growing.rename(ready)
    return ready


def copy(source, target):
    subprocess.run(["cp", "-a", "--reflink=auto", "--sparse=always", source, target], check=True, stdin=subprocess.DEVNULL)
