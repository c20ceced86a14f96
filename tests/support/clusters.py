"""Private PostgreSQL clusters for tests and development.

    c = Clusters(); c.start(); c.load("core"); c.load("airlock"); c.load("sandbox"); c.feed_setup()
    with c.connect("core", "bimodal_app") as db: ...
    c.stop()

The order of load() and feed_setup() is that of deploy/: genesis as superuser, changes as
bimodal_executor (sandbox: bimodal_deployer) with SET ROLE bimodal_owner, then the feed hop by hop.
Run as a program it starts all three, prints their addresses and stays until it is interrupted.
"""
import base64
import contextlib
import grp
import hashlib
import hmac
import json
import os
import pathlib
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import psycopg2.errors

from templates import copy, template, volume

ROOT = pathlib.Path(__file__).resolve().parents[2]
SQL = ROOT / "sql"
NAMES = ("core", "airlock", "sandbox")
DEPLOYER = {"core": "bimodal_executor", "airlock": "bimodal_executor",
            "sandbox": "bimodal_deployer"}
SOURCE = {"airlock": ("core", "bimodal_feed"), "sandbox": ("airlock", "bimodal_hop")}
INCLUDE = re.compile(r"^-- include (functions/[a-z0-9_]+\.sql)[ \t]*$", re.M)


def bindir():
    """The newest installed PostgreSQL's programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda p: float(p.parts[4]))
    if not found:
        raise RuntimeError("PostgreSQL is not installed under /usr/lib/postgresql")
    return found[-1].parent


def expand(cluster, text):
    """The SQL of a change with its function files put in."""
    def put(m):
        for base in (SQL / cluster, SQL / "shared"):
            if (base / m[1]).is_file():
                return (base / m[1]).read_text()
        raise FileNotFoundError(f"sql/{cluster}: -- include {m[1]}")
    return INCLUDE.sub(put, text)


def changes(cluster):
    return sorted(p.name for p in (SQL / cluster / "changes").iterdir() if p.is_dir())


def change_sql(cluster, change, part):
    return expand(cluster, (SQL / cluster / "changes" / change / f"{part}.sql").read_text())


def verifier(password):
    """What the server keeps of a password, with one round of hashing instead of 4,096: rounds protect what a person chose. With these
    random ones they would only cost each of the many sessions of a test 10 ms."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    salt, stored, server = (base64.b64encode(b).decode() for b in (salt, stored, hmac.digest(salted, b"Server Key", "sha256")))
    return f"SCRAM-SHA-256$1:{salt}${stored}:{server}"


def free_port():
    """Not one of those that the kernel gives to outgoing connections: it would be taken again before the server listens."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = secrets.choice(range(10000, low)) if low > 12000 else 0
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return s.getsockname()[1]


class Cluster:
    def __init__(self, name, directory):
        self.name = name
        self.data = directory / name
        self.sockets = directory / "s"
        self.log = directory / f"{name}.log"
        self.port = free_port()
        self.passwords = {}


class Clusters:
    def __init__(self, names=NAMES, slot_wal="64MB", settings=()):
        self.names = names
        self.slot_wal = slot_wal
        self.settings = list(settings)
        self.dir = None
        self.cluster = {}
        self.bin = bindir()
        self.genesis_hash = None
        self.idle = {}          # (name, role): sessions of rows(), which cost more to make than most queries to run

    # -- processes

    def _as_postgres(self, *argv, **kw):
        if os.geteuid() == 0:
            pw = pwd.getpwnam("postgres")
            kw.update(user=pw.pw_uid, group=pw.pw_gid,
                      extra_groups=[g.gr_gid for g in grp.getgrall() if "postgres" in g.gr_mem])
        return subprocess.run([str(a) for a in argv], check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/",
                              **kw)

    def start(self, directory=None, installed=None, loaded=()):
        """Starts every cluster under a directory of its own: empty, or as load() leaves it for the names in `loaded`, or as
        the template `installed` holds it (see keep())."""
        self.dir = pathlib.Path(directory or tempfile.mkdtemp(prefix="bm-", dir=volume()))
        self.dir.mkdir(exist_ok=True)
        self.dir.chmod(0o711)
        (self.dir / "s").mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.dir, "postgres", "postgres")
            shutil.chown(self.dir / "s", "postgres", "postgres")
        bare = template("bare", self._initdb)
        empty = []
        for name in self.names:
            c = self.cluster[name] = Cluster(name, self.dir)
            folder = template(f"loaded-{name}", self._loaded(name)) if name in loaded else installed
            kept = json.loads((folder / "clusters.json").read_text()) if folder else {"passwords": {}}
            c.passwords = kept["passwords"].get(name, {})
            if c.passwords:
                self.genesis_hash = kept["genesis_hash"] or self.genesis_hash
                self._make(c, folder / name)
            else:
                empty.append(name)
                self._make(c, bare / "data")
        with ThreadPoolExecutor(len(self.names)) as pool:
            list(pool.map(self.up, self.names))
        for name in empty:
            self._own_password(name, (bare / "password").read_text())
        if installed:
            self._feed_again()
        return self

    @staticmethod
    def _loaded(name):
        """Makes the template of a cluster as load() leaves it."""
        def make(folder):
            c = Clusters(names=(name,))
            try:
                c.start()
                c.load(name)
                c.keep(folder)
            finally:
                c.stop()
        return make

    def _initdb(self, folder):
        """The template of an empty cluster, and the password of its superuser."""
        password = folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(16))
        if os.geteuid() == 0:
            shutil.chown(password, "postgres", "postgres")
        self._as_postgres(self.bin / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "scram-sha-256",
                          f"--pwfile={password}", "--no-sync", "--locale=C.UTF-8", "-E", "UTF8")

    def _make(self, c, source):
        copy(source, c.data)
        lines = [f"port = {c.port}", f"unix_socket_directories = '{c.sockets}'",
                 "listen_addresses = '127.0.0.1'", "wal_level = logical", "fsync = off",
                 "full_page_writes = off", "wal_writer_delay = 10ms", "shared_buffers = 64MB",
                 "max_connections = 100", "max_wal_senders = 20", "max_replication_slots = 20",
                 "max_logical_replication_workers = 12", "max_sync_workers_per_subscription = 4",
                 "max_worker_processes = 20", f"max_slot_wal_keep_size = {self.slot_wal}",
                 "wal_retrieve_retry_interval = '500ms'", "autovacuum_naptime = '1min'",
                 "log_min_messages = warning", "jit = off", "track_activity_query_size = 64kB"]
        with open(c.data / "postgresql.conf", "a", encoding="ascii") as f:
            f.write("\n".join(lines + self.settings) + "\n")

    def _own_password(self, name, password):
        """No two clusters share the superuser's password, nor any with its template."""
        c = self.cluster[name]
        c.passwords["postgres"] = password
        own = secrets.token_hex(16)
        db = self.connect(name, dbname="postgres")
        with db.cursor() as cur:
            cur.execute("ALTER ROLE postgres PASSWORD %s", (verifier(own),))
        db.close()
        c.passwords["postgres"] = own

    def keep(self, folder):
        """Ends the clusters and puts them into a template's folder. The feed is switched off in it: a copy listens elsewhere."""
        for name, subscription, _ in self._subscriptions():
            self.rows(name, f"SET bimodal.change = 'genesis'; ALTER SUBSCRIPTION {subscription} DISABLE")
        with ThreadPoolExecutor(len(self.names)) as pool:
            list(pool.map(self.down, self.names))
        for name in self.names:
            shutil.move(self.cluster[name].data, folder / name)
        state = folder / "clusters.json"
        state.touch(mode=0o600)
        state.write_text(json.dumps({"genesis_hash": self.genesis_hash,
                                     "passwords": {n: c.passwords for n, c in self.cluster.items()}}))

    def _subscriptions(self):
        return [(name, *row) for name in self.names if name in SOURCE and SOURCE[name][0] in self.names
                for row in self.rows(name, "SELECT subname, subslotname FROM pg_subscription ORDER BY subname DESC")]

    def _feed_again(self):
        """Each subscription to where its source listens now."""
        made = self._subscriptions()
        for name, subscription, _ in made:
            source, role = SOURCE[name]
            db = self.connect(name)
            with db.cursor() as cur:
                cur.execute("SET bimodal.change = 'genesis'")
                cur.execute(f"ALTER SUBSCRIPTION {subscription} CONNECTION %s", (self.conninfo(source, role, subscription),))
                cur.execute(f"ALTER SUBSCRIPTION {subscription} ENABLE")
            db.close()
        for name, _, slot in made:
            self.wait(SOURCE[name][0], "SELECT active FROM pg_replication_slots WHERE slot_name = %s", (slot,))

    def up(self, name):
        self._forget(name)
        c = self.cluster[name]
        try:
            self._as_postgres(self.bin / "pg_ctl", "-D", c.data, "-l", c.log, "-w", "-s", "start")
        except subprocess.CalledProcessError as e:
            raise RuntimeError(f"{name} does not start: {e.stdout}{c.log.read_text()[-2000:] if c.log.exists() else ''}") from None

    def down(self, name, mode="fast"):
        self._forget(name)
        self._as_postgres(self.bin / "pg_ctl", "-D", self.cluster[name].data, "-m", mode, "-w", "-s",
                          "stop")

    def stop(self, keep=False):
        def end(name):
            try:
                self.down(name, "immediate")
            except subprocess.CalledProcessError:
                pass
        if self.cluster:
            with ThreadPoolExecutor(len(self.cluster)) as pool:
                list(pool.map(end, self.cluster))
        if self.dir and not keep:
            shutil.rmtree(self.dir, ignore_errors=True)

    # -- sessions

    def dsn(self, name, role="postgres", dbname="bimodal"):
        c = self.cluster[name]
        return (f"host={c.sockets} port={c.port} dbname={dbname} user={role}"
                f" password={c.passwords[role]}")

    def conninfo(self, name, role, application):
        """What a subscription connects with."""
        return (self.dsn(name, role).replace(f"host={self.cluster[name].sockets}", "host=127.0.0.1")
                + f" application_name={application} connect_timeout=2")

    def connect(self, name, role="postgres", dbname="bimodal", autocommit=True):
        db = psycopg2.connect(self.dsn(name, role, dbname))
        db.autocommit = autocommit
        return db

    @contextlib.contextmanager
    def _cursor(self, name, role):
        """Of a session that nobody else uses meanwhile; what is set in it ends with the block."""
        idle = self.idle.setdefault((name, role), [])
        db = idle.pop() if idle else self.connect(name, role)
        try:
            with db.cursor() as cur:
                yield cur
                cur.execute("DISCARD ALL")
            idle.append(db)
        except BaseException:
            db.close()
            raise

    def _forget(self, name):
        for key in [k for k in self.idle if k[0] == name]:
            for db in self.idle.pop(key):
                db.close()

    def rows(self, name, sql, args=None, role="postgres"):
        with self._cursor(name, role) as cur:
            cur.execute(sql, args)
            return cur.fetchall() if cur.description else cur.rowcount

    def one(self, name, sql, args=None, role="postgres"):
        return self.rows(name, sql, args, role)[0][0]

    def wait(self, name, sql, args=None, seconds=30.0, role="postgres"):
        """Seconds until the query's first value is true."""
        start = time.monotonic()
        pause = 0.01
        with self._cursor(name, role) as cur:
            while True:
                cur.execute(sql, args)
                row = cur.fetchone()
                if row and row[0]:
                    return time.monotonic() - start
                if time.monotonic() - start > seconds:
                    raise TimeoutError(f"{name}: not true after {seconds} s: {sql}")
                time.sleep(pause)
                pause = min(pause * 1.3, 0.1)

    def psql(self, name, file, variables=()):
        """Runs a file with psql as superuser, outside a transaction."""
        c = self.cluster[name]
        argv = [self.bin / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        for key, value in dict(variables).items():
            argv += ["-v", f"{key}={value}"]
        env = dict(os.environ, PGPASSWORD=c.passwords["postgres"], PGOPTIONS="-c bimodal.change=genesis")
        subprocess.run([str(a) for a in argv + ["-h", c.sockets, "-p", c.port, "-U", "postgres", "-d",
                                                "bimodal", "-f", file]],
                       check=True, env=env, stdin=subprocess.DEVNULL)

    # -- schema

    def genesis(self, name):
        """Change 0: the database, roles, rights and guard; then a password a login role."""
        path = SQL / name / "genesis" / "up.sql"
        db = self.connect(name, dbname="postgres")
        with db.cursor() as cur:
            cur.execute("CREATE DATABASE bimodal")
        db.close()
        db = self.connect(name)
        with db.cursor() as cur:
            cur.execute("SET bimodal.change = 'genesis'")
            cur.execute(path.read_text())
            cur.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^bimodal_' AND rolcanlogin"
                        " AND rolname <> 'bimodal_apply'")
            for (role,) in cur.fetchall():
                self.cluster[name].passwords[role] = secrets.token_hex(16)
                cur.execute(f"ALTER ROLE {role} PASSWORD %s", (verifier(self.cluster[name].passwords[role]),))
            if name == "core":
                self.genesis_hash = hashlib.sha256(path.read_bytes()).hexdigest()
                cur.execute("ALTER DATABASE bimodal SET bimodal.genesis = %s", (self.genesis_hash,))
        db.close()

    def disposable(self, name):
        """A cluster without change 0: its one login may do everything there, as deploy/ makes it."""
        password = self.cluster[name].passwords["bimodal_rehearsal"] = secrets.token_hex(16)
        db = self.connect(name, dbname="postgres")
        with db.cursor() as cur:
            cur.execute("CREATE ROLE bimodal_rehearsal LOGIN SUPERUSER CREATEDB CREATEROLE PASSWORD %s", (verifier(password),))
        db.close()

    def apply(self, name, change, part="up", ledger=False):
        """One change in one transaction, as the executor would run it."""
        db = self.connect(name, DEPLOYER[name], autocommit=False)
        try:
            with db.cursor() as cur:
                cur.execute("SELECT set_config('bimodal.change', %s, true),"
                            " set_config('bimodal.actor', 'system:executor', true)", (change,))
                cur.execute("SET LOCAL ROLE bimodal_owner")
                text = change_sql(name, change, part)
                cur.execute(text)
                if ledger:
                    cur.execute("SELECT change.ledger_append('system:executor', 'change.applied', %s,"
                                " jsonb_build_object('sha256', %s))",
                                (change, hashlib.sha256(text.encode()).hexdigest()))
            db.commit()
        finally:
            db.close()

    def load(self, name):
        self.genesis(name)
        for change in changes(name):
            self.apply(name, change, ledger=name == "core")

    def verify(self, name, change):
        """The failed assertions of a change."""
        return [r[0] for r in self.rows(name, change_sql(name, change, "verify"),
                                        role=DEPLOYER[name])]

    # -- feed

    def owner(self, name, sql):
        """One statement as bimodal_owner inside a change; again if it and a daemon waited for each other."""
        for last in (False,) * 20 + (True,):
            db = self.connect(name, DEPLOYER[name], autocommit=False)
            try:
                with db.cursor() as cur:
                    cur.execute("SELECT set_config('bimodal.change', 'feed', true)")
                    cur.execute("SET LOCAL ROLE bimodal_owner")
                    cur.execute(sql)
                return db.commit()
            except psycopg2.errors.DeadlockDetected:
                if last:
                    raise
            finally:
                db.close()

    def subscribe(self, name, source, role, publication):
        subscription = f"{name}_{publication.removeprefix('bimodal_')}"
        self.psql(name, SQL / "shared" / "genesis" / "subscribe.sql",
                  {"subscription": subscription, "publication": publication,
                   "conninfo": self.conninfo(source, role, subscription)})
        self.synced(name, subscription)

    def synced(self, name, subscription, seconds=15.0):
        self.wait(name, "SELECT count(*) > 0 AND bool_and(srsubstate = 'r') FROM pg_subscription_rel"
                  " JOIN pg_subscription s ON s.oid = srsubid WHERE subname = %s", (subscription,),
                  seconds)

    def hop_registry(self, name, source, role):
        self.subscribe(name, source, role, "bimodal_registry")
        self.owner(name, "SELECT change.projection_apply()")

    def hop_crm(self, name, source, role):
        self.subscribe(name, source, role, "bimodal_crm")

    def feed_state(self):
        """What each server says of the feed, in plain text: for the error of a test that waited for it in vain."""
        asked = {
            "slots": "SELECT slot_name, active, wal_status, restart_lsn, confirmed_flush_lsn FROM pg_replication_slots",
            "tables": "SELECT s.subname, r.srrelid::regclass::text, r.srsubstate, r.srsublsn FROM pg_subscription_rel r"
                      " JOIN pg_subscription s ON s.oid = r.srsubid WHERE r.srsubstate <> 'r'",
            "subscribed": "SELECT s.subname, s.subenabled, s.subpublications, count(r.srrelid) FROM pg_subscription s"
                          " LEFT JOIN pg_subscription_rel r ON r.srsubid = s.oid GROUP BY s.oid, 1, 2, 3",
            "workers": "SELECT subname, relid::regclass::text, pid, received_lsn, latest_end_lsn FROM pg_stat_subscription",
            "published": "SELECT pubname, schemaname || '.' || tablename FROM pg_publication_tables WHERE schemaname = 'crm'",
            "activity": "SELECT pid, backend_type, usename, state, wait_event, backend_xid, backend_xmin, now() - xact_start,"
                        " left(query, 120) FROM pg_stat_activity WHERE backend_type NOT LIKE '%writer' AND datname IS NOT NULL",
            "locks": "SELECT pid, locktype, relation::regclass::text, mode FROM pg_locks WHERE NOT granted",
        }
        lines = []
        for name in self.names:
            try:
                for what, sql in asked.items():
                    lines += [f"{name} {what}: {row}" for row in self.rows(name, sql)]
                lines += [f"{name} log: {x}" for x in self.cluster[name].log.read_text().splitlines()[-12:]]
            except psycopg2.Error as e:
                lines.append(f"{name}: {e}")
        return "\n".join(lines)

    def feed_setup(self):
        """core -> airlock -> sandbox, each with its registry first: the registry makes the tables."""
        for name, (source, role) in SOURCE.items():
            if name in self.cluster:
                self.hop_registry(name, source, role)
                self.hop_crm(name, source, role)


def main():
    clusters = Clusters().start(sys.argv[1] if len(sys.argv) > 1 else None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for name in NAMES:
            clusters.load(name)
        clusters.feed_setup()
        for name in NAMES:
            for role in clusters.cluster[name].passwords:
                print(f"{name:8} {role:18} {clusters.dsn(name, role)}")
        sys.stdout.flush()
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        clusters.stop()


if __name__ == "__main__":
    main()
