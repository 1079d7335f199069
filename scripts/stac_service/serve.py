"""A STAC service (stac-fastapi-pgstac on PostgreSQL and PostGIS) on the loopback interface, for tests and benchmarks.

    python serve.py COLLECTIONS.ndjson ITEMS.ndjson QUERYABLES.json

loads the collections and the items (JSON, one a line), declares the queryables (a JSON Schema; pgstac compares
properties without a declared type as text), into a database cluster of its own in a temporary
folder, prints `ready <address of the landing page>`, and serves until its standard input ends: that is when
whoever started it is gone, however it went. Nothing is left behind then.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def programs():
    """The folder of the newest PostgreSQL: Debian keeps the servers' programs out of the PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    inside = shutil.which("initdb")
    if not found and not inside:
        print("no server", flush=True)
        raise SystemExit("PostgreSQL is not installed; scripts/setup --test installs it")
    return found[-1].parent if found else Path(inside).parent


def dies_with_parent():
    """In a child: no orphan stays, should this process be killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Service:
    def __init__(self, folder):
        self.folder, self.children = folder, []
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        self.log = open(folder / "log", "wb")
        if self.user:
            os.chmod(folder, 0o755)
            account = pwd.getpwnam(self.user)
            self.identity = dict(user=account.pw_uid, group=account.pw_gid, extra_groups=[])
        else:
            self.identity = {}

    def start(self, command, **options):
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.folder,
                                 start_new_session=True, preexec_fn=dies_with_parent, **options)
        self.children.append(child)
        return child

    def run(self, command, **options):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=self.folder, **options)
        if done.returncode != 0:
            self.fail(f"{command[0]} failed")

    def fail(self, what):
        self.log.flush()
        tail = (self.folder / "log").read_bytes()[-3000:].decode(errors="replace")
        raise SystemExit(f"{what}:\n{tail}")

    def wait_for(self, what, child, is_ready):
        for _ in range(600):
            if child.poll() is not None:
                self.fail(f"{what} ended")
            if is_ready():
                return
            time.sleep(0.05)
        self.fail(f"{what} did not start within 30 s")

    def database(self):
        bin, port = programs(), free_port()
        data = self.folder / "data"
        data.mkdir(mode=0o700)
        if self.identity:
            os.chown(data, self.identity["user"], self.identity["group"])
        self.run([bin / "initdb", "-D", data, "-U", "perilune", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
                 **self.identity)
        # Of what protects data from a crash nothing is needed here.
        settings = dict(listen_addresses="127.0.0.1", port=port, unix_socket_directories="", fsync="off",
                        synchronous_commit="off", full_page_writes="off", shared_buffers="128MB", timezone="UTC")
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        child = self.start([bin / "postgres", "-D", data, *options], **self.identity)
        ready = [bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "perilune", "-d", "postgres"]
        self.wait_for("PostgreSQL", child, lambda: subprocess.run(ready).returncode == 0)
        self.environment = os.environ | dict(PGHOST="127.0.0.1", PGPORT=str(port), PGUSER="perilune", PGPASSWORD="none",
                                             PGDATABASE="postgres", TZ="UTC")

    def load(self, collections, items, queryables):
        os.environ.update(self.environment)
        from pypgstac.db import PgstacDB
        from pypgstac.load import Loader, Methods
        from pypgstac.migrate import Migrate

        with PgstacDB() as db:
            Migrate(db).run_migration()
            # Answers then say how many items match.
            db.query_one("INSERT INTO pgstac.pgstac_settings (name, value) VALUES ('context', 'on')"
                         " ON CONFLICT (name) DO UPDATE SET value = 'on' RETURNING value")
            loader = Loader(db)
            db.connect().execute("SELECT upsert_queryables(%s::jsonb, NULL, NULL, false)", [queryables.read_text()])
            loader.load_collections(str(collections), insert_mode=Methods.insert)
            loader.load_items(str(items), insert_mode=Methods.insert)

    def api(self):
        port = free_port()
        child = self.start([sys.executable, "-m", "uvicorn", "stac_fastapi.pgstac.app:create_app", "--factory", "--host", "127.0.0.1",
                            "--port", str(port), "--log-level", "warning"],
                           env=self.environment | dict(DB_MIN_CONN_SIZE="1", DB_MAX_CONN_SIZE="4"))
        address = f"http://127.0.0.1:{port}/"

        def answers():
            try:
                return urllib.request.urlopen(address, timeout=5).status == 200
            except OSError:
                return False

        self.wait_for("stac-fastapi-pgstac", child, answers)
        return address

    def stop(self):
        for child in reversed(self.children):
            child.kill() if child is not self.children[0] else child.send_signal(signal.SIGQUIT)
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def main(collections, items, queryables):
    # Ctrl-C in a terminal reaches the whole group; the end of the input is what counts here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="perilune-stac-"))
    service = Service(folder)
    try:
        # The loader prints as it likes; the address has to be alone on standard output.
        out = os.fdopen(os.dup(1), "w")
        os.dup2(service.log.fileno(), 1)
        service.database()
        service.load(collections, items, queryables)
        print("ready", service.api(), file=out, flush=True)
        while os.read(0, 4096):
            pass
    finally:
        service.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*(Path(name).resolve() for name in sys.argv[1:4]))
