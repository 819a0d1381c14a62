"""A real switch for the tests of this folder, with SIPp as its customers and agents. What it must have stands in README.md beside this file.

Without FS_DIALER_TEST_ESL=host:port:password, without an answer there, or without sipp, every test is skipped and says why.
"""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
import pytest

from fs_dialer.db.embedded import EmbeddedPostgres
from fs_dialer.db.migrate import migrate
from tests.freeswitch.watch import Address, Line, Watch
from tests.freeswitch.world import World

HERE = Path(__file__).parent
CUSTOMERS, AGENTS = 5080, 5090
START_S = 10.0
_databases = itertools.count(1)


@pytest.fixture(scope="session")
def address() -> Address:
    """The event socket; the test is skipped where there is none, or where the switch is not set up for these tests."""
    told = os.environ.get("FS_DIALER_TEST_ESL", "")
    host, _, rest = told.partition(":")
    port, _, password = rest.partition(":")
    if not port.isdigit():
        pytest.skip("needs a FreeSWITCH: FS_DIALER_TEST_ESL is not host:port:password")
    if shutil.which("sipp") is None:
        pytest.skip("needs sipp, which is not on PATH")
    try:
        line = Line(Address(host, int(port), password))
    except OSError as error:
        pytest.skip(f"needs a FreeSWITCH: {host}:{port}: {error}")
    with closing(line):
        if "Invalid Gateway" in line.ask("api sofia status gateway trunk1"):
            pytest.skip("the switch has no gateway trunk1 (tests/freeswitch/README.md)")
        if "fsd_fallback" not in line.ask("api xml_locate dialplan context name fsd"):
            pytest.skip("the switch has no dialplan context fsd (conf/freeswitch/dialplan/fsd.xml)")
    return Address(host, int(port), password)


class Sipp:
    """One scenario on one port of loopback, until the end of the tests."""

    def __init__(self, scenario: str, port: int, folder: Path) -> None:
        self.log, self.errors = folder / f"{scenario}.log", folder / f"{scenario}.errors"
        self.folder, self.port = folder, port
        self._start(HERE / "sipp" / f"{scenario}.xml")

    def _start(self, scenario: Path) -> None:
        folder, port = self.folder, self.port
        words = ["sipp", "-sf", str(scenario), "-nostdin", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-ci", "127.0.0.1"]
        words += ["-p", str(port), "-cp", str(port + 13800), "-mp", str(port + 11920), "-trace_logs", "-log_file", str(self.log)]
        words += ["-trace_err", "-error_file", str(self.errors)]
        self.process = subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._until_bound(port)

    def _until_bound(self, port: int) -> None:
        deadline = time.monotonic() + START_S
        while self.process.poll() is None and time.monotonic() < deadline:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    return
            time.sleep(0.05)
        told = self.errors.read_text(encoding="utf-8", errors="replace") if self.errors.exists() else ""
        raise RuntimeError(f"sipp did not start on port {port}: {told}")

    def invites(self) -> list[str]:
        """Whom it was called as, one for each INVITE, in order."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [line.partition("INVITE sip:")[2].rstrip("@") for line in lines if "INVITE sip:" in line]

    @contextmanager
    def instead(self, scenario: Path) -> Iterator[None]:
        """Others are at its port meanwhile: those of this scenario."""
        usual = Path(self.process.args[2])  # type: ignore[index,arg-type]
        self.close()
        self._start(scenario)
        try:
            yield
            assert self.process.poll() is None, f"sipp ended by itself: {self.errors.read_text(encoding='utf-8', errors='replace')}"
        finally:
            self.close()
            self._start(usual)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="session")
def customers(address: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sipp]:
    yield from _sipp("customers", CUSTOMERS, tmp_path_factory)


@pytest.fixture(scope="session")
def agents(address: Address, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sipp]:
    yield from _sipp("agents", AGENTS, tmp_path_factory)


def _sipp(scenario: str, port: int, folders: pytest.TempPathFactory) -> Iterator[Sipp]:
    with closing(Sipp(scenario, port, folders.mktemp(scenario))) as sipp:
        yield sipp
        assert sipp.process.poll() is None, f"sipp {scenario} ended by itself: {sipp.errors.read_text(encoding='utf-8', errors='replace')}"


@pytest.fixture(scope="session")
def postgres(address: Address) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(durable=False) as server:
        yield server


@pytest.fixture
def watch(address: Address) -> Iterator[Watch]:
    """The switch's own word on what a test without a daemon does."""
    with closing(Watch(address)) as watching:
        yield watching
        watching.hang_up_all()


@contextmanager
def _world(address: Address, postgres: EmbeddedPostgres, folder: Path) -> Iterator[World]:
    name = f"freeswitch_{next(_databases)}"
    with closing(psycopg2.connect(postgres.dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
    dsn = postgres.dsn_of(name)
    migrate(dsn)
    with closing(Watch(address)) as watch, closing(World(folder, dsn, address, watch)) as world:
        yield world


@pytest.fixture
def world(address: Address, customers: Sipp, agents: Sipp, postgres: EmbeddedPostgres, tmp_path: Path) -> Iterator[World]:
    """A database of this test's own, with our tables and nothing in them; no daemon yet."""
    with _world(address, postgres, tmp_path) as world:
        yield world


@pytest.fixture(scope="module")
def module_world(address: Address, customers: Sipp, agents: Sipp, postgres: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all tests of a file."""
    with _world(address, postgres, tmp_path_factory.mktemp("world")) as world:
        yield world
